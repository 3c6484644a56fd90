"""The city's forces and promise on the stand-in network: what goes into data/shaoyang.

Names that the press or a notice gives are marked in the tables; every position is invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Polygon
from shapely.ops import polygonize, unary_union

from platforms.city import Area, City, Grid, Place, Platform, Region, Zone, ZoneClass
from platforms.crewing import units_of
from platforms.network_places import crossing_places, named_place, street_places
from platforms.promise import Promise
from platforms.sketch import TARGET_S
from platforms.sketch_regions import circle, voronoi
from routing.geometry import distance_m
from routing.graph import RoadGraph
from stand_in import skeleton
from stand_in.facts import COUNTY_SEATS, Point, to_lonlat
from stand_in.key_sites import Site, city_sites, town_sites
from stand_in.network import StandIn
from stand_in.on_street import kept_lonlat, km_point, on_street, table
from stand_in.planar import Plane
from stand_in.towns import Town

NOTE = (
    "Synthetic stand-in for Shaoyang. Numbers of platforms and vehicles, some names of platforms"
    " and sites, and the 1-3-5 minute promise are as published; every position, outline, grid and"
    " call sign is invented, and so are all other names."
)
CITY_ID = "city"
CORE_LINE_KM = ((-2.7, -0.9), (-1.0, -1.3), (2.3, -1.1))
CORE_REACH_M = 1900.0
PRESS_COUNTY = frozenset(
    {"邵东1号", "邵东2号", "邵东3号", "新邵1号", "隆回1号", "隆回2号", "隆回3号"}
)
LOCALITIES_KM = {
    "桂花渡口": (-4.1, -2.5),
    "茶元头": (-5.2, -1.4),
    "龙须塘": (3.0, 0.7),
    "茅坪": (0.6, -2.6),
    "桃花路口": (-1.15, -3.55),
}
BRIDGE_SITE_M = 150.0
"""A bridge is longer than other key sites are wide."""


@dataclass(frozen=True, slots=True)
class _Territory:
    """An area with its platforms' points, in local metres."""

    area: Area
    land: Polygon
    names: tuple[str, ...]
    points: tuple[Point, ...]
    notes: tuple[str, ...]


def make_city(made: StandIn, graph: RoadGraph) -> City:
    """The city for a stand-in network and its compiled graph."""
    regions = [_city_region(made.plane), *(_town_region(made.plane, t) for t in made.towns)]
    platforms, grids = _forces(regions)
    sites = [*city_sites(made, graph), *town_sites(made)]
    key_sites = tuple(site for site, _ in sites)
    city = City(
        name="邵阳市（合成替身）",
        synthetic=True,
        note=NOTE,
        timezone="Asia/Shanghai",
        areas=tuple(region.area for region in regions),
        platforms=platforms,
        units=tuple(unit for platform in platforms for unit in units_of(platform)),
        grids=grids,
        zones=tuple(_zones(made, regions, sites)),
        key_sites=key_sites,
        places=(),
    )
    return replace(city, places=tuple(_places(city, graph)))


def _city_region(plane: Plane) -> _Territory:
    rows = table("city_platforms.csv")
    land = skeleton.outer_ring().buffer(350.0).simplify(30.0)
    notes = [
        f"name from the press, position invented ({row['where']})"
        if row["named_by_press"]
        else f"invented ({row['where']})"
        for row in rows
    ]
    return _Territory(
        area=Area(area_id=CITY_ID, name="市区", polygon=degrees(land), synthetic=True),
        land=land,
        names=tuple(row["name"] for row in rows),
        points=tuple(on_street(plane, km_point(row), least_rank=3) for row in rows),
        notes=tuple(notes),
    )


def _town_region(plane: Plane, town: Town) -> _Territory:
    count = next(row[4] for row in COUNTY_SEATS if row[0] == town.area_id)
    land = MultiPoint([plane.points[node] for node in town.nodes]).convex_hull
    land = land.buffer(250.0).simplify(30.0)
    x, y = town.centre
    off = 0.55 * town.radius_m
    wanted = [(x, y), (x + off, y + 0.4 * off), (x - off, y - 0.4 * off)][:count]
    names = tuple(f"{town.name}{number}号" for number in range(1, count + 1))
    notes = tuple(
        "named in the press, position invented" if name in PRESS_COUNTY else "invented"
        for name in names
    )
    return _Territory(
        area=Area(
            area_id=town.area_id, name=f"{town.name}县城", polygon=degrees(land), synthetic=True
        ),
        land=land,
        names=names,
        points=tuple(on_street(plane, point, least_rank=3) for point in wanted),
        notes=notes,
    )


