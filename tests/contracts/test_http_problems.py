"""Errors are problem documents that say what, why and how to mend, with the ids concerned."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.http.body_limit import BODY_MAX_BYTES
from api.http.cursors import write_cursor
from api.http.schemas.positions import BATCH_MAX
from api.settings import Limits, Settings
from tests.contracts.http_town import HttpTown, Json, assert_problem, lon_lat, served


def test_a_path_that_is_not_there(town: HttpTown) -> None:
    assert_problem(town.client().get("/v2/incidents"), 404, "not_found")


def test_a_method_that_is_not_there(town: HttpTown) -> None:
    reply = town.client().delete("/v1/incidents")
    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        ("/v1/incidents/I999999", "incident_unknown", "incident_id"),
        ("/v1/assignments/A999999", "assignment_unknown", "assignment_id"),
        ("/v1/units/X", "unit_unknown", "unit_id"),
    ],
)
def test_an_id_that_nobody_has(town: HttpTown, path: str, code: str, field: str) -> None:
    problem = assert_problem(town.client().get(path), 404, code)
    assert problem[field] == path.rsplit("/", 1)[1]


def test_all_faults_of_a_body_are_named(town: HttpTown) -> None:
    body = {"location": lon_lat(0, 0), "category": "help", "priority": 9, "colour": "red"}
    problem = assert_problem(town.client().post("/v1/incidents", json=body), 422, "invalid_request")
    assert {tuple(one["loc"]) for one in problem["errors"]} == {
        ("body", "priority"),
        ("body", "colour"),
    }


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "status=x"])
def test_faults_of_a_query(town: HttpTown, query: str) -> None:
    reply = town.client().get(f"/v1/incidents?{query}")
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_taken_unit_names_its_holder_and_who_else_could_go(town: HttpTown) -> None:
    held = town.report(0, 0)
    unit_id = held["assignments"][0]["unit_id"]
    other = town.report(200, 0, dispatch="manual")["incident"]
    reply = town.client().post(
        f"/v1/incidents/{other['id']}/assignments",
        json={"unit_id": unit_id},
        headers={"If-Match": f'"{other["version"]}"'},
    )
    problem = assert_problem(reply, 409, "unit_taken")
    assert problem["holder"] == held["incident"]["id"]
    assert problem["unit_id"] == unit_id
    assert problem["candidates"]
    assert unit_id not in {one["unit_id"] for one in problem["candidates"]}
    assert {"eta_s", "travel_s", "call_sign", "margin_s"} <= problem["candidates"][0].keys()


def test_merging_into_an_incident_that_has_ended_says_its_state(town: HttpTown) -> None:
    one, other = (town.report(east_m, 0)["incident"]["id"] for east_m in (0, 400))
    town.client().post(f"/v1/incidents/{one}/cancel", json={})

    def merge(into: str) -> httpx.Response:
        return town.client().post(f"/v1/incidents/{other}/merge", json={"into": into})

    problem = assert_problem(merge(one), 409, "state_conflict")
    assert (problem["resource_id"], problem["state"]) == (one, "cancelled")
    assert "reopen it" in problem["detail"]
    assert_problem(merge("I999999"), 404, "incident_unknown")


def test_a_step_after_the_end_is_answered_each_time_and_logged_once(town: HttpTown) -> None:
    answer = town.report(0, 0)
    order, incident = answer["assignments"][0], answer["incident"]
    town.client().post(f"/v1/incidents/{incident['id']}/cancel", json={})
    seq = town.client().get("/v1/snapshot").json()["seq"]
    crew = town.client("vehicle", order["unit_id"])
    body = {"at": datetime.now(UTC).isoformat(), "seq": 7}
    for _ in range(3):
        reply = crew.post(f"/v1/assignments/{order['id']}/arrive", json=body)
        assert (reply.status_code, reply.json()["applied"]) == (200, False)
    events = town.client().get("/v1/events", params={"after": seq}).json()["items"]
    assert [one["type"] for one in events] == ["late_stamp_recorded"]


def test_a_point_far_off_is_refused_with_its_distance(town: HttpTown) -> None:
    body = {"location": lon_lat(-3_000, 0), "category": "help"}
    problem = assert_problem(town.client().post("/v1/incidents", json=body), 422, "off_network")
    assert problem["nearest_m"] == pytest.approx(3_000, rel=0.02)
    assert str(round(problem["nearest_m"])) in problem["detail"]


@pytest.mark.parametrize("field", ["occurred_at", "reported_at"])
@pytest.mark.parametrize("at", ["2099-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "+70 s"])
def test_a_time_that_has_yet_to_come_is_refused(town: HttpTown, field: str, at: str) -> None:
    if at == "+70 s":
        at = (datetime.now(UTC) + timedelta(seconds=70)).isoformat()
    body = {"location": lon_lat(0, 0), "category": "help", field: at}
    for path in ("/v1/incidents", "/v1/recommendations"):
        reply = town.client().post(path, json=body)
        problem = assert_problem(reply, 422, "invalid_request")
        assert problem["errors"][0]["loc"] == ["body", field]
        assert field in problem["detail"]


def test_a_desk_clock_may_run_some_seconds_ahead(town: HttpTown) -> None:
    at = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    assert town.report(0, 0, occurred_at=at, reported_at=at)["incident"]["id"]


def test_an_unknown_place_comes_with_names_that_are_near(town: HttpTown) -> None:
    body = {"place": "东湖桥", "category": "help"}
    problem = assert_problem(town.client().post("/v1/incidents", json=body), 422, "unknown_place")
    assert "西湖桥" in problem["candidates"]


def test_a_body_that_is_too_large(town: HttpTown) -> None:
    body = b" " * (BODY_MAX_BYTES + 1)
    assert_problem(town.client().post("/v1/incidents", content=body), 413, "body_too_large")


def test_a_body_that_is_too_large_and_does_not_say_so(town: HttpTown) -> None:
    def chunks() -> object:
        for _ in range(20):
            yield b" " * 65_536

    with town.client_with(town.token("dispatcher")) as client:
        reply = client.post("/v1/incidents", content=chunks())  # type: ignore[arg-type]
    assert_problem(reply, 413, "body_too_large")


def test_a_batch_with_too_many_positions(town: HttpTown) -> None:
    one = {"unit_id": "P", "lon": 1, "lat": 1, "at": "2026-01-01T00:00:00Z"}
    body = json.dumps([one] * (BATCH_MAX + 1), separators=(",", ":"))
    assert len(body) < BODY_MAX_BYTES
    assert_problem(town.client().post("/v1/positions", content=body), 413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'[1, {"unit_id": "\xff"}]',
        b'[1, {"unit_id": "\\ud800"}]',
        b'[{"unit_id": "\xff", "lon": 1, "lat": 1, "at": "2026-01-01T00:00:00Z"}]',
    ],
)
def test_a_batch_that_no_decoder_can_read(town: HttpTown, body: bytes) -> None:
    reply = town.client().post("/v1/positions", content=body)
    if reply.status_code == 200:
        assert {item["result"] for item in reply.json()["items"]} == {"rejected"}
    else:
        assert_problem(reply, 422, "invalid_request")


@pytest.mark.parametrize("body", [b'{"a":' * 50_000, b"&".join(b"a%d=1" % n for n in range(200))])
def test_a_device_that_sends_no_end_of_fields(town: HttpTown, body: bytes) -> None:
    assert_problem(town.client().post("/osmand", content=body), 422, "invalid_request")


def test_a_cursor_with_a_number_that_no_store_takes(town: HttpTown) -> None:
    forged = write_cursor("incidents", ["history", 2**64 - 1, "I000001"])
    assert_problem(town.client().get("/v1/incidents", params={"cursor": forged}), 422, "bad_cursor")


def test_a_slash_too_many_is_an_unknown_path_and_no_redirect(town: HttpTown) -> None:
    assert_problem(town.client().get("/v1/units/"), 404, "not_found")


def test_every_answer_has_a_request_id_and_keeps_a_plain_one(town: HttpTown) -> None:
    ids = {town.client().get("/v1/units").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    kept = town.client().get("/v1/units", headers={"X-Request-Id": "tablet-7.42"})
    assert kept.headers["x-request-id"] == "tablet-7.42"
    strange = town.client().get("/v1/units", headers={"X-Request-Id": "a b"})
    assert strange.headers["x-request-id"] != "a b"


def test_a_token_that_asks_too_much_is_slowed_but_never_its_emergencies(
    tmp_path: object,
) -> None:
    settings = Settings(limits=Limits(requests_per_s=0.5, requests_burst=3))
    with served(tmp_path / "data", settings) as town:  # type: ignore[operator]
        client = town.client()
        assert [client.get("/v1/platforms").status_code for _ in range(4)] == [200, 200, 200, 429]
        slowed = client.get("/v1/platforms")
        assert_problem(slowed, 429, "rate_limited")
        assert 1 <= int(slowed.headers["retry-after"]) <= 2
        assignment = town.report(0, 0)["assignments"][0]
        crew = town.client("vehicle", assignment["unit_id"])
        for _ in range(3):
            crew.get("/v1/platforms")
        for step in ("ack", "depart", "arrive", "feedback", "clear"):
            done = crew.post(f"/v1/assignments/{assignment['id']}/{step}", json={})
            assert done.status_code == 200, done.text


def test_a_fault_of_ours_is_answered_with_its_id_and_nothing_of_its_inside(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> Json:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("api.http.routes.city._platform_view", broken)
    reply: httpx.Response = town.client().get("/v1/platforms")
    problem = assert_problem(reply, 500, "internal")
    assert reply.headers["x-request-id"] in problem["detail"]
    assert "secret" not in reply.text
