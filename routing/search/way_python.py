"""The drawing of a known way in plain Python: the twin of `kernel_way`."""

# The arguments are those of `kernel_way`, by position as there.
# ruff: noqa: PLR0917

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.geometry import cut_line
from routing.graph import TurnKind
from routing.search.arrays import CLOSED_MS, FollowedWay, WayArrays

_ALONG: Final = frozenset({TurnKind.STRAIGHT, TurnKind.SLIGHT_LEFT, TurnKind.SLIGHT_RIGHT})
_NONE: Final = -1


class _Leg(NamedTuple):
    """One arc of a way: the share of it that is driven, the turn into it (-1 at the start).

    `travel_ms` counts both; `CLOSED_MS` when one of them is closed.
    """

    arc: int
    from_share: float
    to_share: float
    turn: int
    travel_ms: int


def part_ms(whole_ms: int, share: float) -> int:
    """Milliseconds from an arc's start to a share of it; see `arrays`."""
    return int(whole_ms * share + 0.5)


def follow(
    ways: WayArrays,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    arcs: Sequence[int],
    from_share: float,
    to_share: float,
) -> FollowedWay:
    """Time and draw a known way; see `kernel_way.follow`."""
    turns = _turns_along(ways, arcs)
    if len(turns) < len(arcs):
        return _undrawn(len(turns) - 1, 0)
    last = len(arcs) - 1
    legs = []
    for place, (arc, turn) in enumerate(zip(arcs, turns, strict=True)):
        first = from_share if place == 0 else 0.0
        until = to_share if place == last else 1.0
        whole = int(arc_ms[arc])
        turning = int(turn_ms[turn]) if place > 0 else 0
        if max(whole, turning) >= CLOSED_MS:
            return _undrawn(_NONE, CLOSED_MS)
        ms = turning + part_ms(whole, until) - part_ms(whole, first)
        legs.append(_Leg(arc, first, until, turn, ms))
    steps, step_m = _steps(ways, legs)
    lon, lat = zip(*_geometry(ways, legs), strict=True)
    return FollowedWay(
        _NONE,
        sum(leg.travel_ms for leg in legs),
        np.array(steps, dtype=np.int64),
        np.array(step_m),
        np.array(lon),
        np.array(lat),
    )


def _undrawn(broken_at: int, travel_ms: int) -> FollowedWay:
    nothing = np.empty(0)
    no_step = np.empty((0, 3), dtype=np.int64)
    return FollowedWay(broken_at, travel_ms, no_step, nothing, nothing, nothing)


def _turns_along(ways: WayArrays, arcs: Sequence[int]) -> list[int]:
    """The turn into each arc from the one before, -1 for the first; ends where none leads on."""
    turns = [_NONE]
    for arc, after in pairwise(arcs):
        first, end = ways.turn_start[arc : arc + 2].tolist()
        options = ways.turn_to[first:end].tolist()
        if after not in options:
            break
        turns.append(first + options.index(after))
    return turns


def _geometry(ways: WayArrays, legs: Sequence[_Leg]) -> list[tuple[float, float]]:
    geometry: list[tuple[float, float]] = []
    for leg in legs:
        points = ways.geom_lonlat[ways.geom_start[leg.arc] : ways.geom_start[leg.arc + 1]]
        if leg.from_share == 0.0 and leg.to_share == 1.0:
            line = [(lon, lat) for lon, lat in points.tolist()]
        else:
            line = cut_line(points, leg.from_share, leg.to_share)
        geometry.extend(line[1:] if geometry else line)
    return geometry


def _steps(ways: WayArrays, legs: Sequence[_Leg]) -> tuple[list[list[int]], list[float]]:
    """One step for each street: legs are put together while the street goes on."""
    steps: list[list[int]] = []
    step_m: list[float] = []
    for leg in legs:
        name = int(ways.arc_name[leg.arc])
        kind = int(ways.turn_kind[leg.turn]) if steps else _NONE
        if not steps or steps[-1][0] != name or kind not in _ALONG:
            steps.append([name, kind, 0])
            step_m.append(0.0)
        steps[-1][2] += leg.travel_ms
        step_m[-1] += (leg.to_share - leg.from_share) * float(ways.length_m[leg.arc])
    return steps, step_m
