"""Closures and slow-downs: what changes on the roads while the service runs.

`Conditions` is a plain immutable value. `EffectiveConditions` says what of it holds at one moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from routing.daily import DailyHours, minutes_to_next_edge
from routing.errors import ConditionInvalid
from routing.graph import ROAD_CLASSES

MINUTE_MS = 60_000
HOUR_MINUTES = 60


class Direction(StrEnum):
    """Which directions of the named roads are meant.

    `FORWARD` and `BACKWARD` are seen along the arc or the way as it is drawn.
    """

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A stretch of road that nobody may pass through.

    A unit that stands on it may leave it, and one that is called onto it may come.

    Attributes:
        closure_id: Name of the closure.
        arcs: Directed arcs of this network.
        way_ids: OSM ways; they survive a new network, arcs do not.
        direction: Which directions of them are closed.
        from_ms: First moment, Unix milliseconds.
        until_ms: First moment when it is open again; None = until lifted.
        daily: Hours of the local day when it holds; empty = all day.
        emergency_exempt: True when emergency vehicles on a call may pass through.
        reason: Why, for people.
    """

    closure_id: str
    arcs: tuple[int, ...] = ()
    way_ids: tuple[int, ...] = ()
    direction: Direction = Direction.BOTH
    from_ms: int = 0
    until_ms: int | None = None
    daily: tuple[DailyHours, ...] = ()
    emergency_exempt: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.arcs and not self.way_ids:
            raise ConditionInvalid(f"closure {self.closure_id!r} names no road; give arcs or ways")
        _check_period(f"closure {self.closure_id!r}", self.from_ms, self.until_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactor:
    """A factor on the speed of some roads, for everybody. Factors on the same road multiply.

    Attributes:
        factor_id: Name of the factor.
        factor: 0.5 = half as fast. Above 0; what is 0 is a closure.
        road_class: One of `ROAD_CLASSES`; None with no arcs and ways means all roads.
        arcs: Directed arcs of this network, taken one by one.
        way_ids: OSM ways, both directions.
        from_ms: First moment, Unix milliseconds.
        until_ms: First moment when it no longer holds; None = until lifted.
        daily: Hours of the local day when it holds; empty = all day.
        reason: Why, for people.
    """

    factor_id: str
    factor: float
    road_class: str | None = None
    arcs: tuple[int, ...] = ()
    way_ids: tuple[int, ...] = ()
    from_ms: int = 0
    until_ms: int | None = None
    daily: tuple[DailyHours, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        name = f"speed factor {self.factor_id!r}"
        if not (math.isfinite(self.factor) and self.factor > 0):
            raise ConditionInvalid(f"{name} is {self.factor}; it must be above 0, or be a closure")
        if self.road_class is not None and self.road_class not in ROAD_CLASSES:
            raise ConditionInvalid(
                f"{name}: {self.road_class!r} is no road class; use {ROAD_CLASSES}"
            )
        if self.road_class is not None and (self.arcs or self.way_ids):
            raise ConditionInvalid(f"{name} names a road class and roads; give one of them")
        _check_period(name, self.from_ms, self.until_ms)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All closures and speed factors that were ordered, whether they hold now or not."""

    closures: tuple[Closure, ...] = ()
    speed_factors: tuple[SpeedFactor, ...] = ()

    def at(self, at_ms: int, hour: int, minute: int = 0) -> EffectiveConditions:
        """What of it holds at a moment, given the local hour and minute of that moment."""
        of_day = hour * HOUR_MINUTES + minute
        return EffectiveConditions(
            tuple(item for item in self.closures if _holds(item, at_ms, of_day)),
            tuple(item for item in self.speed_factors if _holds(item, at_ms, of_day)),
        )

    def next_change_ms(self, at_ms: int, hour: int, minute: int = 0) -> int:
        """The next moment when the roads may change by themselves.

        That is when a period or a daily hour begins or ends, and at each full hour of the local
        clock: with the hour go the usual speeds, and summer time comes and goes.

        Args:
            at_ms: The present moment, Unix milliseconds.
            hour: The local hour of that moment.
            minute: The local minute of that hour.
        """
        items: tuple[Closure | SpeedFactor, ...] = (*self.closures, *self.speed_factors)
        daily = (hours for item in items for hours in item.daily)
        to_edge = minutes_to_next_edge(daily, hour * HOUR_MINUTES + minute)
        to_hour = HOUR_MINUTES - minute
        by_clock = to_hour if to_edge is None else min(to_hour, to_edge)
        by_clock_ms = (at_ms // MINUTE_MS + by_clock) * MINUTE_MS
        return min([by_clock_ms, *(edge_ms for edge_ms in _edges_ms(items) if edge_ms > at_ms)])


@dataclass(frozen=True, slots=True)
class EffectiveConditions:
    """The closures and speed factors that hold at one moment."""

    closures: tuple[Closure, ...] = field(default=())
    speed_factors: tuple[SpeedFactor, ...] = field(default=())


def _edges_ms(items: Iterable[Closure | SpeedFactor]) -> Iterable[int]:
    for item in items:
        yield item.from_ms
        if item.until_ms is not None:
            yield item.until_ms


def _holds(item: Closure | SpeedFactor, at_ms: int, minute_of_day: int) -> bool:
    begun = item.from_ms <= at_ms
    over = item.until_ms is not None and item.until_ms <= at_ms
    in_hours = not item.daily or any(hours.hold_at(minute_of_day) for hours in item.daily)
    return begun and not over and in_hours


def _check_period(name: str, from_ms: int, until_ms: int | None) -> None:
    if until_ms is not None and until_ms <= from_ms:
        raise ConditionInvalid(f"{name} ends ({until_ms}) before it begins ({from_ms})")
