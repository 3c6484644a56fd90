"""Ways by road: timing, drawing and describing a list of arcs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnknownRoad
from routing.geometry import cut_line
from routing.graph import RoadGraph, TurnKind
from routing.search.arrays import CLOSED_MS
from routing.stands import Stand, share_of

DEPART: Final = "depart"
ARRIVE: Final = "arrive"
_ALONG: Final = frozenset({TurnKind.STRAIGHT, TurnKind.SLIGHT_LEFT, TurnKind.SLIGHT_RIGHT})


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One stretch of a route.

    Attributes:
        road: Street name, "" where it has none.
        length_m: Metres on it.
        travel_ms: Milliseconds on it, the turn into it included.
        turn: How it is entered: `depart`, `straight`, `slight_right`, `right`, `sharp_right`,
            `u_turn`, `sharp_left`, `left`, `slight_left`, or `arrive` (a last step of no length).
    """

    road: str
    length_m: float
    travel_ms: int
    turn: str


@dataclass(frozen=True, slots=True)
class Route:
    """A way by road, drawn and described.

    Attributes:
        geometry: Points (lon, lat), cut at the stands; at least two.
        length_m: Sum of the steps' lengths.
        travel_ms: Sum of the steps' times.
        steps: From `depart` to `arrive`.
    """

    geometry: tuple[tuple[float, float], ...]
    length_m: float
    travel_ms: int
    steps: tuple[RouteStep, ...]


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """One profile's weights: `arc_ms` int32 (A) and `turn_ms` int32 (T)."""

    arc_ms: NDArray[np.int32]
    turn_ms: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Leg:
    """One arc of a way: the share of it that is driven, and the turn into it (-1 at the start)."""

    arc: int
    from_share: float
    to_share: float
    turn: int


def part_ms(whole_ms: int, share: float) -> int:
    """Milliseconds from an arc's start to a share of it; see `search_arrays`."""
    return int(whole_ms * share + 0.5)


def travel_ms_of(
    graph: RoadGraph,
    present: Milliseconds,
    arcs: Sequence[int],
    start: Stand,
    end: Stand,
) -> int | None:
    """Time of a given way; None when an arc or turn on it is closed.

    Raises:
        UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
    """
    times = [_leg_ms(leg, present) for leg in _legs(graph, arcs, start, end)]
    known = [ms for ms in times if ms is not None]
    return sum(known) if len(known) == len(times) else None


def draw_route(
    graph: RoadGraph,
    present: Milliseconds,
    arcs: Sequence[int],
    start: Stand,
    end: Stand,
) -> Route | None:
    """Draw, time and describe a given way; None when an arc or turn on it is closed.

    Raises:
        UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
    """
    geometry: list[tuple[float, float]] = []
    steps: list[RouteStep] = []
    for leg in _legs(graph, arcs, start, end):
        ms = _leg_ms(leg, present)
        if ms is None:
            return None
        line = _drawn(graph, leg)
        geometry.extend(line if not geometry else line[1:])
        _add_step(graph, steps, leg, ms)
    steps.append(RouteStep(steps[-1].road, 0.0, 0, ARRIVE))
    length_m = sum(step.length_m for step in steps)
    return Route(tuple(geometry), length_m, sum(step.travel_ms for step in steps), tuple(steps))


def _drawn(graph: RoadGraph, leg: _Leg) -> list[tuple[float, float]]:
    line = graph.arc_line(leg.arc)
    if leg.from_share == 0.0 and leg.to_share == 1.0:
        return [(lon, lat) for lon, lat in line.tolist()]
    return cut_line(line, leg.from_share, leg.to_share)


def _add_step(graph: RoadGraph, steps: list[RouteStep], leg: _Leg, ms: int) -> None:
    """Lengthen the last step while the street goes on, else begin a new one."""
    road = graph.names[graph.arc_name[leg.arc]]
    length_m = (leg.to_share - leg.from_share) * float(graph.arc_length_m[leg.arc])
    if leg.turn < 0:
        steps.append(RouteStep(road, length_m, ms, DEPART))
        return
    kind = TurnKind(graph.turn_kind[leg.turn])
    last = steps[-1]
    if kind in _ALONG and last.road == road:
        length_m += last.length_m
        steps[-1] = RouteStep(road, length_m, last.travel_ms + ms, last.turn)
    else:
        steps.append(RouteStep(road, length_m, ms, kind.name.lower()))


def _legs(graph: RoadGraph, arcs: Sequence[int], start: Stand, end: Stand) -> list[_Leg]:
    if not arcs or arcs[0] != start.arc or arcs[-1] != end.arc:
        raise UnknownRoad("a way begins on the arc of its start and ends on the arc of its end")
    from_share, to_share = (share_of(stand, graph.arc_length_m) for stand in (start, end))
    if len(arcs) == 1 and from_share > to_share:
        raise UnknownRoad("a way of one arc cannot run backwards; it must go round")
    legs = []
    for place, arc in enumerate(arcs):
        turn = -1 if place == 0 else _turn_between(graph, arcs[place - 1], arc)
        first = from_share if place == 0 else 0.0
        last = to_share if place == len(arcs) - 1 else 1.0
        legs.append(_Leg(arc, first, last, turn))
    return legs


def _turn_between(graph: RoadGraph, arc: int, after: int) -> int:
    if 0 <= arc < graph.arc_count:
        first, end = int(graph.turn_start[arc]), int(graph.turn_start[arc + 1])
        for turn in range(first, end):
            if graph.turn_to[turn] == after:
                return turn
    raise UnknownRoad(f"no turn leads from arc {arc} into arc {after}; ask for the way again")


def _leg_ms(leg: _Leg, present: Milliseconds) -> int | None:
    whole = int(present.arc_ms[leg.arc])
    turn = 0 if leg.turn < 0 else int(present.turn_ms[leg.turn])
    if whole >= CLOSED_MS or turn >= CLOSED_MS:
        return None
    return turn + part_ms(whole, leg.to_share) - part_ms(whole, leg.from_share)
