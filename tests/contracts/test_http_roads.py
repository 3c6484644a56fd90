"""The network as a map, ways, isochrones, closures and speeds; the city's places."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from routing.graph import ROAD_CLASSES
from tests.contracts.http_town import HttpTown, Json, assert_problem, lon_lat
from tests.road_graphs import point


def route(town: HttpTown, start: Json, end: Json, profile: str = "response_car") -> Json:
    reply = town.client().post("/v1/routes", json={"from": start, "to": end, "profile": profile})
    assert reply.status_code == 200, reply.text
    answer: Json = reply.json()
    return answer


def test_the_network_is_a_map_that_says_what_it_is(town: HttpTown) -> None:
    reply = town.client().get("/v1/roads")
    collection = reply.json()
    assert reply.headers["content-type"] == "application/geo+json"
    assert reply.headers["x-kuaijing-synthetic"] == "network, city"
    assert collection["synthetic"] is True
    graph = town.service.roads.graph
    edges = [feature["properties"]["edge_id"] for feature in collection["features"]]
    backs = [feature["properties"]["reverse_edge_id"] for feature in collection["features"]]
    assert sorted(map(int, filter(None, edges + backs))) == list(range(graph.arc_count))
    first = collection["features"][0]
    drawn = first["geometry"]["coordinates"]
    assert np.allclose(drawn, graph.arc_line(int(first["id"])), atol=1e-6)


def test_a_version_of_the_network_is_immutable(town: HttpTown) -> None:
    version = town.service.roads.road_version
    present = town.client().get("/v1/roads")
    assert present.headers["content-location"] == f"/v1/roads/{version}"
    kept = town.client().get(f"/v1/roads/{version}")
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["etag"] == present.headers["etag"]
    assert kept.json() == present.json()
    again = town.client().get("/v1/roads", headers={"If-None-Match": kept.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert_problem(town.client().get("/v1/roads/0123456789abcdef"), 404, "not_found")


def test_the_network_is_zipped_for_whom_it_suits(town: HttpTown) -> None:
    zipped = town.client().get("/v1/roads", headers={"Accept-Encoding": "gzip"})
    plain = town.client().get("/v1/roads", headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert len(gzip.compress(plain.content)) < len(plain.content)
    units = town.client().get("/v1/units", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in units.headers


def test_a_way_is_drawn_and_adds_up(town: HttpTown) -> None:
    found = route(town, lon_lat(0, 0), lon_lat(400, 200))
    assert found["distance_m"] == pytest.approx(600, abs=1)
    assert sum(step["distance_m"] for step in found["steps"]) == pytest.approx(600, abs=1)
    times = [step["travel_s"] for step in found["steps"]]
    assert sum(times) == pytest.approx(found["travel_s"], abs=0.01)
    assert (found["steps"][0]["turn"], found["steps"][-1]["turn"]) == ("depart", "arrive")
    line = found["geometry"]["coordinates"]
    assert line[0] == pytest.approx(point(0, 0), abs=1e-5)
    assert line[-1] == pytest.approx(point(400, 200), abs=1e-5)
    assert found["synthetic"] is True


def test_a_way_from_off_the_network_or_with_a_strange_profile(town: HttpTown) -> None:
    far = {"from": lon_lat(-5_000, 0), "to": lon_lat(0, 0)}
    assert_problem(town.client().post("/v1/routes", json=far), 422, "off_network")
    strange = {"from": lon_lat(0, 0), "to": lon_lat(9, 0), "profile": "tank"}
    assert_problem(town.client().post("/v1/routes", json=strange), 422, "invalid_request")


def test_isochrones_grow_with_their_seconds(town: HttpTown) -> None:
    where = lon_lat(600, 700)
    query = {**where, "seconds": "30,60,120"}
    reply = town.client().get("/v1/isochrones", params=query)
    assert reply.status_code == 200, reply.text
    features = reply.json()["features"]
    assert [feature["properties"]["seconds"] for feature in features] == [120, 60, 30]
    shapes = [shape(feature["geometry"]) for feature in features]
    assert all(one.is_valid for one in shapes)
    assert shapes[0].area > shapes[1].area > shapes[2].area
    assert shapes[2].distance(shapely.Point(where["lon"], where["lat"])) < 1e-4


@pytest.mark.parametrize("seconds", ["0", "60,", "x", "9999", "1,2,3,4,5,6,7,8,9,10,11"])
def test_isochrones_have_bounds(town: HttpTown, seconds: str) -> None:
    reply = town.client().get("/v1/isochrones", params={**lon_lat(0, 0), "seconds": seconds})
    assert_problem(reply, 422, "invalid_request")


def edge_between(town: HttpTown, start: tuple[float, float], end: tuple[float, float]) -> str:
    """The edge that runs from one crossing to the next."""
    graph = town.service.roads.graph
    for arc in range(graph.arc_count):
        line = graph.arc_line(arc)
        if line[0] == pytest.approx(point(*start), abs=1e-6) and line[-1] == pytest.approx(
            point(*end), abs=1e-6
        ):
            return str(arc)
    raise AssertionError("no such edge")


def test_a_closure_by_edge_counts_at_once_and_until_it_is_lifted(town: HttpTown) -> None:
    start, end = lon_lat(20, 0), lon_lat(580, 0)
    free = route(town, start, end)
    edge = edge_between(town, (200, 0), (400, 0))
    made = town.client().post(
        "/v1/roads/closures", json={"edge_ids": [int(edge)], "direction": "forward"}
    )
    assert made.status_code == 201, made.text
    closure = made.json()
    assert closure["edge_ids"] == [edge]
    shut = route(town, start, end)
    assert shut["travel_s"] > free["travel_s"]
    assert shut["conditions_version"] > free["conditions_version"]
    assert route(town, end, start)["distance_m"] == pytest.approx(560, abs=1)
    assert [one["id"] for one in town.client().get("/v1/roads/closures").json()["items"]] == [
        closure["id"]
    ]
    lifted = town.client().delete(f"/v1/roads/closures/{closure['id']}")
    assert (lifted.status_code, lifted.json()["id"]) == (200, closure["id"])
    assert route(town, start, end)["travel_s"] == free["travel_s"]
    again = town.client().delete(f"/v1/roads/closures/{closure['id']}")
    assert_problem(again, 404, "closure_unknown")


def test_a_closed_street_is_driven_to_a_place_on_it_and_off_it_and_not_through(
    town: HttpTown,
) -> None:
    before, on_it, beyond = lon_lat(20, 0), lon_lat(300, 0), lon_lat(580, 0)
    free = [route(town, *way) for way in ((before, on_it), (on_it, beyond), (before, beyond))]
    assert [(one["closed_first_m"], one["closed_last_m"]) for one in free] == [(0, 0)] * 3
    edge = edge_between(town, (200, 0), (400, 0))
    town.client().post("/v1/roads/closures", json={"edge_ids": [edge], "reason": "事故"})
    onto, off = route(town, before, on_it), route(town, on_it, beyond)
    assert (onto["travel_s"], off["travel_s"]) == (free[0]["travel_s"], free[1]["travel_s"])
    assert (onto["closed_first_m"], onto["closed_last_m"]) == (0, pytest.approx(100, abs=1))
    assert (off["closed_first_m"], off["closed_last_m"]) == (pytest.approx(100, abs=1), 0)
    assert sum(step["travel_s"] for step in onto["steps"]) == pytest.approx(
        onto["travel_s"], abs=0.01
    )
    through = route(town, before, beyond)
    assert through["distance_m"] > free[2]["distance_m"] + 300
    assert (through["closed_first_m"], through["closed_last_m"]) == (0, 0)


def test_a_call_on_a_closed_street_is_answered_and_says_what_is_closed(town: HttpTown) -> None:
    edge = edge_between(town, (200, 0), (400, 0))
    way = {"edge_ids": [edge], "reason": "事故"}
    closure = town.client().post("/v1/roads/closures", json=way).json()
    reported = town.report(330, 0)
    (order,) = reported["assignments"]
    said = f"m are closed: R0 ({closure['id']})"
    assert all(said in one["reason"] for one in reported["recommendation"]["candidates"])
    assert said in reported["recommendation"]["why"]
    assert order["route"]["closed_last_m"] > 0
    # Open again, the way is the same and closed no more.
    town.client().delete(f"/v1/roads/closures/{closure['id']}")
    again = town.client().get(f"/v1/assignments/{order['id']}").json()
    assert again["route"]["geometry"] == order["route"]["geometry"]
    assert again["route"]["closed_last_m"] == 0


def test_a_closure_by_line_means_the_street_along_it(town: HttpTown) -> None:
    line = [list(point(210, 3)), list(point(390, -2))]
    for direction, start, end in (
        ("forward", (200, 0), (400, 0)),
        ("backward", (400, 0), (200, 0)),
    ):
        made = (
            town.client()
            .post(
                "/v1/roads/closures",
                json={
                    "geometry": {"type": "LineString", "coordinates": line},
                    "direction": direction,
                },
            )
            .json()
        )
        assert made["edge_ids"] == [edge_between(town, start, end)]
        assert made["geometry"] == {"type": "LineString", "coordinates": line}


def test_a_closure_by_area_means_all_that_reaches_into_it(town: HttpTown) -> None:
    ring = [point(590, 590), point(610, 590), point(610, 610), point(590, 610), point(590, 590)]
    area = {"type": "Polygon", "coordinates": [[list(one) for one in ring]]}
    made = town.client().post("/v1/roads/closures", json={"geometry": area}).json()
    assert len(made["edge_ids"]) == 8, "four streets meet there, in both directions"
    assert made["geometry"]["type"] == "Polygon"


def test_an_area_keeps_its_holes_and_a_line_round_a_block_stays_a_line(town: HttpTown) -> None:
    def ring(west: float, east: float) -> list[list[float]]:
        corners = [(west, west), (east, west), (east, east), (west, east), (west, west)]
        return [list(point(*corner)) for corner in corners]

    area = {"type": "Polygon", "coordinates": [ring(-50, 450), ring(150, 250)]}
    line = {"type": "LineString", "coordinates": ring(0, 400)}
    for geometry in (area, line):
        town.client().post("/v1/roads/closures", json={"geometry": geometry})
    items = town.client().get("/v1/roads/closures").json()["items"]
    assert [one["geometry"] for one in items] == [area, line]


def test_an_active_way_over_a_closed_road_is_found_anew(town: HttpTown) -> None:
    reported = town.report(300, 0)
    order = reported["assignments"][0]
    graph = town.service.roads.graph
    used = town.service.runner.board.assignments[order["id"]].arcs
    way_ids = sorted({str(int(graph.arc_way_id[arc])) for arc in used[:-1]})
    assert way_ids
    after = town.client().get("/v1/snapshot").json()["seq"]
    made = town.client().post("/v1/roads/closures", json={"edge_ids": [str(used[0])]})
    assert made.status_code == 201
    kinds = {
        event["type"] for event in town.client().get(f"/v1/events?after={after}").json()["items"]
    }
    assert {"road_closed", "assignment_rechecked"} <= kinds


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"edge_ids": []},
        {"edge_ids": ["0"], "way_ids": ["1"]},
        {"edge_ids": ["x"]},
        {"geometry": {"type": "Point", "coordinates": [1, 2]}},
        {"geometry": {"type": "LineString", "coordinates": [[1, 2]]}},
        {"edge_ids": ["0"], "from": "2026-01-01T10:00:00Z", "until": "2026-01-01T09:00:00Z"},
        {"edge_ids": ["0"], "until": "2026-01-01T09:00:00"},
    ],
)
def test_closures_that_make_no_sense(town: HttpTown, body: Json) -> None:
    assert_problem(town.client().post("/v1/roads/closures", json=body), 422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {"edge_ids": ["99999999"]},
        {"way_ids": ["123456789012"]},
        {"geometry": {"type": "LineString", "coordinates": [[1, 2], [1, 3]]}},
    ],
)
def test_closures_of_roads_that_are_not_there(town: HttpTown, body: Json) -> None:
    assert_problem(town.client().post("/v1/roads/closures", json=body), 422, "unknown_road")


def of_this_hour(ahead_min: int, *, long_min: int = 60) -> Json:
    """Daily hours that began or begin so many minutes from now, by the city's clock."""
    begin = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(minutes=ahead_min)
    end = begin + timedelta(minutes=long_min)
    return {"from": f"{begin:%H:%M}", "until": f"{end:%H:%M}"}


