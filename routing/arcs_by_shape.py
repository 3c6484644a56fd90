"""Which arcs a drawn line or area means: for closures and speeds given by geometry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from routing.conditions import Direction
from routing.geometry import M_PER_DEGREE, metres_per_lon
from routing.graph import RoadGraph

BESIDE_M: Final = 12.0
"""ASSUMPTION: a line drawn by hand along a street stays this close to it."""
SAME_M: Final = 3.0
"""ASSUMPTION: a street that was not drawn anew lies this close to itself in another network."""
SAMPLE_M: Final = 5.0
SHARE_MIN: Final = 0.5
"""An arc is meant when at least this share of it, or of the line, runs beside the other."""
ALONG_MIN: Final = 0.6
"""Metres gained along the line for each metre of the arc: 1 runs along it, 0 crosses it."""
SAMPLES_MAX: Final = 400

LonLat = tuple[float, float]


class ArcsByShape:
    """Finds arcs by lines and areas; the index is built at the first question."""

    def __init__(self, graph: RoadGraph) -> None:
        self._graph = graph
        self._tree: shapely.STRtree | None = None

    def along(self, line: Sequence[LonLat], direction: Direction) -> tuple[int, ...]:
        """The arcs that run along a line; where none does, those that it crosses.

        Args:
            line: At least two points (lon, lat), WGS-84.
            direction: `FORWARD` takes arcs that run as the line is drawn, `BACKWARD` the others.

        Returns:
            Directed arcs, ascending; empty where no road is near.
        """
        to_m = self._scale(line)
        drawn = LineString(np.asarray(line) * to_m)
        near = self._near(drawn, to_m)
        gains = self._gains(drawn, near, to_m, BESIDE_M)
        if not gains:
            return self._crossed(drawn, near, to_m)
        return tuple(arc for arc, gain in gains.items() if _fits(gain, direction))

    def again(self, line: Sequence[LonLat], direction: Direction) -> tuple[int, ...]:
        """The arcs that lie where a street of another network lay.

        Those that lie where it lay exactly, if there are any, so that a street beside it is not
        taken for it; never those that it only crosses.

        Args:
            line: How the street was drawn there (lon, lat), WGS-84.
            direction: As in `along`.

        Returns:
            Directed arcs, ascending; empty where there is no such street any more.
        """
        to_m = self._scale(line)
        drawn = LineString(np.asarray(line) * to_m)
        near = self._near(drawn, to_m)
        for beside_m in (SAME_M, BESIDE_M):
            gains = self._gains(drawn, near, to_m, beside_m)
            found = tuple(arc for arc, gain in gains.items() if _fits(gain, direction))
            if found:
                return found
        return ()

    def inside(
        self, ring: Sequence[LonLat], holes: Sequence[Sequence[LonLat]] = ()
    ) -> tuple[int, ...]:
        """The arcs that lie in an area or reach into it, ascending, both directions.

        Args:
            ring: Outline (lon, lat), WGS-84, first point repeated at the end.
            holes: Rings of what is left out.
        """
        area = shapely.make_valid(Polygon(ring, holes))
        found = self._index().query(area, predicate="intersects")
        return tuple(sorted(int(arc) for arc in found))

    def _index(self) -> shapely.STRtree:
        if self._tree is None:
            counts = np.diff(self._graph.geom_start)
            arcs = np.repeat(np.arange(self._graph.arc_count), counts)
            self._tree = shapely.STRtree(shapely.linestrings(self._graph.geom_lonlat, indices=arcs))
        return self._tree

    def _near(self, drawn: LineString, to_m: NDArray[np.float64]) -> list[int]:
        west, south, east, north = drawn.bounds
        box = shapely.box(
            (west - BESIDE_M) / to_m[0],
            (south - BESIDE_M) / to_m[1],
            (east + BESIDE_M) / to_m[0],
            (north + BESIDE_M) / to_m[1],
        )
        return sorted(int(arc) for arc in self._index().query(box))

    def _gains(
        self, drawn: LineString, near: Sequence[int], to_m: NDArray[np.float64], beside_m: float
    ) -> dict[int, float]:
        """Those arcs that run along the line, either way, with their gain; see `_gain`."""
        gains = {
            arc: _gain(self._graph.arc_line(arc) * to_m, drawn, beside_m=beside_m) for arc in near
        }
        return {arc: gain for arc, gain in gains.items() if gain != 0.0}

    def _crossed(
        self, drawn: LineString, near: Sequence[int], to_m: NDArray[np.float64]
    ) -> tuple[int, ...]:
        return tuple(
            arc for arc in near if drawn.intersects(LineString(self._graph.arc_line(arc) * to_m))
        )

    @staticmethod
    def _scale(line: Sequence[LonLat]) -> NDArray[np.float64]:
        """Metres for a degree of longitude and of latitude in the middle of the line."""
        middle_lat = float(np.mean([lat for _, lat in line]))
        return np.array([metres_per_lon(middle_lat), M_PER_DEGREE])


def _fits(gain: float, direction: Direction) -> bool:
    if direction is Direction.BOTH:
        return True
    return gain > 0 if direction is Direction.FORWARD else gain < 0


def _gain(arc_m: NDArray[np.float64], drawn: LineString, *, beside_m: float) -> float:
    """Metres that the arc gains along the line while beside it; 0 where it is not meant."""
    arc = LineString(arc_m)
    count = int(min(SAMPLES_MAX, max(3, arc.length / SAMPLE_M)))
    samples = shapely.line_interpolate_point(arc, np.linspace(0.0, arc.length, count))
    beside = shapely.distance(samples, drawn) <= beside_m
    length_m = float(beside.mean()) * arc.length
    if length_m < SHARE_MIN * min(arc.length, drawn.length) or beside.sum() < 2:
        return 0.0
    steps = np.diff(shapely.line_locate_point(drawn, samples[beside]))
    if drawn.is_closed:
        # Where it ends it begins: to come there is no way back along the whole of it.
        steps = steps[np.abs(steps) <= drawn.length / 2]
    gain = float(steps.sum())
    return gain if abs(gain) >= ALONG_MIN * length_m else 0.0
