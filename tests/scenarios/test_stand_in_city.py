"""The network and the city that ship: what they must be, so that the model cases can be played."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from platforms.city import City, UnitKind, ZoneClass
from platforms.city_check import check_city
from platforms.city_files import CITY_FILES, load_city
from platforms.errors import AmbiguousPlace
from platforms.gazetteer import Gazetteer
from platforms.promise import Promise
from platforms.shipped import shipped_city, shipped_network
from routing.geometry import M_PER_DEGREE, distance_m, metres_per_lon
from routing.graph import ArcFlag, RoadGraph
from routing.osm.import_report import ImportReport
from routing.osm.importer import import_network
from routing.roads import Roads
from routing.speeds import Profile

ROOT = Path(__file__).resolve().parents[2]

ZI = (
    (111.378, 27.198), (111.393, 27.213), (111.404, 27.204), (111.416, 27.199), (111.426, 27.214),
    (111.416, 27.231), (111.429, 27.244), (111.443, 27.247), (111.464, 27.246), (111.471, 27.252),
    (111.460, 27.262), (111.467, 27.271), (111.482, 27.257), (111.491, 27.272), (111.487, 27.290),
)  # fmt: skip
SHAO = (
    (111.4638, 27.2459), (111.469, 27.239), (111.4735, 27.229), (111.4715, 27.2225),
    (111.475, 27.214), (111.483, 27.200),
)  # fmt: skip
"""Centre lines as published, about 100 m coarse."""
ZI_BRIDGES = {"西湖桥", "资江一桥", "资江二桥", "雪峰大桥", "桂花大桥"}
SHAO_BRIDGES = {"沿江桥", "青龙桥", "邵水桥", "桃花桥", "佘湖桥"}
CLEAR_M = 40.0
"""No street but a bridge comes nearer to a published point of a river."""

CALL = (111.44310, 27.24590)
"""On the right bank of the Zi, half-way between 雪峰大桥 and 西湖桥."""
OVER_THE_WATER = (111.44310, 27.24809)
"""Straight across on the left bank: 250 m as the crow flies."""
ON_THE_BANK = (111.43603, 27.24364)
"""On the right bank, 930 m by road."""


@pytest.fixture(scope="module")
def imported() -> tuple[RoadGraph, ImportReport]:
    return import_network(shipped_network())


@pytest.fixture(scope="module")
def graph(imported: tuple[RoadGraph, ImportReport]) -> RoadGraph:
    return imported[0]


@pytest.fixture(scope="module")
def roads(graph: RoadGraph) -> Roads:
    return Roads(graph, python_twin=True)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(shipped_city())


@pytest.fixture(scope="module")
def gazetteer(city: City) -> Gazetteer:
    return Gazetteer(city.places)


def nodes_in(graph: RoadGraph, city: City, area_id: str) -> np.ndarray:
    area = next(area for area in city.areas if area.area_id == area_id)
    return shapely.contains_xy(area.polygon, graph.node_lon, graph.node_lat)


# --- the network ---


def test_the_network_says_that_it_is_synthetic(
    imported: tuple[RoadGraph, ImportReport],
) -> None:
    report = imported[1]
    assert report.synthetic
    assert "stand-in" in (report.source.generator or "")
    ways = [
        way.tags.get("synthetic") for way in osmium.FileProcessor(shipped_network()) if way.is_way()
    ]
    assert len(ways) > 10_000
    assert set(ways) == {"yes"}


def test_the_files_stay_small() -> None:
    assert shipped_network().stat().st_size < 3_000_000
    assert sum((shipped_city() / name).stat().st_size for name in CITY_FILES) < 1_500_000


def test_the_city_has_the_size_of_a_city(graph: RoadGraph, city: City) -> None:
    assert 20_000 <= nodes_in(graph, city, "city").sum() <= 40_000
    for area in city.areas:
        if area.area_id != "city":
            assert 200 <= nodes_in(graph, city, area.area_id).sum() <= 1_800, area.name


def test_the_network_hangs_together(imported: tuple[RoadGraph, ImportReport]) -> None:
    report = imported[1]
    assert report.core_share > 0.99
    assert report.suspicious == ()


def test_the_network_has_what_dispatch_must_cope_with(
    imported: tuple[RoadGraph, ImportReport],
) -> None:
    graph, report = imported
    assert report.restrictions_used > 100
    assert report.signal_count > 200
    assert report.tunnel_count >= 1
    assert (graph.arc_flags & int(ArcFlag.ONEWAY) > 0).mean() > 0.01
    assert (graph.arc_flags & int(ArcFlag.PRIVATE) > 0).any()
    assert (graph.arc_flags & int(ArcFlag.NO_CAR) > 0).any()
    streets = {graph.names[name] for name in graph.arc_name}
    assert streets > {"邵阳大道", "红旗路", "宝庆中路", "魏源路", "邵水西路", "资江南路", "320国道"}


def test_street_blocks_are_no_grid(graph: RoadGraph, city: City) -> None:
    """In a grid all streets run two ways; here every direction is taken."""
    inside = nodes_in(graph, city, "city")
    arcs = np.flatnonzero(inside[graph.arc_from] & inside[graph.arc_to])
    start, end = graph.geom_start[arcs], graph.geom_start[arcs + 1] - 1
    step = graph.geom_lonlat[end] - graph.geom_lonlat[start]
    angle = np.degrees(np.arctan2(step[:, 1], step[:, 0] * np.cos(np.radians(27.2)))) % 90
    share, _ = np.histogram(angle, bins=18, range=(0, 90), weights=graph.arc_length_m[arcs])
    assert share.max() / share.sum() < 0.2
    assert share.min() / share.sum() > 0.005


def _streets_at(graph: RoadGraph, shape: shapely.Geometry) -> set[str]:
    """Names of the bridges that meet a shape in metres; "no bridge" where another street does."""
    metres = graph.geom_lonlat * (metres_per_lon(27.24), M_PER_DEGREE)
    arc_of_point = np.repeat(np.arange(graph.arc_count), np.diff(graph.geom_start))
    lines = shapely.linestrings(metres, indices=arc_of_point)
    bridge = graph.arc_flags & int(ArcFlag.BRIDGE) > 0
    return {
        graph.names[graph.arc_name[arc]] if bridge[arc] else "no bridge"
        for arc in np.flatnonzero(shapely.intersects(lines, shape))
    }


def _metres(points: Iterable[tuple[float, float]]) -> np.ndarray:
    return np.array(list(points)) * (metres_per_lon(27.24), M_PER_DEGREE)


def test_no_street_comes_near_the_published_points_of_the_rivers(graph: RoadGraph) -> None:
    inner_zi, inner_shao = ZI[5:], SHAO[1:-1]  # outside the ring road lie fields
    for points in (inner_zi, inner_shao):
        water = shapely.MultiPoint(_metres(points)).buffer(CLEAR_M)
        assert "no bridge" not in _streets_at(graph, water)


def test_only_the_known_bridges_cross_the_rivers(
    graph: RoadGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "data" / "osm"))
    from stand_in.facts import to_lonlat  # noqa: PLC0415
    from stand_in.skeleton import shao_line, zi_line  # noqa: PLC0415

    zi, shao = (
        shapely.LineString(_metres(map(to_lonlat, line))) for line in (zi_line(), shao_line())
    )
    assert _streets_at(graph, zi) == ZI_BRIDGES | {"新邵资江一桥"}
    assert _streets_at(graph, shao) == SHAO_BRIDGES


def test_without_the_bridges_the_banks_fall_apart(graph: RoadGraph, city: City) -> None:
    """Whatever the lines say: take the ten bridges away and no street leads across."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    banned = [k for k, name in enumerate(graph.names) if name in ZI_BRIDGES | SHAO_BRIDGES]
    inside = nodes_in(graph, city, "city")
    kept = ~np.isin(graph.arc_name, banned) & inside[graph.arc_from] & inside[graph.arc_to]
    links = coo_matrix(
        (np.ones(kept.sum()), (graph.arc_from[kept], graph.arc_to[kept])),
        shape=(graph.node_count, graph.node_count),
    )
    labels = connected_components(links, directed=False)[1]
    large = [label for label, size in Counter(labels[inside].tolist()).items() if size > 1000]
    assert len(large) == 3  # 北塔, 大祥, 双清
    for label in large:
        here = inside & (labels == label)
        lon, lat = graph.node_lon[here].mean(), graph.node_lat[here].mean()
        assert distance_m(lon, lat, 111.464, 27.246) < 6000


