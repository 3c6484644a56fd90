"""Units, their inbox, and positions in both protocols."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from routing.coordinates import from_wgs84
from tests.contracts.http_town import HttpTown, Json, assert_problem, fix, lon_lat


def moment(seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def send(town: HttpTown, *fixes: object) -> list[Json]:
    reply = town.client().post("/v1/positions", json=list(fixes))
    assert reply.status_code == 200, reply.text
    items: list[Json] = reply.json()["items"]
    return items


def test_pages_of_units_are_complete_and_in_order(town: HttpTown) -> None:
    seen, query = [], "/v1/units?limit=5"
    for _ in range(3):
        page = town.client().get(query).json()
        seen += [unit["id"] for unit in page["items"]]
        query = f"/v1/units?limit=5&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert seen == sorted(seen)
    assert len(seen) == 12


def test_units_are_found_by_status_and_platform(town: HttpTown) -> None:
    town.client().post("/v1/units/P02-C1/status", json={"status": "patrolling"})
    found = town.client().get("/v1/units?status=patrolling").json()["items"]
    assert [unit["id"] for unit in found] == ["P02-C1"]
    found = town.client().get("/v1/units?status=patrolling,standby&platform=P02").json()["items"]
    assert [unit["id"] for unit in found] == ["P02-C1", "P02-CV", "P02-M1"]


def test_a_bound_unit_cannot_go_off_duty(town: HttpTown) -> None:
    assignment = town.report(0, 0)["assignments"][0]
    path = f"/v1/units/{assignment['unit_id']}/status"
    reply = town.client().post(path, json={"status": "off_duty"})
    problem = assert_problem(reply, 409, "unit_busy")
    assert problem["assignment_id"] == assignment["id"]


def test_a_late_status_is_recorded_and_changes_nothing(town: HttpTown) -> None:
    path = "/v1/units/P03-C1/status"
    new = town.client().post(path, json={"status": "posted", "at": moment()})
    assert (new.json()["status"], new.json()["applied"]) == ("posted", True)
    old = town.client().post(path, json={"status": "patrolling", "at": moment(-30)})
    assert old.status_code == 200
    assert (old.json()["status"], old.json()["applied"]) == ("posted", False)


def test_the_inbox_waits_and_then_brings_the_order_with_its_way(town: HttpTown) -> None:
    unit_id = town.report(0, 0)["assignments"][0]["unit_id"]
    town.quiet()
    crew = town.client("vehicle", unit_id)
    path = f"/v1/units/{unit_id}/inbox"
    empty = crew.get(path)
    assert empty.json()["assignments"] == []
    tag = {"If-None-Match": empty.headers["etag"]}

    began_s = time.monotonic()
    assert crew.get(f"{path}?wait=0.5", headers=tag).status_code == 304
    assert time.monotonic() - began_s >= 0.4

    timer = threading.Timer(0.3, town.report, (0, 0))
    timer.start()
    news = crew.get(f"{path}?wait=20", headers=tag)
    timer.join()
    assert news.status_code == 200
    order = news.json()["assignments"][0]
    assert order["state"] == "dispatched"
    assert order["incident"]["category_initial"] == "help"
    assert order["route"]["steps"][-1]["turn"] == "arrive"
    line = order["route"]["geometry"]["coordinates"]
    there = order["incident"]["snapped"]
    assert line[-1] == pytest.approx([there["lon"], there["lat"]], abs=1e-5)
    assert order["route"]["distance_m"] == pytest.approx(order["distance_m"], abs=0.2)


def notices(town: HttpTown, unit_id: str) -> list[Json]:
    inbox = town.client("vehicle", unit_id).get(f"/v1/units/{unit_id}/inbox").json()
    found: list[Json] = inbox["notices"]
    return found


def recalled(town: HttpTown, order: Json) -> list[str]:
    return [
        one["type"]
        for one in notices(town, order["unit_id"])
        if one["assignment_id"] == order["id"]
    ]


def test_a_crew_whose_order_is_withdrawn_is_told_by_its_long_poll(town: HttpTown) -> None:
    answer = town.report(0, 0)
    order, incident_id = answer["assignments"][0], answer["incident"]["id"]
    crew, path = town.client("vehicle", order["unit_id"]), f"/v1/units/{order['unit_id']}/inbox"
    tag = {"If-None-Match": crew.get(path).headers["etag"]}
    cancel = threading.Timer(0.3, town.quiet)
    cancel.start()
    inbox = crew.get(f"{path}?wait=20", headers=tag).json()
    cancel.join()
    assert inbox["assignments"] == []
    told = [one for one in inbox["notices"] if one["assignment_id"] == order["id"]]
    assert [one["type"] for one in told] == ["recalled"]
    assert told[0]["incident_id"] == incident_id
    assert told[0]["since"]
    assert told[0]["text"]


def test_a_crew_that_is_not_needed_any_more_is_told(town: HttpTown) -> None:
    one, same = town.report(0, 0), town.report(20, 0)
    order, incident = same["assignments"][0], same["incident"]
    reply = town.client().post(
        f"/v1/incidents/{incident['id']}/merge",
        json={"into": one["incident"]["id"]},
        headers={"If-Match": f'"{incident["version"]}"'},
    )
    assert reply.status_code == 200, reply.text
    assert recalled(town, order) == ["recalled"]
    assert recalled(town, one["assignments"][0]) == []


def test_a_crew_under_way_is_told_that_the_incident_moved(town: HttpTown) -> None:
    answer = town.report(0, 0)
    order, incident = answer["assignments"][0], answer["incident"]
    reply = town.client().patch(
        f"/v1/incidents/{incident['id']}",
        json={"location": lon_lat(400, 0)},
        headers={"If-Match": f'"{incident["version"]}"'},
    )
    assert reply.status_code == 200, reply.text
    assert recalled(town, order) == ["incident_moved"]
    # Once the order is gone, where its incident is does not matter to the crew.
    town.quiet()
    assert recalled(town, order) == ["recalled"]


def test_a_late_depart_after_arrive_is_answered_200(town: HttpTown) -> None:
    assignment = town.report(0, 0)["assignments"][0]
    crew = town.client("vehicle", assignment["unit_id"])
    path = f"/v1/assignments/{assignment['id']}"
    arrived = crew.post(f"{path}/arrive", json={"at": moment(), "seq": 2}).json()
    assert arrived["state"] == "on_scene"
    assert arrived["stamps"]["departed"]["inferred"] is True
    late = crew.post(f"{path}/depart", json={"at": moment(), "seq": 1})
    assert late.status_code == 200
    assert late.json()["applied"] is False
    assert late.json()["departed_at"] == arrived["departed_at"]


def test_each_fix_of_a_batch_is_judged_by_itself(town: HttpTown) -> None:
    at = moment()
    results = send(
        town,
        fix("P04-C1", 0, 0, at, battery=80, anything={"x": 1}),
        fix("P04-C1", 0, 0, moment(-60)),
        fix("P04-C1", 0, 0, moment(), mock=True),
        fix("NOBODY", 0, 0, at),
        {"unit_id": "P04-M1", "lon": 200.0, "lat": 0.0, "at": at},
        {"unit_id": "P04-M1", **lon_lat(0, 0), "at": "2026-01-01T00:00:00"},
        {"lon": 1.0},
        "nonsense",
        fix("P04-M1", 0, 0, moment(3_600)),
    )
    assert [one["result"] for one in results] == ["accepted", "late"] + ["rejected"] * 7
    assert [one["unit_id"] for one in results][3:7] == ["NOBODY", "P04-M1", "P04-M1", None]
    assert all(one["reason"] for one in results[1:])


def test_a_position_is_shown_with_its_unit(town: HttpTown) -> None:
    send(town, fix("P04-CV", 3, 4, moment(-1), speed_mps=5.5, heading=-90.0, accuracy_m=4.0))
    position = town.client().get("/v1/units/P04-CV").json()["position"]
    assert (position["speed_mps"], position["heading"], position["link"]) == (5.5, 270.0, "live")
    assert position["at"].endswith("Z")


def test_fixes_of_chinese_maps_are_converted(town: HttpTown) -> None:
    true = lon_lat(10, 10)
    lon, lat = from_wgs84(true["lon"], true["lat"], "gcj02")
    results = send(
        town, {"unit_id": "P03-CV", "lon": lon, "lat": lat, "at": moment(), "crs": "gcj02"}
    )
    assert results[0]["result"] == "accepted"
    position = town.client().get("/v1/units/P03-CV").json()["position"]
    assert [position["lon"], position["lat"]] == pytest.approx([true["lon"], true["lat"]], abs=1e-6)


@pytest.mark.parametrize("body", ["", "{}", "[", "null", '{"unit_id": "P"}', "\xff"])
def test_a_batch_that_is_no_list(town: HttpTown, body: str) -> None:
    reply = town.client().post("/v1/positions", content=body.encode("latin-1"))
    assert_problem(reply, 422, "invalid_request")


def osmand_query(unit_or_token: str, **more: object) -> Json:
    point = lon_lat(20, 20)
    return {"id": unit_or_token, "timestamp": int(time.time()), **point, **more}


def test_osmand_queries_take_knots(town: HttpTown) -> None:
    token = town.token("vehicle", "P01-M1")
    with town.client_with(None) as phone:
        asked = osmand_query("P01-M1", token=token, speed=10, bearing=45, accuracy=3)
        reply = phone.get("/osmand", params=asked)
    assert (reply.status_code, reply.json()["result"]) == (200, "accepted")
    position = town.client().get("/v1/units/P01-M1").json()["position"]
    assert position["speed_mps"] == pytest.approx(5.1444, abs=1e-3)
    assert position["heading"] == 45


def test_osmand_json_takes_metres_per_second_and_the_token_as_device_id(town: HttpTown) -> None:
    token = town.token("vehicle", "P02-M1")
    point = lon_lat(30, 30)
    body = {
        "location": {
            "timestamp": moment(),
            "coords": {
                "latitude": point["lat"],
                "longitude": point["lon"],
                "speed": 7.5,
                "heading": -1,
                "accuracy": 5,
                "altitude": 230.0,
            },
            "is_moving": True,
        },
        "device_id": token,
    }
    with town.client_with(None) as phone:
        reply = phone.post("/osmand", json=body)
    assert (reply.status_code, reply.json()["result"]) == (200, "accepted")
    position = town.client().get("/v1/units/P02-M1").json()["position"]
    assert (position["speed_mps"], position["heading"]) == (7.5, None)


def test_osmand_forms_are_taken_too(town: HttpTown) -> None:
    with town.client_with(town.token("vehicle", "P03-M1")) as phone:
        reply = phone.post("/osmand", data=osmand_query("P03-M1"))
    assert reply.json()["result"] == "accepted"


def test_osmand_checks_the_token_and_the_unit(town: HttpTown) -> None:
    asked = osmand_query("P01-M1")
    with town.client_with(None) as phone:
        assert_problem(phone.get("/osmand", params=asked), 401, "unauthorized")
        stranger = {**asked, "token": town.token("vehicle", "P02-M1")}
        assert_problem(phone.get("/osmand", params=stranger), 403, "forbidden")
        reader = {**asked, "token": town.token("analyst")}
        assert_problem(phone.get("/osmand", params=reader), 403, "forbidden")
        desk = town.token("dispatcher")
        assert_problem(phone.get("/osmand", params={**asked, "id": desk}), 403, "forbidden")


@pytest.mark.parametrize(
    "wrong", [{"lat": "x"}, {"lon": 500}, {"timestamp": "yesterday"}, {"id": ""}]
)
def test_osmand_fixes_that_are_none(town: HttpTown, wrong: Json) -> None:
    with town.client_with(town.token("vehicle", "P01-M1")) as phone:
        reply: httpx.Response = phone.get("/osmand", params=osmand_query("P01-M1") | wrong)
    assert_problem(reply, 422, "invalid_request")
    assert json.loads(reply.text)["errors"]
