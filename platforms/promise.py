"""What is promised at a point: its zone and target, its area, its grid and platform.

Built once for a city; one look-up takes a microsecond. Where zones overlap the smallest target
wins, and between equal targets the smaller id, so that a replay finds the same zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from platforms.city import OUTSIDE, Area, City, Grid, Platform, Region, Zone, ZoneClass

_CLASS_ORDER = (ZoneClass.KEY_SITE, ZoneClass.CORE, ZoneClass.OTHER, ZoneClass.OUTSIDE)

CELLS_PER_DEG: Final = (64, 512)
"""Sizes of the cells, about 1,600 and 200 m. Powers of two: a point is never counted into a
large cell and a small one that do not lie in each other."""

_Held: TypeAlias = tuple[int, bool]
"""A region's place, and whether it covers the cell wholly."""

_Cells: TypeAlias = dict[tuple[int, int], tuple[_Held, ...] | None]
"""What a cell holds, up to the first region that covers it; None where smaller cells say it."""

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
    """Finds the first item, in the order given, whose region holds or touches a point.

    The plane is cut into cells, and those that a border crosses into smaller ones. Most cells lie
    wholly in one region or in none, so that few points are compared with any border at all.
    """

    def __init__(self, items: Sequence[Item], regions: Sequence[Region]) -> None:
        self._items = tuple(items)
        self._regions = np.array(regions, dtype=object)
        shapely.prepare(self._regions)
        self._levels = tuple(zip(CELLS_PER_DEG, _cells_of(self._regions), strict=True))

    def first(self, lon: float, lat: float) -> Item | None:
        held: tuple[_Held, ...] | None = ()
        for per_deg, cells in self._levels:
            held = cells.get((floor(lon * per_deg), floor(lat * per_deg)), ())
            if held is not None:
                break
        for at, wholly in held or ():
            if wholly or shapely.intersects_xy(self._regions[at], lon, lat):
                return self._items[at]
        return None


def _cells_of(regions: NDArray[np.object_]) -> list[_Cells]:
    """What the cells of each size hold; those that hold nothing are left out."""
    levels: list[_Cells] = [{} for _ in CELLS_PER_DEG]
    if not len(regions):
        return levels
    tree = STRtree(regions)
    # Region by region: one that lies far from the others must not fill the plane between.
    each = [_all_within(bounds, CELLS_PER_DEG[0]) for bounds in shapely.bounds(regions)]
    corners = np.unique(np.concatenate(each), axis=0)
    sizes = zip(CELLS_PER_DEG, (*CELLS_PER_DEG[1:], None), strict=True)
    for cells, (per_deg, finer) in zip(levels, sizes, strict=True):
        boxes = shapely.box(*(corners / per_deg).T, *((corners + 1) / per_deg).T)
        box_at, region_at = tree.query(boxes, predicate="intersects")
        wholly = shapely.covers(regions[region_at], boxes[box_at])
        held: dict[int, list[_Held]] = {}
        for item in np.lexsort((region_at, box_at)).tolist():
            of_box = held.setdefault(int(box_at[item]), [])
            # Behind a region that covers the cell none can be the first.
            if not of_box or not of_box[-1][1]:
                of_box.append((int(region_at[item]), bool(wholly[item])))
        crossed = []
        for at, of_box in held.items():
            decided = finer is None or of_box[0][1]
            west, south = corners[at].tolist()
            cells[west, south] = tuple(of_box) if decided else None
            if not decided:
                crossed.append(at)
        if finer is not None:
            corners = _cut(corners[crossed], finer // per_deg)
    return levels


def _all_within(bounds: NDArray[np.float64], per_deg: int) -> NDArray[np.int64]:
    """South-western corners of all cells that bounds touch, in cells, int64 (n, 2)."""
    west, south, east, north = np.floor(bounds * per_deg).astype(np.int64).tolist()
    across, up = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    return np.column_stack((across.ravel(), up.ravel()))


def _cut(corners: NDArray[np.int64], times: int) -> NDArray[np.int64]:
    """The corners of the `times` by `times` cells that each cell is cut into."""
    across, up = np.meshgrid(np.arange(times), np.arange(times))
    inside = np.column_stack((across.ravel(), up.ravel()))
    return (corners[:, None, :] * times + inside[None, :, :]).reshape(-1, 2)


def _promise_order(zone: Zone) -> tuple[float, int, str]:
    target_s = float("inf") if zone.target_s is None else float(zone.target_s)
    return (target_s, _CLASS_ORDER.index(zone.zone_class), zone.zone_id)
