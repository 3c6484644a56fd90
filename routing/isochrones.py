"""Areas that can be reached in time: the streets reached, painted on a grid and traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from routing.geometry import M_PER_DEGREE, metres_per_lon, steps_m
from routing.graph import RoadGraph
from routing.search.arrays import CLOSED_MS
from routing.stands import Snap, share_of

_CELL_M: Final = 25.0
_CELLS_ACROSS_MAX: Final = 800
_TINY_M: Final = 1e-9
_BRUSH_CELLS: Final = 2
"""A street is painted this many cells wide to each side: 50 m, the depth of a block of houses."""


class _Samples(NamedTuple):
    """Points on the streets: lon/lat (n, 2) and the milliseconds when each is reached (n)."""

    lonlat: NDArray[np.float64]
    ms: NDArray[np.float64]


def isochrone_polygons(
    graph: RoadGraph,
    arc_ms: NDArray[np.int32],
    entry_ms: NDArray[np.int32],
    origin: Snap,
    seconds: Sequence[float],
) -> list[Polygon | MultiPolygon]:
    """The areas within so many seconds of a place.

    Args:
        graph: The roads.
        arc_ms: Milliseconds per arc, int32 (A).
        entry_ms: When each arc can be entered, `CLOSED_MS` where not in time, int32 (A).
        origin: The place.
        seconds: Limits.

    Returns:
        One area per limit in WGS-84; a longer limit's area holds every shorter one's.
    """
    centre = np.array([origin.snapped_lon, origin.snapped_lat])
    samples = _sample(graph, arc_ms, entry_ms, origin)
    metres = np.array([metres_per_lon(origin.snapped_lat), M_PER_DEGREE])
    east_north = (samples.lonlat - centre) * metres
    within = samples.ms <= 1000 * max(seconds)
    low, high = east_north[within].min(axis=0), east_north[within].max(axis=0)
    cell_m = max(_CELL_M, float((high - low).max()) / _CELLS_ACROSS_MAX)
    margin = _BRUSH_CELLS + 1
    shape = np.floor((high - low) / cell_m).astype(int) + 1 + 2 * margin
    cell = np.floor((east_north - low) / cell_m).astype(int) + margin
    corner = low - margin * cell_m
    areas: dict[float, Polygon | MultiPolygon] = {}
    area: Polygon | MultiPolygon = Polygon()
    for limit_s in sorted(set(seconds)):
        painted = np.zeros((shape[1], shape[0]), dtype=bool)
        reached = cell[samples.ms <= 1000 * limit_s]
        painted[reached[:, 1], reached[:, 0]] = True
        # With the shorter limits' area, because outlines are simplified one by one.
        area = shapely.union(area, _traced(_brushed(painted), cell_m))
        areas[limit_s] = shapely.transform(
            area, lambda east_north: (east_north + corner) / metres + centre
        )
    return [areas[limit_s] for limit_s in seconds]


def _sample(
    graph: RoadGraph, arc_ms: NDArray[np.int32], entry_ms: NDArray[np.int32], origin: Snap
) -> _Samples:
    """Points along all arcs reached, at most half a cell apart."""
    entered = np.flatnonzero((entry_ms < CLOSED_MS) & (arc_ms < CLOSED_MS))
    open_stands = [stand for stand in origin.stands if arc_ms[stand.arc] < CLOSED_MS]
    own = np.array([stand.arc for stand in open_stands], dtype=np.intp)
    own_share = np.array([share_of(stand, graph.arc_length_m) for stand in open_stands])
    # The origin's own arcs are driven from its stand on, as if entered earlier.
    own_ms = -own_share * arc_ms[own]
    arcs = np.concatenate([entered, own])
    lonlat, ms = _along(graph, arc_ms, arcs, np.concatenate([entry_ms[entered], own_ms]))
    here = np.array([[origin.snapped_lon, origin.snapped_lat]])
    on = ms >= 0
    return _Samples(np.concatenate([lonlat[on], here]), np.append(ms[on], 0.0))


def _along(
    graph: RoadGraph,
    arc_ms: NDArray[np.int32],
    arcs: NDArray[np.intp],
    entry_ms: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points along arcs entered at given moments: lon/lat (n, 2), and when each is passed (n)."""
    points = graph.geom_start[arcs + 1] - graph.geom_start[arcs]
    item = np.repeat(np.arange(len(arcs)), points)
    lonlat = graph.geom_lonlat[graph.geom_start[arcs][item] + _nth(points)]
    step_m = np.append(steps_m(lonlat), 0.0)
    last = np.cumsum(points) - 1
    step_m[last] = 0.0
    drawn_m = np.maximum(np.bincount(item, weights=step_m, minlength=len(arcs)), _TINY_M)
    ms_per_m = (arc_ms[arcs] / drawn_m)[item]
    before_m = np.cumsum(step_m) - step_m
    start_ms = entry_ms[item] + (before_m - before_m[last - points + 1][item]) * ms_per_m
    count = np.ceil(step_m / (_CELL_M / 2)).astype(int) + 1
    piece = np.repeat(np.arange(len(item)), count)
    share = _nth(count) / count[piece]
    following = np.minimum(piece + 1, len(item) - 1)
    forward = (share * (step_m[piece] > 0))[:, None]
    place = lonlat[piece] + forward * (lonlat[following] - lonlat[piece])
    return place, start_ms[piece] + share * step_m[piece] * ms_per_m[piece]


def _nth(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 to count - 1 for each count, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def _brushed(painted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The painted cells and all within the brush of one."""
    wide = painted.copy()
    for shift in range(1, _BRUSH_CELLS + 1):
        wide[:, shift:] |= painted[:, :-shift]
        wide[:, :-shift] |= painted[:, shift:]
    high = wide.copy()
    for shift in range(1, _BRUSH_CELLS + 1):
        high[shift:] |= wide[:-shift]
        high[:-shift] |= wide[shift:]
    return high


def _traced(painted: NDArray[np.bool_], cell_m: float) -> Polygon | MultiPolygon:
    """The outline of the painted cells, in metres from the grid's corner."""
    edge = np.diff(np.pad(painted, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, west = np.nonzero(edge == 1)
    east = np.nonzero(edge == -1)[1]
    boxes = shapely.box(west * cell_m, row * cell_m, east * cell_m, (row + 1) * cell_m)
    return shapely.simplify(shapely.union_all(boxes), cell_m / 2)