def test_the_real_closure_of_a_bridge_can_be_played(graph: RoadGraph, roads: Roads) -> None:
    """资江一桥 was shut for six weeks: it lies on the shortest way between its ends."""
    west, east = roads.snap(111.4660, 27.2535), roads.snap(111.4745, 27.2525)
    way = roads.travel(west, east, Profile.RESPONSE_CAR)
    assert "资江一桥" in {graph.names[graph.arc_name[arc]] for arc in way.arcs}


# --- the city ---


def test_forces_are_those_that_are_published(city: City) -> None:
    assert city.synthetic
    assert len(city.platforms) == 33
    per_area = Counter(platform.area_id for platform in city.platforms)
    assert per_area.pop("city") == 10
    assert len(per_area) == 9
    assert min(per_area.values()) >= 2
    assert per_area["shaodong"] == per_area["longhui"] == 3
    names = {platform.name for platform in city.platforms}
    assert names > {"北塔1号", "沿江桥", "大祥3号", "大祥6号", "4号", "5号", "新邵1号", "邵东3号"}
    kinds = defaultdict(Counter)
    for unit in city.units:
        kinds[unit.platform_id][unit.kind] += 1
    assert len(kinds) == 33
    assert set(map(frozenset, (count.items() for count in kinds.values()))) == {
        frozenset(
            {
                (UnitKind.COMMAND_VEHICLE, 1),
                (UnitKind.RESPONSE_CAR, 2),
                (UnitKind.MOTORCYCLE, 4),
            }
        )
    }
    assert len({unit.call_sign for unit in city.units}) == 231


