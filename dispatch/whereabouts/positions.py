"""Where units are: the last fix of each, in memory. Positions are not facts of the log.

A fix counts by its own time: the newest wins whatever its way here, a late one goes to the history
only, and nothing but a fix makes a position fresh again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import TypeAlias

from dispatch.words import UnitId, UnixMs
from routing.geometry import distance_m
from routing.graph import RoadGraph

Bounds: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in degrees, WGS-84."""

POSITION_MARGIN_DEG = 0.25
"""Around the network's box, about 25 km: positions farther off are errors of the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A position that a device measured, WGS-84.

    Attributes:
        unit_id: Whose.
        lon: Degrees.
        lat: Degrees.
        at_ms: When it was measured, by the device.
        seq: The device's own count, None without one.
        speed_mps: Metres per second over ground, None where not known.
        heading_deg: Compass heading, None where not known.
        accuracy_m: Radius of the error as the device sees it, None where not known.
        mock: True where the device says that the position is not real.
    """

    unit_id: UnitId
    lon: float
    lat: float
    at_ms: UnixMs
    seq: int | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    mock: bool = False


class Verdict(StrEnum):
    """What became of a fix."""

    ACCEPTED = "accepted"
    LATE = "late"
    REJECTED = "rejected"


DUPLICATE = "duplicate"
"""Reason of a fix that is here already."""

FUTURE = "future"
"""Reason of a fix whose device's clock runs too far ahead; it tells that clock all the same."""


class Link(StrEnum):
    """How fresh a unit's position is, by the fix's own time."""

    LIVE = "live"
    STALE = "stale"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class FixResult:
    """What became of one fix of a batch, and why."""

    unit_id: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRules:
    """What is accepted and how long it counts as fresh.

    Attributes:
        live_s: Up to this age a position is live (ASSUMPTION: five fixes of 3 s).
        stale_s: Up to this age it is stale, then lost (ASSUMPTION).
        future_max_s: How far a device's clock may run ahead.
        past_max_s: Older fixes are not taken, not even into the history.
        speed_max_mps: Faster than any unit drives (252 km/h): the fix is an error.
        jump_min_m: Jumps below this are noise, whatever their speed.
    """

    live_s: float = 15.0
    stale_s: float = 120.0
    future_max_s: float = 60.0
    past_max_s: float = 86_400.0
    speed_max_mps: float = 70.0
    jump_min_m: float = 300.0


Keep: TypeAlias = Callable[[Fix, bool], None]
"""Takes a fix for the history; the flag is True for a late one."""

Share: TypeAlias = Callable[[Sequence[Fix]], None]
"""Takes fixes that were accepted, late or `FUTURE` to whoever else has to know them: who hears them
judges them for himself."""