def test_a_closure_holds_in_its_daily_hours_only(town: HttpTown) -> None:
    # Through the street and not along it: whoever stands on a closed road may leave it.
    start, end = lon_lat(0, 20), lon_lat(200, 20)
    free = route(town, start, end)["travel_s"]
    edge = edge_between(town, (0, 0), (200, 0))
    body = {"edge_ids": [edge], "direction": "forward", "reason": "早晚高峰禁行"}
    for daily, shut in (
        ([of_this_hour(-30)], True),
        ([of_this_hour(120)], False),
        ([of_this_hour(120), of_this_hour(-30)], True),
        # Touching hours do not overlap, and midnight is an hour like another.
        ([{"from": "22:00", "until": "00:00"}, {"from": "00:00", "until": "05:30"}], None),
    ):
        made = town.client().post("/v1/roads/closures", json={**body, "daily": daily})
        assert made.status_code == 201, made.text
        assert made.json()["daily"] == daily
        [listed] = town.client().get("/v1/roads/closures").json()["items"]
        assert listed["daily"] == daily
        [kept] = town.client().get("/v1/snapshot").json()["closures"]
        assert kept == listed
        if shut is not None:
            assert (route(town, start, end)["travel_s"] > free) is shut
        assert route(town, end, start)["distance_m"] == pytest.approx(240, abs=1)
        town.client().delete(f"/v1/roads/closures/{made.json()['id']}")
    assert route(town, start, end)["travel_s"] == free


