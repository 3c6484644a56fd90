"""A city small enough to know by heart: two platforms west and east, a key site in the core."""

from __future__ import annotations

from dataclasses import replace

from shapely import box

from platforms.city import Area, City, Grid, KeySite, Place, Platform, Zone, ZoneClass
from platforms.crewing import units_of

WEST, EAST = (111.45, 27.24), (111.47, 27.24)


def small_city() -> City:
    """Areas, grids and zones as boxes around (111.46, 27.24)."""
    platforms = tuple(
        Platform(
            platform_id=f"P{k:02d}", name=name, area_id="city", grid_id=f"G{k:02d}",
            lon=lon, lat=lat, synthetic=True,
        )
        for k, (name, (lon, lat)) in enumerate((("西1号", WEST), ("东2号", EAST)), start=1)
    )  # fmt: skip
    return City(
        name="小城",
        synthetic=True,
        note="made for tests",
        timezone="Asia/Shanghai",
        areas=(Area(area_id="city", name="市区", polygon=box(111.44, 27.23, 111.48, 27.25)),),
        platforms=platforms,
        units=tuple(unit for platform in platforms for unit in units_of(platform)),
        grids=(
            Grid(grid_id="G01", name="西", platform_id="P01", area_id="city",
                 polygon=box(111.44, 27.23, 111.46, 27.25)),
            Grid(grid_id="G02", name="东", platform_id="P02", area_id="city",
                 polygon=box(111.46, 27.23, 111.48, 27.25)),
        ),
        zones=(
            _zone("other", ZoneClass.OTHER, 300, box(111.44, 27.23, 111.48, 27.25)),
            _zone("core", ZoneClass.CORE, 180, box(111.45, 27.235, 111.47, 27.245)),
            _zone("key-K001", ZoneClass.KEY_SITE, 60, box(111.459, 27.239, 111.461, 27.241)),
        ),
        key_sites=(
            KeySite(site_id="K001", name="西湖桥", category="bridge", lon=111.46, lat=27.24),
        ),
        places=(
            Place(name="西湖桥", kind="bridge", lon=111.46, lat=27.24, aliases=("西湖大桥",),
                  pinyin="xihuqiao", initials="xhq"),
            Place(name="红旗路", kind="street", lon=111.455, lat=27.24, pinyin="hongqilu",
                  initials="hql"),
        ),
    )  # fmt: skip


def without_places(city: City) -> City:
    """The same city with an empty gazetteer."""
    return replace(city, places=())


def _zone(zone_id: str, zone_class: ZoneClass, target_s: int, polygon: object) -> Zone:
    return Zone(
        zone_id=zone_id, zone_class=zone_class, target_s=target_s, name=zone_id, polygon=polygon,
        synthetic=True,
    )  # fmt: skip
