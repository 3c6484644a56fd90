"""What the service knows of its town, and that it says what is invented."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from tests.scenarios.http.street_map import straight_m
from tests.scenarios.http.town import Town

KINDS = {"command_vehicle": 1, "response_car": 2, "motorcycle": 4}


def test_33_platforms_with_seven_units_each(town: Town) -> None:
    platforms = list(town.platforms.values())
    assert len(platforms) == 33
    assert sum(one["area_id"] == town.city_area for one in platforms) == 10
    assert all(one["synthetic"] is True for one in platforms)
    kinds = Counter((one["platform_id"], one["kind"]) for one in town.desk.items("/v1/units"))
    assert len(kinds) == 33 * 3
    for (_, kind), count in kinds.items():
        assert count == KINDS[kind]


def test_zones_and_key_sites_are_geojson_and_say_that_they_are_invented(town: Town) -> None:
    zones = town.desk.get("/v1/zones").json()
    assert zones["type"] == "FeatureCollection"
    targets = {
        (one["properties"]["zone_class"], one["properties"]["target_s"])
        for one in zones["features"]
    }
    assert {("key_site", 60), ("core", 180), ("other", 300)} <= targets
    sites = town.desk.get("/v1/key-sites").json()
    assert len(sites["features"]) >= 60
    assert {one["geometry"]["type"] for one in sites["features"]} == {"Point"}
    assert zones["synthetic"] is True
    assert sites["synthetic"] is True


@pytest.mark.parametrize("query", ["西湖桥", "西湖", "xihuqiao", "xhq"])
def test_a_place_is_found_by_name_pinyin_and_initials(town: Town, query: str) -> None:
    found = town.desk.get("/v1/places", q=query).json()["items"]
    assert "西湖桥" in [one["name"] for one in found]


def test_the_network_is_served_packed_and_for_ever_under_its_version(town: Town) -> None:
    present = town.desk.http.get("/v1/roads")
    assert present.status_code == 200, present.text[:500]
    address = present.headers["Content-Location"]
    reply = town.desk.get(address)
    assert reply.content == present.content
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "immutable" in reply.headers["Cache-Control"]
    assert address.endswith(town.snapshot()["road_version"])
    unchanged = {"If-None-Match": reply.headers["ETag"]}
    town.desk.get(address, headers=unchanged, expect=304)
    town.desk.get("/v1/roads/0000000000000000", expect=404)
    roads = json.loads(reply.content)
    assert roads["type"] == "FeatureCollection"
    assert len(roads["features"]) > 5_000


def test_a_route_has_line_streets_and_turns(town: Town) -> None:
    first, second = (one["location"] for one in town.platforms_of(town.city_area)[:2])
    body = {"from": first, "to": second, "profile": "response_car"}
    route = town.desk.post("/v1/routes", body, expect=200).json()
    line = route["geometry"]["coordinates"]
    for end, point in ((line[0], first), (line[-1], second)):
        assert straight_m((end[0], end[1]), (point["lon"], point["lat"])) < 200
    assert route["distance_m"] >= straight_m(tuple(line[0]), tuple(line[-1])) - 1.0
    assert sum(one["travel_s"] for one in route["steps"]) == pytest.approx(
        route["travel_s"], abs=0.1
    )
    assert {"road", "distance_m", "travel_s", "turn"} <= route["steps"][0].keys()
    drawn = sum(straight_m(tuple(a), tuple(b)) for a, b in pairwise(line))
    assert drawn == pytest.approx(route["distance_m"], rel=0.01)


def test_isochrones_grow(town: Town) -> None:
    from shapely.geometry import Point, shape  # noqa: PLC0415

    home = town.platforms_of(town.city_area)[0]["location"]
    reply = town.desk.get(
        "/v1/isochrones", lon=home["lon"], lat=home["lat"], seconds="60,180,300"
    ).json()
    features = sorted(reply["features"], key=lambda one: one["properties"]["seconds"])
    assert [one["properties"]["seconds"] for one in features] == [60, 180, 300]
    areas = [shape(one["geometry"]) for one in features]
    assert areas[0].area < areas[1].area < areas[2].area
    assert areas[0].buffer(0.003).contains(Point(home["lon"], home["lat"]))


def test_slow_roads_are_slow_at_once(town: Town) -> None:
    first, second = (one["location"] for one in town.platforms_of(town.city_area)[:2])
    body = {"from": first, "to": second, "profile": "response_car"}
    usual_s = town.desk.post("/v1/routes", body, expect=200).json()["travel_s"]
    factor = town.desk.post(
        "/v1/roads/speeds", {"factor": 0.5, "area_id": town.city_area, "reason": "冰雪"}, expect=201
    ).json()
    try:
        slow_s = town.desk.post("/v1/routes", body, expect=200).json()["travel_s"]
        assert 1.5 * usual_s < slow_s <= 2.0 * usual_s + 0.1
    finally:
        town.desk.delete(f"/v1/roads/speeds/{factor['id']}", expect=200)
    again_s = town.desk.post("/v1/routes", body, expect=200).json()["travel_s"]
    assert again_s == pytest.approx(usual_s)