def test_a_closure_without_daily_hours_holds_all_day_and_says_so(town: HttpTown) -> None:
    made = town.client().post("/v1/roads/closures", json={"edge_ids": ["0"]}).json()
    assert made["daily"] is None


@pytest.mark.parametrize(
    ("daily", "what"),
    [
        ([], "at least 1 item"),
        ("07:00-09:00", "valid array"),
        ([{"from": "07:00"}], "until"),
        ([{"from": "7:00", "until": "09:00"}], "'7:00' is no time of day: write HH:MM"),
        ([{"from": "07:00", "until": "24:00"}], "'24:00' is no time of day"),
        ([{"from": "07:60", "until": "09:00"}], "'07:60' is no time of day"),
        ([{"from": "07:00:00", "until": "09:00"}], "'07:00:00' is no time of day"),
        ([{"from": "\u0660\u0667:00", "until": "09:00"}], "no time of day"),
        ([{"from": 7, "until": 9}], "string"),
        ([{"from": "07:00", "until": "07:00"}], "leave daily out to close it all day"),
        ([{"from": "07:00", "until": "09:00", "days": "1-5"}], "days"),
        (
            [{"from": "07:00", "until": "09:00"}, {"from": "08:59", "until": "10:00"}],
            "07:00-09:00 and 08:59-10:00 overlap",
        ),
        (
            [{"from": "22:00", "until": "06:00"}, {"from": "05:00", "until": "07:00"}],
            "22:00-06:00 and 05:00-07:00 overlap",
        ),
        ([{"from": f"{hour:02d}:00", "until": f"{hour:02d}:30"} for hour in range(13)], "12 items"),
    ],
)
def test_daily_hours_that_make_no_sense(town: HttpTown, daily: Any, what: str) -> None:
    seq = town.client().get("/v1/snapshot").json()["seq"]
    reply = town.client().post("/v1/roads/closures", json={"edge_ids": ["0"], "daily": daily})
    problem = assert_problem(reply, 422, "invalid_request")
    assert what in problem["detail"]
    assert town.client().get("/v1/snapshot").json()["seq"] == seq