class Positions:
    """The last fix of every unit."""

    def __init__(
        self,
        unit_ids: Iterable[UnitId],
        *,
        bounds: Bounds,
        rules: PositionRules | None = None,
        keep: Keep | None = None,
    ) -> None:
        """Start without any fix.

        Args:
            unit_ids: Units that may send fixes.
            bounds: Where a fix can be believed.
            rules: What is accepted.
            keep: Takes accepted and late fixes for the history.
        """
        self._units = frozenset(unit_ids)
        self._bounds = bounds
        self._rules = rules or PositionRules()
        self._keep = keep
        self._share: Share | None = None
        self._last: dict[UnitId, Fix] = {}
        self._suspect: dict[UnitId, Fix] = {}
        self._changed_at: dict[UnitId, int] = {}
        self._ahead: dict[UnitId, tuple[float, UnixMs]] = {}
        self._changes = 0
        self._listeners: list[Callable[[Sequence[UnitId]], None]] = []

    @property
    def last(self) -> Mapping[UnitId, Fix]:
        """The last fix of each unit that ever sent one."""
        return self._last

    @property
    def cursor(self) -> int:
        """Count of changes so far; see `changed_since`."""
        return self._changes

    def ahead_s(self, now_ms: UnixMs) -> dict[UnitId, float]:
        """Devices whose clock runs ahead of the service's, and by how many seconds.

        As of each unit's last fix that came without delay, also where it was refused for this. Who
        sent none for `stale_s` is left out: a device that is switched off shows no time.
        """
        since_ms = now_ms - self._rules.stale_s * 1000
        return {one: ahead_s for one, (ahead_s, at_ms) in self._ahead.items() if at_ms >= since_ms}

    def keep_with(self, keep: Keep) -> None:
        """From now on hand accepted and late fixes to a history."""
        self._keep = keep

    def share_with(self, share: Share) -> None:
        """From now on hand what is taken here to other workers."""
        self._share = share

    def hear(self, fixes: Sequence[Fix], now_ms: UnixMs) -> None:
        """Take fixes that another worker has accepted; they are not handed on."""
        self._take(fixes, now_ms)

    def on_change(self, listener: Callable[[Sequence[UnitId]], None]) -> None:
        """Call `listener` with the units that have moved, once per batch."""
        self._listeners.append(listener)

    def restore(self, fixes: Iterable[Fix]) -> None:
        """Take the last fixes of an earlier run; newer ones already here stay."""
        for fix in fixes:
            held = self._last.get(fix.unit_id)
            if fix.unit_id in self._units and (held is None or held.at_ms < fix.at_ms):
                self._put(fix)

    def accept(self, fixes: Sequence[Fix], now_ms: UnixMs) -> list[FixResult]:
        """Judge fixes one by one and keep the good ones.

        Args:
            fixes: In any order; a duplicate counts as late.
            now_ms: The service's time.

        Returns:
            One result per fix, in their order.
        """
        results = self._take(fixes, now_ms)
        if self._share is not None:
            taken = [fix for fix, result in zip(fixes, results, strict=True) if _tells(result)]
            if taken:
                self._share(taken)
        return results

    def _take(self, fixes: Sequence[Fix], now_ms: UnixMs) -> list[FixResult]:
        moved: dict[UnitId, None] = {}
        results: list[FixResult] = []
        for fix in fixes:
            verdict, reason = self._judge(fix, now_ms)
            if verdict is not Verdict.REJECTED or reason == FUTURE:
                self._note_clock(fix, now_ms)
            if verdict is Verdict.ACCEPTED:
                self._put(fix)
                moved[fix.unit_id] = None
            if verdict is not Verdict.REJECTED and self._keep is not None and reason != DUPLICATE:
                self._keep(fix, verdict is Verdict.LATE)
            results.append(FixResult(fix.unit_id, verdict, reason))
        if moved:
            for listener in self._listeners:
                listener(list(moved))
        return results

    def age_s(self, unit_id: UnitId, now_ms: UnixMs) -> float | None:
        """Seconds since the unit's last fix was measured; None where it never sent one."""
        fix = self._last.get(unit_id)
        return None if fix is None else max(0.0, (now_ms - fix.at_ms) / 1000)

    def link(self, unit_id: UnitId, now_ms: UnixMs) -> Link:
        """How fresh the unit's position is; a unit that never sent a fix is lost."""
        age_s = self.age_s(unit_id, now_ms)
        if age_s is None or age_s > self._rules.stale_s:
            return Link.LOST
        return Link.LIVE if age_s <= self._rules.live_s else Link.STALE

    def lost_since_ms(self, unit_id: UnitId, now_ms: UnixMs) -> UnixMs | None:
        """Since when the unit's position is lost; None where it is not, or never was known."""
        fix = self._last.get(unit_id)
        if fix is None or self.link(unit_id, now_ms) is not Link.LOST:
            return None
        return UnixMs(fix.at_ms + round(self._rules.stale_s * 1000))

    def changed_since(self, cursor: int) -> tuple[int, list[Fix]]:
        """The last fix of each unit that moved after `cursor`, and the cursor to go on from."""
        moved = [self._last[unit] for unit, at in self._changed_at.items() if at > cursor]
        return self._changes, moved

    def _note_clock(self, fix: Fix, now_ms: UnixMs) -> None:
        ahead_s = (fix.at_ms - now_ms) / 1000
        if ahead_s > 0:
            self._ahead[fix.unit_id] = ahead_s, now_ms
        elif ahead_s > -self._rules.live_s:
            # One that was kept back for longer says nothing of what the clock shows now.
            self._ahead.pop(fix.unit_id, None)

    def _put(self, fix: Fix) -> None:
        self._last[fix.unit_id] = fix
        self._suspect.pop(fix.unit_id, None)
        self._changes += 1
        self._changed_at[fix.unit_id] = self._changes

    def _judge(self, fix: Fix, now_ms: UnixMs) -> tuple[Verdict, str]:
        reason = self._unsound(fix, now_ms)
        if reason:
            return Verdict.REJECTED, reason
        held = self._last.get(fix.unit_id)
        if held is None:
            return Verdict.ACCEPTED, ""
        if fix.at_ms == held.at_ms and (fix.lon, fix.lat) == (held.lon, held.lat):
            return Verdict.LATE, DUPLICATE
        if fix.at_ms <= held.at_ms:
            return Verdict.LATE, "older_than_last"
        if self._jumps(held, fix):
            # Two wild fixes that agree with each other: it was the one before that lied.
            suspect = self._suspect.get(fix.unit_id)
            believed = suspect is not None and suspect.at_ms < fix.at_ms
            if suspect is None or not believed or self._jumps(suspect, fix):
                self._suspect[fix.unit_id] = fix
                return Verdict.REJECTED, "impossible_speed"
        return Verdict.ACCEPTED, ""

    def _unsound(self, fix: Fix, now_ms: UnixMs) -> str:
        """Why a fix cannot be believed, whatever was before it; "" when it can."""
        west, south, east, north = self._bounds
        age_s = (now_ms - fix.at_ms) / 1000
        checks = (
            (fix.unit_id not in self._units, "unknown_unit"),
            (fix.mock, "mock"),
            (not (isfinite(fix.lon) and isfinite(fix.lat)), "not_a_position"),
            (not (west <= fix.lon <= east and south <= fix.lat <= north), "out_of_range"),
            (age_s < -self._rules.future_max_s, FUTURE),
            (age_s > self._rules.past_max_s, "too_old"),
        )
        return next((reason for wrong, reason in checks if wrong), "")

    def _jumps(self, before: Fix, after: Fix) -> bool:
        moved_m = distance_m(before.lon, before.lat, after.lon, after.lat)
        took_s = max((after.at_ms - before.at_ms) / 1000, 0.001)
        return moved_m > self._rules.jump_min_m and moved_m / took_s > self._rules.speed_max_mps


def _tells(result: FixResult) -> bool:
    """Whether others have to know the fix: where a unit is or was, or what its clock shows."""
    if result.verdict is Verdict.REJECTED:
        return result.reason == FUTURE
    return result.reason != DUPLICATE


def bounds_around(graph: RoadGraph) -> Bounds:
    """Where positions are believed: the network's box and `POSITION_MARGIN_DEG` around it."""
    return (
        float(graph.node_lon.min()) - POSITION_MARGIN_DEG,
        float(graph.node_lat.min()) - POSITION_MARGIN_DEG,
        float(graph.node_lon.max()) + POSITION_MARGIN_DEG,
        float(graph.node_lat.max()) + POSITION_MARGIN_DEG,
    )
