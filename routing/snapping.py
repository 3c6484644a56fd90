"""From a point to the nearest street: a grid of segments, searched ring by ring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import OffNetwork
from routing.geometry import M_PER_DEGREE, bend_deg, metres_per_lon, steps_m
from routing.graph import ArcFlag, RoadGraph
from routing.stands import Snap, Stand

SNAP_MAX_M: Final = 200.0
"""ASSUMPTION: a caller within this of a street means that street; a setting of the service."""

_CELL_M: Final = 150.0
_CELLS_MAX: Final = 4_000_000
_HEADING_SLACK_M: Final = 20.0
"""ASSUMPTION: with a heading, a street this much farther off is taken when it fits the heading:
the error of a GPS fix among houses."""
_HEADING_FITS_DEG: Final = 60.0
_SNAPS_KEPT: Final = 4_096
"""Places kept with their street; when they are too many, all are forgotten."""
_MM: Final = 3
"""Decimals of an offset in metres."""


class _Nearest(NamedTuple):
    """Segments near a point: which, how far in metres, and the share of the segment, each (n)."""

    segment: NDArray[np.intp]
    distance_m: NDArray[np.float64]
    share: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Segments:
    """Straight stretches of the streets, one direction of a pair only; S segments."""

    arc: NDArray[np.int32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    along_m: NDArray[np.float64]
    """Metres from the arc's start to the segment's start, scaled to the arc's length."""
    length_m: NDArray[np.float64]