def test_daily_hours_that_never_fall_into_the_period_are_refused(town: HttpTown) -> None:
    until = datetime.now(UTC) + timedelta(minutes=30)
    body = {"edge_ids": ["0"], "until": until.isoformat()}
    never = {**body, "daily": [of_this_hour(120)]}
    problem = assert_problem(
        town.client().post("/v1/roads/closures", json=never), 422, "invalid_request"
    )
    assert (
        "none of the daily hours (Asia/Shanghai) falls between from and until"
        in (problem["detail"])
    )
    soon = {**body, "daily": [of_this_hour(10)]}
    assert town.client().post("/v1/roads/closures", json=soon).status_code == 201


def test_a_closure_may_begin_later(town: HttpTown) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    free = route(town, lon_lat(20, 0), lon_lat(180, 0))
    edge = edge_between(town, (0, 0), (200, 0))
    town.client().post("/v1/roads/closures", json={"edge_ids": [edge], "from": later.isoformat()})
    assert route(town, lon_lat(20, 0), lon_lat(180, 0))["travel_s"] == free["travel_s"]


@pytest.mark.parametrize("where", [{}, {"area_id": "city"}, {"road_class": "residential"}])
def test_slower_roads_take_longer(town: HttpTown, where: Json) -> None:
    start, end = lon_lat(0, 0), lon_lat(400, 0)
    free = route(town, start, end)["travel_s"]
    if "road_class" in where:
        graph = town.service.roads.graph
        driven = int(edge_between(town, (0, 0), (200, 0)))
        where = {"road_class": ROAD_CLASSES[graph.arc_class[driven]]}
    made = town.client().post("/v1/roads/speeds", json={"factor": 0.5, **where})
    assert made.status_code == 201, made.text
    assert route(town, start, end)["travel_s"] > free * 1.5
    listed = town.client().get("/v1/roads/speeds").json()["items"]
    assert [one["factor"] for one in listed] == [0.5]
    lifted = town.client().delete(f"/v1/roads/speeds/{made.json()['id']}")
    assert lifted.status_code == 200
    assert route(town, start, end)["travel_s"] == free


