"""The compiled drawing of a known way: its times, its streets and its line in one go."""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.geometry import M_PER_DEGREE
from routing.graph import TurnKind
from routing.search.arrays import CLOSED_MS, FollowedWay, WayArrays
from routing.search.compiled import compiled
from routing.search.kernel_buckets import NONE, part

_ALONG: Final = (
    int(TurnKind.STRAIGHT),
    int(TurnKind.SLIGHT_LEFT),
    int(TurnKind.SLIGHT_RIGHT),
)


@compiled
def _turn_between(turn_start, turn_to, arc, after):
    """The turn from an arc into another, `NONE` where there is none."""
    for turn in range(turn_start[arc], turn_start[arc + 1]):
        if turn_to[turn] == after:
            return turn
    return NONE


@compiled
def _steps(ways, arc_ms, turn_ms, arcs, from_share, to_share, step, step_m):
    """Time the arcs, those of one street together; returns what is broken, the time, the steps."""
    last, count, travel_ms, name = arcs.shape[0] - 1, 0, 0, np.int64(NONE)
    for place in range(last + 1):
        arc = arcs[place]
        kind, ms, goes_on = np.int64(NONE), np.int64(0), False
        if place > 0:
            turn = _turn_between(ways.turn_start, ways.turn_to, arcs[place - 1], arc)
            if turn == NONE:
                return place - 1, 0, 0
            kind, ms = np.int64(ways.turn_kind[turn]), np.int64(turn_ms[turn])
            goes_on = kind in _ALONG and ways.arc_name[arc] == name
        first = from_share if place == 0 else 0.0
        until = to_share if place == last else 1.0
        whole = arc_ms[arc]
        if whole >= CLOSED_MS or ms >= CLOSED_MS:
            travel_ms = CLOSED_MS
        ms += part(whole, until) - part(whole, first)
        if not goes_on:
            name = np.int64(ways.arc_name[arc])
            step[count, 0], step[count, 1], step[count, 2], step_m[count] = name, kind, 0, 0.0
            count += 1
        step[count - 1, 2] += ms
        step_m[count - 1] += (until - first) * ways.length_m[arc]
        if travel_ms < CLOSED_MS:
            travel_ms += ms
    return NONE, travel_ms, count


@compiled
def _point_at(line, along, metres, lon, lat, count):
    """Put down the point so many metres along a line; see `routing.geometry.cut_line`."""
    after = 1
    while after < line.shape[0] - 1 and along[after] <= metres:
        after += 1
    step_m = along[after] - along[after - 1]
    share = (metres - along[after - 1]) / step_m if step_m > 0 else 0.0
    share = min(max(share, 0.0), 1.0)
    lon[count] = line[after - 1, 0] + share * (line[after, 0] - line[after - 1, 0])
    lat[count] = line[after - 1, 1] + share * (line[after, 1] - line[after - 1, 1])


@compiled
def _cut(line, from_share, to_share, lon, lat, count):
    """Put down the stretch of a line between two shares of its length; returns the points."""
    along = np.zeros(line.shape[0], np.float64)
    for point in range(1, line.shape[0]):
        squeeze = math.cos(math.radians((line[point - 1, 1] + line[point, 1]) / 2))
        east = (line[point, 0] - line[point - 1, 0]) * squeeze
        north = line[point, 1] - line[point - 1, 1]
        along[point] = along[point - 1] + math.sqrt(east * east + north * north) * M_PER_DEGREE
    first_m, last_m = from_share * along[-1], to_share * along[-1]
    _point_at(line, along, first_m, lon, lat, count)
    count += 1
    for point in range(line.shape[0]):
        if first_m < along[point] < last_m:
            lon[count], lat[count] = line[point, 0], line[point, 1]
            count += 1
    _point_at(line, along, last_m, lon, lat, count)
    return count + 1


@compiled
def _line(ways, arcs, from_share, to_share):
    """The line of the way, cut at both ends."""
    last, room = arcs.shape[0] - 1, 0
    for arc in arcs:
        # A cut line may have two points more than the whole.
        room += ways.geom_start[arc + 1] - ways.geom_start[arc] + 2
    lon, lat, count = np.empty(room, np.float64), np.empty(room, np.float64), 0
    for place in range(last + 1):
        arc = arcs[place]
        line = ways.geom_lonlat[ways.geom_start[arc] : ways.geom_start[arc + 1]]
        first = from_share if place == 0 else 0.0
        until = to_share if place == last else 1.0
        # Lines meet in a point, which is put down once: the later line's lands on the earlier's.
        joint_lon, joint_lat = lon[count - 1], lat[count - 1]
        begin = max(count - 1, 0)
        if first == 0.0 and until == 1.0:
            for point in range(line.shape[0]):
                lon[begin + point], lat[begin + point] = line[point, 0], line[point, 1]
            end = begin + line.shape[0]
        else:
            end = _cut(line, first, until, lon, lat, begin)
        if count > 0:
            lon[begin], lat[begin] = joint_lon, joint_lat
        count = end
    return lon[:count], lat[:count]


@compiled
def _follow(ways, arc_ms, turn_ms, arcs, from_share, to_share):
    step = np.empty((arcs.shape[0], 3), np.int64)
    step_m = np.empty(arcs.shape[0], np.float64)
    broken_at, travel_ms, count = _steps(
        ways, arc_ms, turn_ms, arcs, from_share, to_share, step, step_m
    )
    if broken_at != NONE or travel_ms >= CLOSED_MS:
        nothing = np.empty(0, np.float64)
        return broken_at, travel_ms, step[:0], step_m[:0], nothing, nothing
    lon, lat = _line(ways, arcs, from_share, to_share)
    return broken_at, travel_ms, step[:count], step_m[:count], lon, lat


def follow(
    ways: WayArrays,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    arcs: Sequence[int],
    from_share: float,
    to_share: float,
) -> FollowedWay:
    """Time and draw a known way.

    Args:
        ways: The roads.
        arc_ms: One profile's milliseconds, int32 (A).
        turn_ms: The same profile's, in the order of `ways.turn_to`, int32 (T).
        arcs: The way, at least one arc; all of this network.
        from_share: Where it begins on the first arc, 0 to 1.
        to_share: Where it ends on the last arc; not before `from_share` on a way of one arc.
    """
    followed = _follow(ways, arc_ms, turn_ms, np.array(arcs, np.int64), from_share, to_share)
    return FollowedWay(*followed)
