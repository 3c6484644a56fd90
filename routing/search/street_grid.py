"""The streets that take stands, as straight segments in a grid of cells."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.geometry import M_PER_DEGREE, metres_per_lon, steps_m
from routing.graph import ArcFlag, RoadGraph

HEADING_SLACK_M: Final = 20.0
"""ASSUMPTION: with a heading, a street this much farther off is taken when it fits the heading:
the error of a GPS fix among houses."""
HEADING_FITS_DEG: Final = 60.0

_CELL_M: Final = 150.0
_CELLS_MAX: Final = 4_000_000


class StreetGrid(NamedTuple):
    """Straight stretches of the streets, one direction of a pair only, and where they lie.

    S segments, C columns and R rows of cells.

    Attributes:
        line: Start and end of each segment, (lon, lat, lon, lat), float64 (S, 4).
        arc: The arc it belongs to, int32 (S).
        other: The arc of the other direction, -1 where it takes no stand, int32 (S).
        along_m: Metres from the arc's start to the segment's start, scaled to the arc's length,
            float64 (S).
        length_m: Metres of the segment, scaled likewise, float64 (S).
        cell_start: First item of each cell in `cell_segment`, row by row, int64 (R * C + 1).
        cell_segment: Segments whose box touches the cell, int32.
        origin: South-western corner, (lon, lat), float64 (2).
        cell: Width and height of a cell in degrees, float64 (2).
        shape: (C, R), int64 (2).
    """

    line: NDArray[np.float64]
    arc: NDArray[np.int32]
    other: NDArray[np.int32]
    along_m: NDArray[np.float64]
    length_m: NDArray[np.float64]
    cell_start: NDArray[np.int64]
    cell_segment: NDArray[np.int32]
    origin: NDArray[np.float64]
    cell: NDArray[np.float64]
    shape: NDArray[np.int64]


class StreetPoint(NamedTuple):
    """The point of a street that is nearest to another point.

    Attributes:
        segment: -1 where no street is near enough; the rest then means nothing.
        distance_m: Metres between the two points.
        at_m: Metres from the start of the segment's arc.
        lon: Longitude on the street.
        lat: Latitude on the street.
        bearing_deg: Compass bearing of the segment.
    """

    segment: int
    distance_m: float
    at_m: float
    lon: float
    lat: float
    bearing_deg: float


def street_grid(graph: RoadGraph) -> StreetGrid:
    """The streets of a network that take stands."""
    points = graph.geom_lonlat
    origin = points.min(axis=0) if len(points) else np.zeros(2)
    size = (points.max(axis=0) - origin) if len(points) else np.zeros(2)
    middle_lat = float(origin[1] + size[1] / 2)
    size_m = size * (metres_per_lon(middle_lat), M_PER_DEGREE)
    cell_m = max(_CELL_M, math.sqrt(float(size_m[0] * size_m[1]) / _CELLS_MAX))
    cell = np.array([cell_m / metres_per_lon(middle_lat), cell_m / M_PER_DEGREE])
    shape = np.floor(size / cell).astype(np.int64) + 1
    arc, line, along_m, length_m = _segments(graph)
    low, high = np.minimum(line[:, :2], line[:, 2:]), np.maximum(line[:, :2], line[:, 2:])
    cell_start, cell_segment = _fill(
        _cells_of(low, origin, cell, shape), _cells_of(high, origin, cell, shape), shape
    )
    reverse = graph.arc_reverse[arc]
    other = np.where((reverse >= 0) & graph.arc_core[reverse], reverse, -1).astype(np.int32)
    return StreetGrid(
        line, arc, other, along_m, length_m, cell_start, cell_segment, origin, cell, shape
    )


def _segments(
    graph: RoadGraph,
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Arc, line, metres before and length of each segment."""
    reverse = graph.arc_reverse
    taken = graph.arc_core & ((graph.arc_flags & ArcFlag.NO_CAR) == 0)
    # Both directions share one line: the second would only double the work.
    first = (reverse < 0) | (np.arange(graph.arc_count) < reverse) | ~taken[reverse]
    chosen = taken & first
    points = np.diff(graph.geom_start)
    arc_of_point = np.repeat(np.arange(graph.arc_count, dtype=np.int32), points)
    step_m = np.append(steps_m(graph.geom_lonlat), 0.0)
    last_point = graph.geom_start[1:] - 1
    step_m[last_point[points > 0]] = 0.0
    before = np.cumsum(step_m) - step_m
    along = before - before[graph.geom_start[:-1]][arc_of_point]
    drawn_m = np.bincount(arc_of_point, weights=step_m, minlength=graph.arc_count)
    scale = graph.arc_length_m / np.where(drawn_m > 0, drawn_m, 1)
    inside = np.ones(len(arc_of_point), dtype=bool)
    inside[last_point] = False
    start = np.flatnonzero(inside & chosen[arc_of_point])
    arc = arc_of_point[start]
    line = np.hstack([graph.geom_lonlat[start], graph.geom_lonlat[start + 1]])
    return arc, line, along[start] * scale[arc], step_m[start] * scale[arc]


def _cells_of(
    lonlat: NDArray[np.float64],
    origin: NDArray[np.float64],
    cell: NDArray[np.float64],
    shape: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Column and row of points, (points, 2)."""
    clipped: NDArray[np.int64] = np.clip(
        np.floor((lonlat - origin) / cell).astype(np.int64), 0, shape - 1
    )
    return clipped


def _fill(
    low: NDArray[np.int64], high: NDArray[np.int64], shape: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Put each segment into all cells that its box touches."""
    wide = high - low + 1
    count = wide[:, 0] * wide[:, 1]
    segment = np.repeat(np.arange(len(count), dtype=np.int32), count)
    nth = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    columns = wide[segment, 0]
    cell = (low[segment, 1] + nth // columns) * shape[0] + low[segment, 0] + nth % columns
    order = np.argsort(cell, kind="stable")
    start = np.zeros(int(shape[0] * shape[1]) + 1, dtype=np.int64)
    np.cumsum(np.bincount(cell, minlength=len(start) - 1), out=start[1:])
    return start, segment[order]
