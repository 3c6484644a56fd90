"""What is promised at a point: its zone and target, its area, its grid and platform.

Built once for a city; one look-up takes microseconds. Where zones overlap the smallest target
wins, and between equal targets the smaller id, so that a replay finds the same zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import shapely
from shapely import STRtree

from platforms.city import OUTSIDE, Area, City, Grid, Platform, Region, Zone, ZoneClass

_CLASS_ORDER = (ZoneClass.KEY_SITE, ZoneClass.CORE, ZoneClass.OTHER, ZoneClass.OUTSIDE)

Item = TypeVar("Item")


class Promise:
    """Look-ups of a city by point, WGS-84 degrees."""

    def __init__(self, city: City) -> None:
        drawn = [
            (zone, zone.polygon)
            for zone in sorted(city.zones, key=_promise_order)
            if zone.polygon is not None
        ]
        self._zones = _PointIndex([zone for zone, _ in drawn], [region for _, region in drawn])
        areas = sorted(city.areas, key=lambda area: area.area_id)
        self._areas = _PointIndex(areas, [area.polygon for area in areas])
        grids = sorted(city.grids, key=lambda grid: grid.grid_id)
        self._grids = _PointIndex(grids, [grid.polygon for grid in grids])
        self._platforms = {platform.platform_id: platform for platform in city.platforms}

    def zone_at(self, lon: float, lat: float) -> Zone:
        """The zone with the smallest target; `OUTSIDE` where no zone holds the point."""
        return self._zones.first(lon, lat) or OUTSIDE

    def target_s_at(self, lon: float, lat: float) -> int | None:
        """Seconds promised at the point; None outside all zones."""
        return self.zone_at(lon, lat).target_s

    def area_at(self, lon: float, lat: float) -> Area | None:
        """The area that holds the point."""
        return self._areas.first(lon, lat)

    def grid_at(self, lon: float, lat: float) -> Grid | None:
        """The main grid that holds the point."""
        return self._grids.first(lon, lat)

    def platform_at(self, lon: float, lat: float) -> Platform | None:
        """The platform in charge of the grid that holds the point."""
        grid = self.grid_at(lon, lat)
        return None if grid is None else self._platforms[grid.platform_id]


class _PointIndex(Generic[Item]):
    """Finds the first item, in the order given, whose region holds or touches a point."""

    def __init__(self, items: Sequence[Item], regions: Sequence[Region]) -> None:
        self._items = tuple(items)
        self._regions = np.array(regions, dtype=object)
        shapely.prepare(self._regions)
        self._tree = STRtree(self._regions)

    def first(self, lon: float, lat: float) -> Item | None:
        # The tree narrows by boxes alone; the exact test then runs on prepared regions, several
        # times faster than a predicate in the tree, which can prepare only the point.
        boxed = self._tree.query(shapely.Point(lon, lat))
        if len(boxed) == 0:
            return None
        held = boxed[shapely.intersects_xy(self._regions[boxed], lon, lat)]
        return self._items[int(held.min())] if len(held) else None


def _promise_order(zone: Zone) -> tuple[float, int, str]:
    target_s = float("inf") if zone.target_s is None else float(zone.target_s)
    return (target_s, _CLASS_ORDER.index(zone.zone_class), zone.zone_id)