class StreetIndex:
    """Snaps points to the streets that take stands."""

    def __init__(self, graph: RoadGraph) -> None:
        self._graph = graph
        self._segments = _street_segments(graph)
        points = graph.geom_lonlat
        self._origin = points.min(axis=0) if len(points) else np.zeros(2)
        size = (points.max(axis=0) - self._origin) if len(points) else np.zeros(2)
        middle_lat = float(self._origin[1] + size[1] / 2)
        size_m = size * (metres_per_lon(middle_lat), M_PER_DEGREE)
        cell_m = max(_CELL_M, math.sqrt(float(size_m[0] * size_m[1]) / _CELLS_MAX))
        self._cell = np.array([cell_m / metres_per_lon(middle_lat), cell_m / M_PER_DEGREE])
        self._shape = np.floor(size / self._cell).astype(np.intp) + 1
        self._cell_start, self._cell_segment = self._fill()
        self._kept: dict[tuple[float, float], Snap] = {}

    def snap(
        self, lon: float, lat: float, *, heading_deg: float | None = None, max_m: float = SNAP_MAX_M
    ) -> Snap:
        """Bring a point onto the nearest street.

        Args:
            lon: WGS-84 degrees.
            lat: WGS-84 degrees.
            heading_deg: Compass heading of a moving vehicle: it then stands on one direction only.
            max_m: The farthest street that is accepted.

        Raises:
            OffNetwork: No street within `max_m`; the message names the nearest distance.
        """
        kept = self._kept.get((lon, lat)) if heading_deg is None else None
        if kept is not None and kept.distance_m <= max_m:
            return kept
        near = self._near(lon, lat, max_m)
        best = int(near.distance_m.argmin()) if len(near.segment) else -1
        if best < 0 or near.distance_m[best] > max_m:
            raise self._off_network(lon, lat, max_m)
        if heading_deg is not None:
            best = self._fitting(near, best, heading_deg, max_m)
            return self._snap_to(lon, lat, near, best, heading_deg)
        snap = self._snap_to(lon, lat, near, best, None)
        if len(self._kept) >= _SNAPS_KEPT:
            self._kept.clear()
        # The nearest street is the nearest whatever the limit was: an incident is snapped at the
        # gate and again when units are weighed for it.
        self._kept[lon, lat] = snap
        return snap

    def _fill(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Put each segment into all cells that its box touches."""
        segments = self._segments
        low = self._cell_of(np.minimum(segments.start, segments.end))
        high = self._cell_of(np.maximum(segments.start, segments.end))
        wide = high - low + 1
        count = wide[:, 0] * wide[:, 1]
        segment = np.repeat(np.arange(len(count), dtype=np.int32), count)
        nth = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
        columns = wide[segment, 0]
        cell = (low[segment, 1] + nth // columns) * self._shape[0] + low[segment, 0] + nth % columns
        order = np.argsort(cell, kind="stable")
        start = np.zeros(int(self._shape[0] * self._shape[1]) + 1, dtype=np.int64)
        np.cumsum(np.bincount(cell, minlength=len(start) - 1), out=start[1:])
        return start, segment[order]

    def _cell_of(self, lonlat: NDArray[np.float64]) -> NDArray[np.intp]:
        cell = np.floor((lonlat - self._origin) / self._cell).astype(np.intp)
        clipped: NDArray[np.intp] = np.clip(cell, 0, self._shape - 1)
        return clipped

    def _near(self, lon: float, lat: float, max_m: float) -> _Nearest:
        """All segments in the rings that may hold the nearest, and those the heading may take."""
        cell_m = self._cell[1] * M_PER_DEGREE
        rings = 1
        while True:
            near = self._measure(self._in_rings(lon, lat, rings), lon, lat)
            # Whatever lies outside the rings is farther off than this.
            seen_m = self._seen_m(lon, lat, rings)
            nearest_m = float(near.distance_m.min()) if len(near.segment) else math.inf
            if min(nearest_m + _HEADING_SLACK_M, max_m) <= seen_m:
                return near
            rings = max(rings + 1, math.ceil(min(nearest_m, max_m) / cell_m) + 1)
            if rings > self._shape.max() + max_m / cell_m + 2:
                return near

    def _seen_m(self, lon: float, lat: float, rings: int) -> float:
        """Metres from the point to the edge of the rings around it."""
        column = math.floor((lon - self._origin[0]) / self._cell[0])
        row = math.floor((lat - self._origin[1]) / self._cell[1])
        west = lon - (self._origin[0] + (column - rings) * self._cell[0])
        south = lat - (self._origin[1] + (row - rings) * self._cell[1])
        wide = (2 * rings + 1) * self._cell
        across = min(west, wide[0] - west) * metres_per_lon(lat)
        return float(min(across, min(south, wide[1] - south) * M_PER_DEGREE))

    def _in_rings(self, lon: float, lat: float, rings: int) -> NDArray[np.int32]:
        column = math.floor((lon - self._origin[0]) / self._cell[0])
        row = math.floor((lat - self._origin[1]) / self._cell[1])
        columns, rows = int(self._shape[0]), int(self._shape[1])
        west, east = max(0, column - rings), min(columns - 1, column + rings)
        if west > east:
            return self._cell_segment[:0]
        starts = self._cell_start
        found = [
            self._cell_segment[starts[line * columns + west] : starts[line * columns + east + 1]]
            for line in range(max(0, row - rings), min(rows - 1, row + rings) + 1)
        ]
        return np.concatenate(found) if found else self._cell_segment[:0]

    def _measure(self, segment: NDArray[np.int32], lon: float, lat: float) -> _Nearest:
        segments = self._segments
        metres = np.array([metres_per_lon(lat), M_PER_DEGREE])
        start = (segments.start[segment] - (lon, lat)) * metres
        step = (segments.end[segment] - segments.start[segment]) * metres
        square = (step * step).sum(axis=1)
        dot = -(start * step).sum(axis=1)
        share = np.clip(dot / np.where(square > 0, square, 1), 0, 1)
        foot = start + share[:, None] * step
        return _Nearest(segment.astype(np.intp), np.hypot(foot[:, 0], foot[:, 1]), share)

    def _fitting(self, near: _Nearest, best: int, heading_deg: float, max_m: float) -> int:
        """The nearest segment that runs with the heading; the nearest of all when none does."""
        reach_m = min(float(near.distance_m[best]) + _HEADING_SLACK_M, max_m)
        for item in np.argsort(near.distance_m, kind="stable"):
            if near.distance_m[item] > reach_m:
                break
            bend = bend_deg(self._bearing(int(near.segment[item])), heading_deg)
            two_way = self._other_way(int(near.segment[item])) >= 0
            if (min(bend, 180 - bend) if two_way else bend) <= _HEADING_FITS_DEG:
                return int(item)
        return best

    def _bearing(self, segment: int) -> float:
        step = self._segments.end[segment] - self._segments.start[segment]
        east = step[0] * math.cos(math.radians(self._segments.start[segment, 1]))
        return math.degrees(math.atan2(east, step[1])) % 360

    def _other_way(self, segment: int) -> int:
        """The arc of the other direction, -1 where it takes no stand."""
        reverse = int(self._graph.arc_reverse[self._segments.arc[segment]])
        return reverse if reverse >= 0 and self._graph.arc_core[reverse] else -1

    def _snap_to(
        self, lon: float, lat: float, near: _Nearest, best: int, heading_deg: float | None
    ) -> Snap:
        segments, segment, share = self._segments, int(near.segment[best]), float(near.share[best])
        arc, other = int(segments.arc[segment]), self._other_way(segment)
        exact_m = float(segments.along_m[segment] + share * segments.length_m[segment])
        offset_m = self._on_arc(arc, exact_m)
        stands = [Stand(arc, offset_m)]
        if other >= 0:
            back_m = float(self._graph.arc_length_m[other]) - offset_m
            stands.append(Stand(other, self._on_arc(other, back_m)))
        if heading_deg is not None and other >= 0:
            with_it = bend_deg(self._bearing(segment), heading_deg) <= 90
            stands = stands[:1] if with_it else stands[1:]
        foot = segments.start[segment] * (1 - share) + segments.end[segment] * share
        return Snap(
            lon=lon,
            lat=lat,
            snapped_lon=float(foot[0]),
            snapped_lat=float(foot[1]),
            distance_m=float(near.distance_m[best]),
            road=self._graph.names[self._graph.arc_name[arc]],
            stands=tuple(stands),
        )

    def _on_arc(self, arc: int, metres: float) -> float:
        """Whole millimetres, but never off the arc."""
        return min(max(0.0, round(metres, _MM)), float(self._graph.arc_length_m[arc]))

    def _off_network(self, lon: float, lat: float, max_m: float) -> OffNetwork:
        far = self._measure(np.arange(len(self._segments.arc), dtype=np.int32), lon, lat)
        nearest_m = float(far.distance_m.min()) if len(far.segment) else math.inf
        return OffNetwork(
            f"({lon}, {lat}) is {nearest_m:.0f} m from the nearest road, the limit is"
            f" {max_m:.0f} m. Check the point and its crs, or import a larger network",
            nearest_m=nearest_m,
            limit_m=max_m,
        )


def _street_segments(graph: RoadGraph) -> _Segments:
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
    return _Segments(
        arc=arc,
        start=graph.geom_lonlat[start],
        end=graph.geom_lonlat[start + 1],
        along_m=along[start] * scale[arc],
        length_m=step_m[start] * scale[arc],
    )