def _forces(regions: Sequence[_Territory]) -> tuple[tuple[Platform, ...], tuple[Grid, ...]]:
    platforms: list[Platform] = []
    grids: list[Grid] = []
    for region in regions:
        cells = _grid_cells(region)
        for name, point, note, cell in zip(
            region.names, region.points, region.notes, cells, strict=True
        ):
            number = len(platforms) + 1
            lon, lat = kept_lonlat(point)
            platforms.append(
                Platform(
                    platform_id=f"P{number:02d}",
                    name=name,
                    area_id=region.area.area_id,
                    grid_id=f"G{number:02d}",
                    lon=lon,
                    lat=lat,
                    synthetic=True,
                    note=note,
                )
            )
            grids.append(
                Grid(
                    grid_id=f"G{number:02d}",
                    name=f"{name}网格",
                    platform_id=f"P{number:02d}",
                    area_id=region.area.area_id,
                    polygon=degrees(cell),
                    synthetic=True,
                )
            )
    return tuple(platforms), tuple(grids)


def _grid_cells(region: _Territory) -> list[Region]:
    """A part for each platform; in the city no grid reaches over a river."""
    points = np.array(region.points)
    rivers = [LineString(skeleton.zi_line()), LineString(skeleton.shao_line())]
    banks = list(polygonize(unary_union([region.land.boundary, *rivers])))
    if len(banks) < 2:
        return voronoi(points, region.land)
    cells: list[Region] = [Polygon()] * len(points)
    inner = (bank for bank in banks if region.land.contains(bank.representative_point()))
    for bank in sorted(inner, key=_west):
        inside = np.flatnonzero(shapely.contains_xy(bank, points[:, 0], points[:, 1]))
        if len(inside) == 0:
            # A corner beyond a bend: the nearest platform has it.
            inside = np.array([np.hypot(*(points - bank.centroid.coords[0]).T).argmin()])
        for owner, cell in zip(inside, voronoi(points[inside], bank), strict=True):
            cells[owner] = unary_union([cells[owner], cell])
    return cells


def _west(land: Polygon) -> tuple[float, float]:
    return land.bounds[0], land.bounds[1]


def _zones(made: StandIn, regions: Sequence[_Territory], sites: Sequence[Site]) -> Iterator[Zone]:
    for site, point in sites:
        reach_m = BRIDGE_SITE_M if site.category == "bridge" else 90.0
        ground = circle(np.array(point), reach_m)
        yield _zone(f"key-{site.site_id}", ZoneClass.KEY_SITE, site.name, ground)
    city, *towns = regions
    core_line = LineString(skeleton.metres(CORE_LINE_KM))
    core = core_line.buffer(CORE_REACH_M).intersection(city.land).simplify(30.0)
    yield _zone("core-city", ZoneClass.CORE, "中心城区", core)
    for region, town in zip(towns, made.towns, strict=True):
        core = shapely.Point(town.centre).buffer(0.5 * town.radius_m, quad_segs=6)
        name = f"{town.name}县城中心"
        yield _zone(f"core-{town.area_id}", ZoneClass.CORE, name, core.intersection(region.land))
    for region in regions:
        area = region.area
        yield _zone(f"other-{area.area_id}", ZoneClass.OTHER, f"{area.name}其他城区", region.land)


def _zone(zone_id: str, zone_class: ZoneClass, name: str, land: Polygon) -> Zone:
    return Zone(
        zone_id=zone_id,
        zone_class=zone_class,
        target_s=TARGET_S[zone_class],
        name=name,
        polygon=degrees(land),
        synthetic=True,
    )


def _places(city: City, graph: RoadGraph) -> Iterator[Place]:
    promise = Promise(city)
    own: dict[str, Place] = {}
    for site in city.key_sites:
        own[site.name] = named_place(site.name, site.category, site.lon, site.lat)
    for platform in city.platforms:
        name = f"{platform.name}快警平台"
        aliases = (platform.name,) if platform.name not in own else ()
        own[name] = named_place(name, "platform", platform.lon, platform.lat, aliases=aliases)
    for name, (x, y) in LOCALITIES_KM.items():
        own[name] = named_place(name, "locality", *kept_lonlat((x * 1000, y * 1000)))
    yield from own.values()
    for place in (*street_places(graph), *crossing_places(graph)):
        twin = own.get(place.name)
        if twin and distance_m(twin.lon, twin.lat, place.lon, place.lat) < 1500.0:
            continue
        area = promise.area_at(place.lon, place.lat)
        if area is None or area.area_id == CITY_ID:
            yield place
        else:
            yield replace(place, aliases=(f"{area.name.removesuffix('县城')}{place.name}",))


def degrees(land: Region) -> Region:
    """A region in local metres as a valid one in degrees, rounded as city files keep it."""
    moved = shapely.transform(
        land, lambda xy: np.round([to_lonlat((x, y)) for x, y in xy.tolist()], 6)
    )
    return moved if moved.is_valid else moved.buffer(0.0)