def test_whatever_is_invented_says_so(city: City) -> None:
    for items in (city.areas, city.platforms, city.units, city.grids, city.zones, city.key_sites):
        assert all(item.synthetic for item in items)


def test_the_promise_is_one_three_five_minutes(city: City) -> None:
    targets = {(zone.zone_class, zone.target_s) for zone in city.zones}
    assert targets == {(ZoneClass.KEY_SITE, 60), (ZoneClass.CORE, 180), (ZoneClass.OTHER, 300)}
    promise = Promise(city)
    for platform in city.platforms:
        assert promise.target_s_at(platform.lon, platform.lat) is not None
        area = promise.area_at(platform.lon, platform.lat)
        assert area is not None
        assert area.area_id == platform.area_id
    urban = [
        site for site in city.key_sites if promise.area_at(site.lon, site.lat).area_id == "city"
    ]
    assert len(urban) >= 60


def test_ten_main_grids_cover_the_city_and_stop_at_the_rivers(city: City) -> None:
    grids = [grid.polygon for grid in city.grids if grid.area_id == "city"]
    area = next(area.polygon for area in city.areas if area.area_id == "city")
    assert len(grids) == 10
    assert shapely.union_all(grids).area == pytest.approx(area.area, rel=1e-3)
    assert sum(grid.area for grid in grids) == pytest.approx(area.area, rel=1e-3)
    promise = Promise(city)
    assert promise.platform_at(111.4431, 27.2495).name.startswith("北塔")
    assert promise.platform_at(111.4431, 27.2445).name.startswith("大祥")


def test_the_city_lies_on_its_network(city: City, roads: Roads) -> None:
    assert check_city(city, roads, snap_max_m=30.0) == ()


