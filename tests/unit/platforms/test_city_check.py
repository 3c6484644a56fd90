"""A city is checked against the roads that it is to be used on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from platforms.city import City
from platforms.city_check import check_city
from platforms.errors import CityOffNetwork
from platforms.sketch import sketch_city
from routing.osm.importer import import_network
from routing.roads import Roads


@pytest.fixture(scope="module")
def roads(helsinki_pbf: Path) -> Roads:
    return Roads(import_network(helsinki_pbf, allow_pieces=True)[0], python_twin=True)


@pytest.fixture(scope="module")
def city(roads: Roads) -> City:
    return sketch_city(roads, 3)


def test_all_points_off_the_network_are_named_with_their_distance(roads: Roads, city: City) -> None:
    first, *others = city.platforms
    north = float(roads.graph.node_lat.max()) + 0.01
    astray = replace(first, lat=north)
    swapped = replace(city.key_sites[4], lon=24.9, lat=10.0)
    sites = (*city.key_sites[:4], swapped, *city.key_sites[5:])
    with pytest.raises(CityOffNetwork) as caught:
        check_city(replace(city, platforms=(astray, *others), key_sites=sites), roads)
    problems = caught.value.problems
    assert len(problems) == 2
    assert problems[0].startswith("platform P01 1号平台 at ")
    assert " m from the nearest street, more than 150 m" in problems[0]
    assert "mend its coordinates" in problems[0]
    assert problems[1].startswith("key site K005 ")


def test_what_is_odd_is_warned_of(roads: Roads, city: City) -> None:
    one, two, three = city.platforms
    moved = replace(one, lon=two.lon, lat=two.lat)
    idle = tuple(replace(u, on_duty=u.platform_id != "P03") for u in city.units)
    zones = tuple(zone for zone in city.zones if zone.zone_class != "key_site")
    odd = replace(city, platforms=(moved, two, three), units=idle, zones=zones)
    warnings = check_city(odd, roads)
    assert len(warnings) == len(city.key_sites) + 2
    assert warnings[0].startswith("key site K001")
    assert "stands in grid G02, not in its own G01" in warnings[-2]
    assert "P03 3号平台 has no car or motorcycle" in warnings[-1]
