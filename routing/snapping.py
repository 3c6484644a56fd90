"""From a point to the nearest street, and the stands on it."""

from __future__ import annotations

import math
from typing import Final

from routing.errors import OffNetwork
from routing.geometry import bend_deg
from routing.graph import RoadGraph
from routing.search.kernels import Kernel, choose_kernel
from routing.search.street_grid import StreetPoint, street_grid
from routing.stands import Snap, Stand

SNAP_MAX_M: Final = 200.0
"""ASSUMPTION: a caller within this of a street means that street; a setting of the service."""

_ANYWHERE_M: Final = 21_000_000.0
"""Half way round the earth and more."""
_SNAPS_KEPT: Final = 4_096
"""Places kept with their street; when they are too many, all are forgotten."""
_MM: Final = 3
"""Decimals of an offset in metres."""


class StreetIndex:
    """Snaps points to the streets that take stands."""

    def __init__(self, graph: RoadGraph, kernel: Kernel | None = None) -> None:
        self._graph = graph
        self._kernel = kernel or choose_kernel()
        self._grid = street_grid(graph)
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
        heading = math.nan if heading_deg is None else heading_deg
        found = self._kernel.nearest_street(self._grid, lon, lat, heading, max_m)
        if found.segment < 0:
            raise self._off_network(lon, lat, max_m)
        snap = self._snap_to(lon, lat, found, heading_deg)
        if heading_deg is None:
            if len(self._kept) >= _SNAPS_KEPT:
                self._kept.clear()
            # The nearest street is the nearest whatever the limit was: an incident is snapped at
            # the gate and again when units are weighed for it.
            self._kept[lon, lat] = snap
        return snap

    def _snap_to(
        self, lon: float, lat: float, found: StreetPoint, heading_deg: float | None
    ) -> Snap:
        arc, other = int(self._grid.arc[found.segment]), int(self._grid.other[found.segment])
        offset_m = self._on_arc(arc, found.at_m)
        stands: tuple[Stand, ...] = (Stand(arc, offset_m),)
        if other >= 0:
            back_m = float(self._graph.arc_length_m[other]) - offset_m
            stands = (*stands, Stand(other, self._on_arc(other, back_m)))
            if heading_deg is not None:
                with_it = bend_deg(found.bearing_deg, heading_deg) <= 90
                stands = stands[:1] if with_it else stands[1:]
        return Snap(
            lon=lon,
            lat=lat,
            snapped_lon=found.lon,
            snapped_lat=found.lat,
            distance_m=found.distance_m,
            road=self._graph.names[self._graph.arc_name[arc]],
            stands=stands,
        )

    def _on_arc(self, arc: int, metres: float) -> float:
        """Whole millimetres, but never off the arc."""
        return min(max(0.0, round(metres, _MM)), float(self._graph.arc_length_m[arc]))

    def _off_network(self, lon: float, lat: float, max_m: float) -> OffNetwork:
        far = self._kernel.nearest_street(self._grid, lon, lat, math.nan, _ANYWHERE_M)
        nearest_m = far.distance_m if far.segment >= 0 else math.inf
        return OffNetwork(
            f"({lon}, {lat}) is {nearest_m:.0f} m from the nearest road, the limit is"
            f" {max_m:.0f} m. Check the point and its crs, or import a larger network",
            nearest_m=nearest_m,
            limit_m=max_m,
        )
