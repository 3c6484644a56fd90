"""The city's forces and promise on the stand-in network: what goes into data/shaoyang.

Names that the press or a notice gives are marked in the tables; every position is invented.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Polygon

from platforms.city import Area, City, Grid, KeySite, Place, Platform, Zone, ZoneClass
from platforms.crewing import units_of
from platforms.network_places import crossing_places, named_place, street_places
from platforms.promise import Promise
from platforms.sketch import TARGET_S
from platforms.sketch_points import busy_nodes, streets_of
from platforms.sketch_regions import circle, voronoi
from routing.geometry import distance_m
from routing.graph import RoadGraph
from stand_in import skeleton
from stand_in.facts import COUNTY_SEATS, Point, to_lonlat, to_xy
from stand_in.network import StandIn
from stand_in.planar import Plane
from stand_in.rules import RANK
from stand_in.towns import Town

NOTE = (
    "Synthetic stand-in for Shaoyang. Numbers of platforms and vehicles, some names of platforms"
    " and sites, and the 1-3-5 minute promise are as published; every position, outline, grid and"
    " call sign is invented, and so are all other names."
)
CITY_ID = "city"
CORE_LINE_KM = ((-2.7, -0.9), (-1.0, -1.3), (2.3, -1.1))
CORE_REACH_M = 1900.0
MORE_SITES = 40
"""Invented key sites at busy junctions of the main urban area, beside those with known names."""
MORE_KINDS = (
    ("小学", "school"),
    ("支行", "bank"),
    ("中学", "school"),
    ("社区医院", "hospital"),
    ("农贸市场", "market"),
    ("广场", "square"),
    ("幼儿园", "school"),
    ("储蓄所", "bank"),
)
TOWN_SITES = (
    ("人民医院", "hospital"),
    ("第一中学", "school"),
    ("汽车站", "station"),
    ("广场", "square"),
)
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
class _Region:
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
    sites = [*_city_sites(made, graph), *_town_sites(made)]
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


def _table(name: str) -> list[dict[str, str]]:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _km(row: dict[str, str]) -> Point:
    return float(row["x_km"]) * 1000, float(row["y_km"]) * 1000


def _city_region(plane: Plane) -> _Region:
    rows = _table("city_platforms.csv")
    land = skeleton.outer_ring().buffer(350.0).simplify(30.0)
    notes = [
        f"name from the press, position invented ({row['where']})"
        if row["named_by_press"]
        else f"invented ({row['where']})"
        for row in rows
    ]
    return _Region(
        area=Area(area_id=CITY_ID, name="市区", polygon=degrees(land), synthetic=True),
        land=land,
        names=tuple(row["name"] for row in rows),
        points=tuple(_on_street(plane, _km(row), least_rank=3) for row in rows),
        notes=tuple(notes),
    )


def _town_region(plane: Plane, town: Town) -> _Region:
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
    return _Region(
        area=Area(
            area_id=town.area_id, name=f"{town.name}县城", polygon=degrees(land), synthetic=True
        ),
        land=land,
        names=names,
        points=tuple(_on_street(plane, point, least_rank=3) for point in wanted),
        notes=notes,
    )


def _forces(regions: Sequence[_Region]) -> tuple[tuple[Platform, ...], tuple[Grid, ...]]:
    platforms: list[Platform] = []
    grids: list[Grid] = []
    for region in regions:
        cells = voronoi(np.array(region.points), region.land)
        for name, point, note, cell in zip(
            region.names, region.points, region.notes, cells, strict=True
        ):
            number = len(platforms) + 1
            lon, lat = _lonlat(point)
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


Site = tuple[KeySite, Point]


def _city_sites(made: StandIn, graph: RoadGraph) -> Iterator[Site]:
    named = []
    for row in _table("city_sites.csv"):
        bridge = row["category"] == "bridge"
        point = _on_street(made.plane, _km(row), least_rank=1, name=row["name"] if bridge else "")
        named.append(point)
        yield _site(len(named), row["name"], row["category"], point)
    streets = streets_of(graph)
    inside = skeleton.outer_ring().buffer(-150.0)
    frame = streets.frame
    taken = frame.metres(np.array([to_lonlat(point) for point in named]))
    nodes = np.array([to_xy(*lonlat) for lonlat in frame.degrees(streets.node).tolist()])
    kept = shapely.contains_xy(inside, nodes[:, 0], nodes[:, 1])
    urban = replace(streets, node=streets.node[kept], node_weight=streets.node_weight[kept])
    chosen = frame.degrees(busy_nodes(urban, MORE_SITES, taken=taken, apart_m=750.0))
    for number, lonlat in enumerate(chosen.tolist()):
        point = _on_street(made.plane, to_xy(*lonlat), least_rank=3)
        kind, category = MORE_KINDS[number % len(MORE_KINDS)]
        street = _street_at(made.plane, point)
        count = len(named) + number + 1
        yield _site(count, f"{street}{kind}", category, point)


def _town_sites(made: StandIn) -> Iterator[Site]:
    number = 200
    for town in made.towns:
        x, y = town.centre
        off = 0.3 * town.radius_m
        wanted = ((x + off, y - off), (x - off, y + off), (x + off, y + off), (x - off, y - off))
        for (kind, category), point in zip(TOWN_SITES, wanted, strict=True):
            number += 1
            yield _site(
                number,
                f"{town.name}{kind}",
                category,
                _on_street(made.plane, point, least_rank=2),
            )


def _site(number: int, name: str, category: str, point: Point) -> Site:
    lon, lat = _lonlat(point)
    site = KeySite(
        site_id=f"K{number:03d}", name=name, category=category, lon=lon, lat=lat, synthetic=True
    )
    return site, point


def _zones(made: StandIn, regions: Sequence[_Region], sites: Sequence[Site]) -> Iterator[Zone]:
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
        own[name] = named_place(name, "locality", *_lonlat((x * 1000, y * 1000)))
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


def degrees(land: Polygon) -> Polygon:
    """A region in local metres as a valid one in degrees, rounded as city files keep it."""
    moved = shapely.transform(
        land, lambda xy: np.round([to_lonlat((x, y)) for x, y in xy.tolist()], 6)
    )
    return moved if moved.is_valid else moved.buffer(0.0)


def _lonlat(point: Point) -> tuple[float, float]:
    lon, lat = to_lonlat(point)
    return round(lon, 6), round(lat, 6)


def _on_street(plane: Plane, point: Point, *, least_rank: int, name: str = "") -> Point:
    """The nearest point on a street of at least this class, or of this name."""
    return min(
        _nearest_on(plane, edge.start, edge.end, point)
        for edge in plane.edges.values()
        if _fits(plane, edge.street, least_rank, name)
    )[1]


def _fits(plane: Plane, number: int, least_rank: int, name: str) -> bool:
    street = plane.streets[number]
    if name:
        return street.name == name
    rank = RANK[street.road_class]
    return least_rank <= rank <= 5 and not {"bridge", "tunnel"} & {key for key, _ in street.tags}


def _nearest_on(plane: Plane, start: int, end: int, point: Point) -> tuple[float, Point]:
    (x1, y1), (x2, y2) = plane.points[start], plane.points[end]
    dx, dy = x2 - x1, y2 - y1
    share = ((point[0] - x1) * dx + (point[1] - y1) * dy) / max(dx * dx + dy * dy, 1e-9)
    share = max(0.0, min(1.0, share))
    x, y = x1 + share * dx, y1 + share * dy
    return (x - point[0]) ** 2 + (y - point[1]) ** 2, (x, y)


def _street_at(plane: Plane, point: Point) -> str:
    """Name of the nearest main street."""
    return min(
        (_nearest_on(plane, edge.start, edge.end, point)[0], plane.streets[edge.street].name)
        for edge in plane.edges.values()
        if _fits(plane, edge.street, 3, "")
    )[1]
