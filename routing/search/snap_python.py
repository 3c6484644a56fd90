"""The search for the street nearest to a point over numpy arrays: the twin of `kernel_snap`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.geometry import M_PER_DEGREE, bend_deg, metres_per_lon
from routing.search.street_grid import (
    HEADING_FITS_DEG,
    HEADING_SLACK_M,
    StreetGrid,
    StreetPoint,
)


class _Nearest(NamedTuple):
    """Segments near a point: which, how far in metres, and the share of the segment, each (n)."""

    segment: NDArray[np.int32]
    distance_m: NDArray[np.float64]
    share: NDArray[np.float64]


def nearest_street(
    grid: StreetGrid, lon: float, lat: float, heading_deg: float, max_m: float
) -> StreetPoint:
    """The nearest street to a point; see `kernel_snap.nearest_street`."""
    near = _near(grid, lon, lat, max_m)
    best = int(near.distance_m.argmin()) if len(near.segment) else -1
    if best < 0 or near.distance_m[best] > max_m:
        return StreetPoint(-1, 0.0, 0.0, 0.0, 0.0, 0.0)
    if not math.isnan(heading_deg):
        best = _fitting(grid, near, best, heading_deg, max_m)
    segment, share = int(near.segment[best]), float(near.share[best])
    foot = grid.line[segment, :2] * (1 - share) + grid.line[segment, 2:] * share
    return StreetPoint(
        segment=segment,
        distance_m=float(near.distance_m[best]),
        at_m=float(grid.along_m[segment] + share * grid.length_m[segment]),
        lon=float(foot[0]),
        lat=float(foot[1]),
        bearing_deg=_bearing(grid, segment),
    )


def _near(grid: StreetGrid, lon: float, lat: float, max_m: float) -> _Nearest:
    """All segments in the rings that may hold the nearest, and those the heading may take."""
    cell_m = float(grid.cell[1]) * M_PER_DEGREE
    rings = 1
    while True:
        near = _measure(grid, _in_rings(grid, lon, lat, rings), lon, lat)
        # Whatever lies outside the rings is farther off than this.
        seen_m = _seen_m(grid, lon, lat, rings)
        nearest_m = float(near.distance_m.min()) if len(near.segment) else math.inf
        if min(nearest_m + HEADING_SLACK_M, max_m) <= seen_m:
            return near
        rings = max(rings + 1, math.ceil(min(nearest_m, max_m) / cell_m) + 1)
        if rings > grid.shape.max() + max_m / cell_m + 2:
            return near


def _place(grid: StreetGrid, lon: float, lat: float) -> tuple[int, int]:
    """Column and row of a point, which may lie outside the grid."""
    column = math.floor((lon - grid.origin[0]) / grid.cell[0])
    return column, math.floor((lat - grid.origin[1]) / grid.cell[1])


def _seen_m(grid: StreetGrid, lon: float, lat: float, rings: int) -> float:
    """Metres from the point to the edge of the rings around it."""
    column, row = _place(grid, lon, lat)
    west = lon - (grid.origin[0] + (column - rings) * grid.cell[0])
    south = lat - (grid.origin[1] + (row - rings) * grid.cell[1])
    wide = (2 * rings + 1) * grid.cell
    across = min(west, wide[0] - west) * metres_per_lon(lat)
    return float(min(across, min(south, wide[1] - south) * M_PER_DEGREE))


def _in_rings(grid: StreetGrid, lon: float, lat: float, rings: int) -> NDArray[np.int32]:
    column, row = _place(grid, lon, lat)
    columns, rows = grid.shape.tolist()
    west, east = max(0, column - rings), min(columns - 1, column + rings)
    if west > east:
        return grid.cell_segment[:0]
    starts = grid.cell_start
    found = [
        grid.cell_segment[starts[line * columns + west] : starts[line * columns + east + 1]]
        for line in range(max(0, row - rings), min(rows - 1, row + rings) + 1)
    ]
    return np.concatenate(found) if found else grid.cell_segment[:0]


def _measure(grid: StreetGrid, segment: NDArray[np.int32], lon: float, lat: float) -> _Nearest:
    metres = np.array([metres_per_lon(lat), M_PER_DEGREE])
    line = grid.line[segment]
    start = (line[:, :2] - (lon, lat)) * metres
    step = (line[:, 2:] - line[:, :2]) * metres
    square = (step * step).sum(axis=1)
    dot = -(start * step).sum(axis=1)
    share = np.clip(dot / np.where(square > 0, square, 1), 0, 1)
    foot = start + share[:, None] * step
    return _Nearest(segment, np.hypot(foot[:, 0], foot[:, 1]), share)


def _fitting(grid: StreetGrid, near: _Nearest, best: int, heading_deg: float, max_m: float) -> int:
    """The nearest segment that runs with the heading; the nearest of all when none does."""
    reach_m = min(float(near.distance_m[best]) + HEADING_SLACK_M, max_m)
    for item in np.argsort(near.distance_m, kind="stable").tolist():
        if near.distance_m[item] > reach_m:
            break
        segment = int(near.segment[item])
        bend = bend_deg(_bearing(grid, segment), heading_deg)
        two_way = grid.other[segment] >= 0
        if (min(bend, 180 - bend) if two_way else bend) <= HEADING_FITS_DEG:
            return int(item)
    return best


def _bearing(grid: StreetGrid, segment: int) -> float:
    start_lon, start_lat, end_lon, end_lat = grid.line[segment].tolist()
    east = (end_lon - start_lon) * math.cos(math.radians(start_lat))
    return math.degrees(math.atan2(east, end_lat - start_lat)) % 360