def test_speeds_of_areas_that_are_not_there(town: HttpTown) -> None:
    reply = town.client().post("/v1/roads/speeds", json={"factor": 0.5, "area_id": "moon"})
    assert_problem(reply, 422, "invalid_request")


def test_the_city_is_shown_and_marked_synthetic(town: HttpTown) -> None:
    platforms = town.client().get("/v1/platforms").json()
    assert [one["id"] for one in platforms["items"]] == ["P01", "P02", "P03", "P04"]
    assert platforms["items"][0]["units"] == ["P01-CV", "P01-C1", "P01-M1"]
    zones = town.client().get("/v1/zones").json()
    promised = [one["properties"] for one in zones["features"]]
    assert {one["zone_class"]: one["target_s"] for one in promised} == {"key_site": 60, "core": 180}
    sites = town.client().get("/v1/key-sites").json()
    assert sites["features"][0]["properties"]["name"] == "西湖桥"
    assert platforms["synthetic"] is zones["synthetic"] is sites["synthetic"] is True


@pytest.mark.parametrize("q", ["西湖", "xihu", "xhq", "西湖大桥"])
def test_places_are_found_by_what_people_type(town: HttpTown, q: str) -> None:
    found = town.client().get("/v1/places", params={"q": q}).json()["items"]
    assert [one["name"] for one in found] == ["西湖桥"]


def test_an_incident_at_a_place_by_name_and_at_a_point_of_a_chinese_map(town: HttpTown) -> None:
    named = (
        town.client()
        .post("/v1/incidents", json={"place": "西湖桥", "category": "help"})
        .json()["incident"]
    )
    assert (named["address"], named["zone_class"], named["target_s"]) == ("西湖桥", "key_site", 60)
    assert named["platform_id"] == "P01"
    given = {"lon": named["location"]["lon"], "lat": named["location"]["lat"], "crs": "cgcs2000"}
    other = (
        town.client()
        .post("/v1/incidents", json={"location": given, "category": "help"})
        .json()["incident"]
    )
    assert other["location"]["given"] == given
    assert other["location"]["crs"] == "wgs84"