def test_every_county_town_can_be_reached_from_the_city(city: City, roads: Roads) -> None:
    centre = roads.snap(111.467, 27.239)
    first = {platform.area_id: platform for platform in city.platforms[::-1]}
    for platform in first.values():
        there = roads.snap(platform.lon, platform.lat)
        way = roads.travel(centre, there, Profile.RESPONSE_CAR)
        crow_m = distance_m(111.467, 27.239, platform.lon, platform.lat)
        assert crow_m - 500 < way.length_m < 2 * crow_m + 2_000


# --- the model cases ---


def test_beita_1_reaches_the_west_lake_bridge_within_a_minute(
    city: City, roads: Roads, gazetteer: Gazetteer
) -> None:
    platform = next(p for p in city.platforms if p.name == "北塔1号")
    bridge = gazetteer.find("西湖桥")
    assert Promise(city).target_s_at(bridge.lon, bridge.lat) == 60
    start, end = roads.snap(platform.lon, platform.lat), roads.snap(bridge.lon, bridge.lat)
    assert end.road == "西湖桥"
    for profile in (Profile.RESPONSE_CAR, Profile.MOTORCYCLE):
        assert roads.travel(start, end, profile).travel_ms < 45_000


def test_straight_over_the_water_is_not_the_fastest(roads: Roads) -> None:
    call, over, bank = (roads.snap(*point) for point in (CALL, OVER_THE_WATER, ON_THE_BANK))
    crow_m = [
        distance_m(unit.snapped_lon, unit.snapped_lat, call.snapped_lon, call.snapped_lat)
        for unit in (over, bank)
    ]
    assert crow_m[0] == pytest.approx(250, abs=15)
    assert crow_m[1] > 2.5 * crow_m[0]
    ways = [roads.travel(unit, call, Profile.RESPONSE_CAR) for unit in (over, bank)]
    assert ways[1].length_m == pytest.approx(900, abs=60)
    assert ways[0].length_m > 1_700
    assert ways[1].travel_ms + 30_000 < ways[0].travel_ms
    fleet = roads.new_fleet(2)
    for slot, unit in enumerate((over, bank)):
        fleet.place(slot, Profile.RESPONSE_CAR, unit.stands)
    assert roads.nearest(call, fleet, k=1)[0].slot == 1


# --- places ---


def test_known_places_are_found(gazetteer: Gazetteer) -> None:
    for name in (*ZI_BRIDGES, *SHAO_BRIDGES, "火车站", "邵阳学院", "南门口", "红旗路", "邵阳大道"):
        assert gazetteer.find(name).name == name
    assert gazetteer.find("xihuqiao").name == "西湖桥"
    assert gazetteer.find("北塔1号").kind == "platform"
    crossing = gazetteer.find("红旗路/宝庆中路")
    assert gazetteer.find("宝庆路/红旗路") is crossing
    assert crossing.kind == "crossing"


def test_streets_of_county_towns_are_told_apart(gazetteer: Gazetteer) -> None:
    with pytest.raises(AmbiguousPlace, match="names 9 places"):
        gazetteer.find("人民路")
    assert gazetteer.find("隆回人民路").name == "人民路"


def test_every_place_lies_on_the_network(city: City, roads: Roads) -> None:
    for place in city.places[::25]:
        roads.snap(place.lon, place.lat, max_m=150.0)


# --- the generator ---


@pytest.mark.skipif(
    "KUAIJING_LONG" not in os.environ, reason="half a minute: with KUAIJING_LONG=1, in make torture"
)
def test_the_generator_writes_what_ships_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable, str(ROOT / "data" / "osm" / "make_stand_in.py"),
            "--out", str(tmp_path / "again.osm.pbf"), "--city", str(tmp_path / "city"),
        ],
        check=True, capture_output=True, timeout=200,
    )  # fmt: skip
    assert _sha(tmp_path / "again.osm.pbf") == _sha(shipped_network())
    for name in CITY_FILES:
        assert (tmp_path / "city" / name).read_bytes() == (shipped_city() / name).read_bytes()


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
