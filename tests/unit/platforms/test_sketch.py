"""A city sketched on a real network: whole, spread well, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree

from platforms.city import City, UnitKind
from platforms.city_check import check_city
from platforms.city_files import load_city, save_city
from platforms.errors import SketchImpossible
from platforms.gazetteer import Gazetteer
from platforms.promise import Promise
from platforms.sketch import KEY_SITES, sketch_city
from platforms.sketch_points import busy_nodes, spread, streets_of
from routing.graph import RoadGraph
from routing.osm.importer import import_network
from routing.roads import Roads


@pytest.fixture(scope="module")
def graph(helsinki_pbf: Path) -> RoadGraph:
    return import_network(helsinki_pbf, allow_pieces=True)[0]


@pytest.fixture(scope="module")
def city(graph: RoadGraph) -> City:
    return sketch_city(graph, 12, seed=7)


def test_a_sketch_is_whole_and_says_that_it_is_invented(city: City) -> None:
    assert city.synthetic
    assert city.sketch
    assert len(city.platforms) == len(city.grids) == 12
    assert len(city.areas) == 1
    assert len(city.key_sites) == KEY_SITES
    kinds = Counter(unit.kind for unit in city.units)
    assert kinds == {
        UnitKind.COMMAND_VEHICLE: 12, UnitKind.RESPONSE_CAR: 24, UnitKind.MOTORCYCLE: 48,
    }  # fmt: skip
    for item in (*city.platforms, *city.units, *city.grids, *city.zones, *city.key_sites):
        assert item.synthetic


def test_a_sketch_lies_on_its_network_and_keeps_its_own_rules(graph: RoadGraph, city: City) -> None:
    assert check_city(city, Roads(graph, python_twin=True), snap_max_m=5.0) == ()


def test_grids_cover_the_area_without_overlap(city: City) -> None:
    grids = [grid.polygon for grid in city.grids]
    area = city.areas[0].polygon
    assert sum(grid.area for grid in grids) == pytest.approx(area.area, rel=1e-3)
    assert shapely.union_all(grids).area == pytest.approx(area.area, rel=1e-3)


def test_every_place_of_the_network_is_promised_something(graph: RoadGraph, city: City) -> None:
    promise = Promise(city)
    for node in range(0, graph.node_count, 7):
        zone = promise.zone_at(float(graph.node_lon[node]), float(graph.node_lat[node]))
        assert zone.target_s in {60, 180, 300}


def test_the_core_is_denser_than_the_rest(graph: RoadGraph, city: City) -> None:
    streets = streets_of(graph)
    core = next(zone for zone in city.zones if zone.zone_id == "core").polygon
    middles = streets.frame.degrees(streets.middle)
    inside = shapely.contains_xy(core, middles[:, 0], middles[:, 1])
    share_of_road = streets.length_m[inside].sum() / streets.length_m.sum()
    assert share_of_road > 1.2 * core.area / city.areas[0].polygon.area


def test_streets_and_crossings_are_in_the_gazetteer(graph: RoadGraph, city: City) -> None:
    crossing = next(place for place in city.places if place.kind == "crossing")
    first, second = crossing.name.split("/")
    gazetteer = Gazetteer(city.places)
    for query in (f"{first}/{second}", f"{second} / {first}"):
        assert crossing in gazetteer.search(query)
    assert gazetteer.search(first)


def test_the_same_seed_gives_the_same_city(graph: RoadGraph, city: City, tmp_path: Path) -> None:
    save_city(city, tmp_path / "one")
    save_city(sketch_city(graph, 12, seed=7), tmp_path / "two")
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert sketch_city(graph, 12, seed=8).platforms != city.platforms
    assert load_city(tmp_path / "one") == city


def test_spread_beats_chance(graph: RoadGraph) -> None:
    """Weighted k-means leaves streets nearer to a platform than platforms drawn by lot."""
    streets = streets_of(graph)

    def mean_square_m2(points: np.ndarray) -> float:
        away = cKDTree(points).query(streets.middle)[0]
        return float(np.average(away**2, weights=streets.length_m))

    ours = mean_square_m2(spread(streets, 12, np.random.default_rng(1)))
    lots = [mean_square_m2(np.random.default_rng(k).choice(streets.middle, 12)) for k in range(10)]
    assert ours < 0.8 * min(lots)


def test_platforms_are_numbered_from_north_to_south(city: City) -> None:
    lats = [platform.lat for platform in city.platforms]
    assert all(north >= south for north, south in pairwise(lats))


def test_busy_junctions_keep_apart(graph: RoadGraph) -> None:
    streets = streets_of(graph)
    chosen = busy_nodes(streets, 5, apart_m=300.0, taken=streets.node[:1])
    away = cKDTree(np.concatenate([streets.node[:1], chosen])).query_pairs(300.0)
    assert not away


def test_a_network_too_small_is_refused(graph: RoadGraph) -> None:
    with pytest.raises(SketchImpossible, match="choose 1 to"):
        sketch_city(graph, 0)
    streets = streets_of(graph)
    with pytest.raises(SketchImpossible, match="fewer than the 999999"):
        spread(streets, 999_999, np.random.default_rng(1))
    with pytest.raises(SketchImpossible, match="key sites"):
        busy_nodes(streets, 999_999)
