"""Ways by road: timing, drawing and describing a list of arcs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnknownRoad
from routing.geometry import cut_line
from routing.graph import RoadGraph, TurnKind
from routing.search.arrays import CLOSED_MS
from routing.stands import Stand, share_of

DEPART: Final = "depart"
ARRIVE: Final = "arrive"
_TURN_NAMES: Final = {int(kind): kind.name.lower() for kind in TurnKind}
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


class _Leg(NamedTuple):
    """One arc of a way: the share of it that is driven, the turn into it (-1 at the start).

    `travel_ms` counts both; None when one of them is closed.
    """

    arc: int
    from_share: float
    to_share: float
    turn: int
    travel_ms: int | None


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
    known = [leg.travel_ms for leg in _legs(graph, present, arcs, start, end)]
    return None if None in known else sum(ms for ms in known if ms is not None)


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
    legs = _legs(graph, present, arcs, start, end)
    if any(leg.travel_ms is None for leg in legs):
        return None
    steps = _steps(graph, legs)
    length_m = sum(step.length_m for step in steps)
    travel_ms = sum(step.travel_ms for step in steps)
    return Route(_geometry(graph, legs), length_m, travel_ms, steps)


def _legs(
    graph: RoadGraph, present: Milliseconds, arcs: Sequence[int], start: Stand, end: Stand
) -> list[_Leg]:
    """The way arc by arc. Arrays are read once for all arcs: one by one costs ten times more."""
    if not arcs or arcs[0] != start.arc or arcs[-1] != end.arc:
        raise UnknownRoad("a way begins on the arc of its start and ends on the arc of its end")
    from_share, to_share = (share_of(stand, graph.arc_length_m) for stand in (start, end))
    if len(arcs) == 1 and from_share > to_share:
        raise UnknownRoad("a way of one arc cannot run backwards; it must go round")
    turns = _turns_along(graph, arcs)
    whole_ms = present.arc_ms[np.array(arcs)].tolist()
    turn_ms = [0, *present.turn_ms[np.array(turns[1:], dtype=np.intp)].tolist()]
    last = len(arcs) - 1
    legs = []
    for place, arc in enumerate(arcs):
        first = from_share if place == 0 else 0.0
        until = to_share if place == last else 1.0
        ms: int | None = None
        if whole_ms[place] < CLOSED_MS and turn_ms[place] < CLOSED_MS:
            driven = part_ms(whole_ms[place], until) - part_ms(whole_ms[place], first)
            ms = turn_ms[place] + driven
        legs.append(_Leg(arc, first, until, turns[place], ms))
    return legs


def _turns_along(graph: RoadGraph, arcs: Sequence[int]) -> list[int]:
    """The turn into each arc from the one before, -1 for the first."""
    if not 0 <= min(arcs) <= max(arcs) < graph.arc_count:
        raise UnknownRoad("a way holds an arc that is not in this network; ask for the way again")
    index = np.array(arcs)
    first, end = graph.turn_start[index].tolist(), graph.turn_start[index + 1].tolist()
    turns = [-1]
    for place, after in enumerate(arcs[1:]):
        options = graph.turn_to[first[place] : end[place]].tolist()
        if after not in options:
            raise UnknownRoad(
                f"no turn leads from arc {arcs[place]} into arc {after}; ask for the way again"
            )
        turns.append(first[place] + options.index(after))
    return turns


def _geometry(graph: RoadGraph, legs: Sequence[_Leg]) -> tuple[tuple[float, float], ...]:
    geometry: list[tuple[float, float]] = []
    for leg in legs:
        if leg.from_share == 0.0 and leg.to_share == 1.0:
            line = [(lon, lat) for lon, lat in graph.arc_line(leg.arc).tolist()]
        else:
            line = cut_line(graph.arc_line(leg.arc), leg.from_share, leg.to_share)
        geometry.extend(line[1:] if geometry else line)
    return tuple(geometry)


def _steps(graph: RoadGraph, legs: Sequence[_Leg]) -> tuple[RouteStep, ...]:
    """One step for each street: legs are put together while the street goes on."""
    arcs = np.array([leg.arc for leg in legs])
    names = [graph.names[name] for name in graph.arc_name[arcs].tolist()]
    lengths_m = graph.arc_length_m[arcs].tolist()
    turns = np.array([leg.turn for leg in legs[1:]], dtype=np.intp)
    kinds = [-1, *graph.turn_kind[turns].tolist()]
    steps: list[RouteStep] = []
    road, turn, length_m, travel_ms = names[0], DEPART, 0.0, 0
    for place, leg in enumerate(legs):
        goes_on = names[place] == road and kinds[place] in _ALONG
        if place > 0 and not goes_on:
            steps.append(RouteStep(road, length_m, travel_ms, turn))
            road, turn = names[place], _TURN_NAMES[kinds[place]]
            length_m, travel_ms = 0.0, 0
        length_m += (leg.to_share - leg.from_share) * lengths_m[place]
        travel_ms += leg.travel_ms or 0
    steps.append(RouteStep(road, length_m, travel_ms, turn))
    return (*steps, RouteStep(road, 0.0, 0, ARRIVE))
