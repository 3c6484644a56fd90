"""Places that a network names by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from platforms.network_places import crossing_places, street_places
from routing.geometry import distance_m
from routing.graph import RoadGraph
from tests.osm_drawing import EAST_M_PER_DEGREE, Drawing


@pytest.fixture
def graph(tmp_path: Path) -> RoadGraph:
    """宝庆路 west-east with two carriageways, 红旗路 across, another 红旗路 five km away."""
    town = Drawing()
    for k, x in enumerate((0, 500, 1000)):
        town.node(1 + k, x, 0)
        town.node(11 + k, x, 20)
    town.node(21, 500, -300)
    town.node(22, 500, 300)
    town.node(31, 1000, 5000)
    town.node(32, 1200, 5000)
    town.way(1, [1, 2, 3], "primary", oneway="yes", name="宝庆路")
    town.way(2, [13, 12, 11], "primary", oneway="yes", name="宝庆路")
    town.way(3, [21, 2, 12, 22], name="红旗路")
    town.way(4, [1, 11])
    town.way(5, [3, 13], "secondary", name="西湖桥", bridge="yes")
    town.way(6, [13, 31])
    town.way(7, [31, 32], name="红旗路")
    return town.build(tmp_path)[0]


def _away_m(place: object, x_m: float, y_m: float) -> float:
    lon, lat = 100 + x_m / EAST_M_PER_DEGREE, y_m / EAST_M_PER_DEGREE
    return distance_m(place.lon, place.lat, lon, lat)  # type: ignore[attr-defined]


def test_a_street_is_one_place_in_its_middle_and_its_namesake_another(graph: RoadGraph) -> None:
    places = street_places(graph)
    assert sorted((place.name, place.kind) for place in places) == [
        ("宝庆路", "street"), ("红旗路", "street"), ("红旗路", "street"), ("西湖桥", "bridge"),
    ]  # fmt: skip
    near, far = sorted(
        (place for place in places if place.name == "红旗路"), key=lambda place: place.lat
    )
    assert _away_m(near, 500, 10) < 20
    assert _away_m(far, 1100, 5000) < 5
    bridge = next(place for place in places if place.kind == "bridge")
    assert _away_m(bridge, 1000, 10) < 2
    assert (bridge.pinyin, bridge.initials) == ("xihuqiao", "xhq")


def test_both_carriageways_make_one_crossing(graph: RoadGraph) -> None:
    places = crossing_places(graph)
    assert sorted(place.name for place in places) == ["宝庆路/红旗路", "宝庆路/西湖桥"]
    crossing = next(place for place in places if "红旗" in place.name)
    assert crossing.kind == "crossing"
    assert _away_m(crossing, 500, 10) < 15
