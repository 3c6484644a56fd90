"""What holds for all calls: idempotency, versions, cursors, times, open doors and closed ones."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.scenarios.http.client import Client, Json, check_problem, parse_time
from tests.scenarios.http.process import ServiceProcess, kuaijing
from tests.scenarios.http.town import Town


def test_the_same_key_and_body_get_the_same_answer_again(town: Town) -> None:
    body = {"location": town.home(town.county(0)), "category": "dispute"}
    key = str(uuid4())
    first = town.desk.post("/v1/incidents", body, expect=201, key=key)
    seq = town.seq()
    again = town.desk.post("/v1/incidents", body, expect=201, key=key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert town.seq() == seq
    # The key belongs to its caller: another desk's is another key.
    other = town.client("dispatcher", nth=2).post("/v1/incidents", body, expect=201, key=key)
    assert other.json()["incident"]["id"] != first.json()["incident"]["id"]


def test_a_stamp_with_a_key_is_given_once(town: Town) -> None:
    (order,) = town.report(town.home(town.county(1)))["assignments"]
    crew, key = town.crew(order["unit_id"]), str(uuid4())
    path, body = f"/v1/assignments/{order['id']}/ack", {"at": order["dispatched_at"]}
    first = crew.post(path, body, expect=200, key=key)
    again = crew.post(path, body, expect=200, key=key)
    assert first.json()["applied"] is True
    assert again.content == first.content


def test_every_change_makes_a_new_version_and_a_stale_one_changes_nothing(town: Town) -> None:
    incident = town.report(town.home(town.county(2)), priority=3)["incident"]
    path = f"/v1/incidents/{incident['id']}"
    read = town.desk.get(path)
    assert read.headers["ETag"] == f'"{read.json()["version"]}"'
    etag = read.headers["ETag"]

    changed = town.desk.patch(
        path, {"priority": 2, "description": "更正"}, expect=200, if_match=etag
    )
    assert changed.json()["version"] == read.json()["version"] + 1
    assert changed.headers["ETag"] == f'"{changed.json()["version"]}"'
    assert (changed.json()["priority"], changed.json()["description"]) == (2, "更正")

    stale = town.desk.patch(path, {"priority": 4}, expect=412, if_match=etag)
    assert stale.json()["current"]["version"] == changed.json()["version"]
    assert town.incident(incident["id"])["priority"] == 2


def test_lists_are_walked_by_cursor_without_gap_or_double(town: Town) -> None:
    home = town.home(town.county(3))
    made = [town.report(home, dispatch="manual")["incident"]["id"] for _ in range(7)]
    seen: list[str] = []
    query: Json = {"limit": 3, "status": "pending"}
    while True:
        page = town.desk.get("/v1/incidents", **query).json()
        assert len(page["items"]) <= 3
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))


def test_history_keeps_what_is_closed(town: Town) -> None:
    incident = town.report(town.home(town.county(4)))["incident"]
    town.close_incident(incident["id"], release_units=True)
    closed = town.desk.items("/v1/incidents", status="closed", since=incident["received_at"])
    assert [one["id"] for one in closed] == [incident["id"]]
    assert town.incident(incident["id"])["status"] == "closed"
    assert town.assignment(incident["assignments"][0])["state"] == "released"
    assert not town.desk.items("/v1/incidents", status="closed", until="2020-01-01T00:00:00Z")


def test_filters_of_lists(town: Town) -> None:
    area = town.county(5)
    home = town.home(area)
    incident = town.report(home, category="traffic")["incident"]
    town.report(home, category="dispute")
    by_category = town.desk.items("/v1/incidents", category="traffic", status="dispatched")
    assert [one["id"] for one in by_category] == [incident["id"]]
    platform = incident["platform_id"]
    assert {one["platform_id"] for one in town.desk.items("/v1/incidents", platform=platform)} == {
        platform
    }
    units = town.desk.items("/v1/units", platform=platform)
    assert len(units) == 7
    assert {one["platform_id"] for one in units} == {platform}
    assert town.desk.items("/v1/units", platform=platform, status="off_duty") == []


def test_times_are_utc_and_kept_twice(town: Town) -> None:
    incident = town.report(
        town.home(town.county(6)),
        occurred_at="2026-01-02T03:04:05+08:00",
        reported_at="2026-01-01T19:05:00Z",
    )["incident"]
    assert parse_time(incident["occurred_at"]) == parse_time("2026-01-01T19:04:05Z")
    assert parse_time(incident["reported_at"]) == parse_time("2026-01-01T19:05:00Z")
    assert parse_time(incident["received_at"]) <= parse_time(incident["dispatched_at"])


def test_a_recommendation_changes_nothing(town: Town) -> None:
    before = town.snapshot()
    body = {"location": town.home(town.county(7)), "category": "dispute", "k": 3}
    answer = town.client("analyst").post("/v1/recommendations", body, expect=200).json()
    assert len(answer["candidates"]) == 3
    assert town.snapshot()["seq"] == before["seq"]
    assert town.snapshot()["incidents"] == before["incidents"]


def test_open_and_closed_doors(town: Town) -> None:
    with Client(town.service.url, None) as anybody:
        anybody.get("/healthz")
        anybody.get("/readyz")
        for path in (
            "/v1/incidents",
            "/v1/units",
            "/v1/snapshot",
            "/v1/events",
            "/v1/platforms",
            "/v1/reports/arrivals",
            "/v1/events/stream",
        ):
            anybody.get(path, expect=401)


def test_the_contract_is_published(town: Town) -> None:
    document = httpx.get(f"{town.service.url}/openapi.json", trust_env=False).json()
    assert document["openapi"].startswith("3.1")
    assert httpx.get(f"{town.service.url}/docs", trust_env=False).status_code == 200
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "patch", "delete")
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) >= 30
    for path in (
        "/v1/incidents",
        "/v1/incidents/{incident_id}",
        "/v1/recommendations",
        "/v1/positions",
        "/v1/snapshot",
        "/v1/routes",
        "/v1/roads/closures",
    ):
        assert path in document["paths"], path


def test_metrics_speak_prometheus(town: Town) -> None:
    text = town.client("admin").get("/metrics").text
    assert "kuaijing_" in text
    assert "# TYPE" in text


def test_a_hasty_client_is_slowed_down_but_never_a_call_or_a_crew(tmp_path: Path) -> None:
    service = ServiceProcess(
        tmp_path / "data",
        KUAIJING_LIMITS_REQUESTS_PER_S="1",
        KUAIJING_LIMITS_REQUESTS_BURST="20",
    )
    service.start()
    town = Town(service)
    try:
        unit = town.units_of(town.city_area)[0]["id"]
        home = town.home(town.city_area)
        replies = [town.desk.http.get("/v1/snapshot") for _ in range(25)]
        slowed = [one for one in replies if one.status_code == 429]
        assert slowed
        for one in slowed:
            assert check_problem(one)["code"] == "rate_limited"
            assert int(one.headers["Retry-After"]) >= 1
        for _ in range(25):
            (order,) = town.report(home)["assignments"]
            town.crew(unit).post(f"/v1/units/{unit}/status", {"status": "posted"}, expect=200)
            town.stamp(order, "ack")
            town.stamp(order, "clear")
    finally:
        town.close()
        service.stop()


VEHICLE_MAY_NOT = [
    ("GET", "/v1/incidents"),
    ("GET", "/v1/snapshot"),
    ("GET", "/v1/events"),
    ("GET", "/v1/events/stream"),
    ("GET", "/v1/reports/arrivals"),
    ("POST", "/v1/incidents"),
    ("POST", "/v1/roads/closures"),
]


@pytest.mark.parametrize(("method", "path"), VEHICLE_MAY_NOT)
def test_a_vehicle_sees_its_own_matters_only(town: Town, method: str, path: str) -> None:
    crew = town.crew(town.units_of(town.county(0))[0]["id"])
    reply = crew.http.request(method, path, json={} if method == "POST" else None)
    assert reply.status_code == 403, reply.text


def test_a_vehicle_reads_and_moves_its_own_unit_only(town: Town) -> None:
    mine, other = (one["id"] for one in town.units_of(town.county(0))[:2])
    crew = town.crew(mine)
    crew.get(f"/v1/units/{mine}")
    crew.get(f"/v1/units/{mine}/inbox", wait=0)
    crew.post(f"/v1/units/{mine}/status", {"status": "patrolling"}, expect=200)
    crew.get(f"/v1/units/{other}", expect=403)
    crew.get(f"/v1/units/{other}/inbox", expect=403)
    crew.post(f"/v1/units/{other}/status", {"status": "patrolling"}, expect=403)
    (order,) = town.report(town.home(town.county(1)))["assignments"]
    crew.get(f"/v1/assignments/{order['id']}", expect=403)
    town.crew(order["unit_id"]).get(f"/v1/assignments/{order['id']}")


def test_an_analyst_reads_and_changes_nothing(town: Town) -> None:
    analyst = town.client("analyst")
    unit = town.units_of(town.county(0))[0]["id"]
    analyst.get("/v1/incidents")
    analyst.get("/v1/reports/arrivals")
    analyst.post(f"/v1/units/{unit}/status", {"status": "off_duty"}, expect=403)
    analyst.post("/v1/roads/closures", {"edge_ids": [0]}, expect=403)
    assert town.unit(unit)["on_duty"] is True


def test_a_revoked_token_is_refused_at_once(town: Town) -> None:
    made = kuaijing("token", "create", "--data", town.service.data, "--role", "analyst")
    token = made.stdout.strip()
    with Client(town.service.url, token) as analyst:
        analyst.get("/v1/units", limit=1)
        done = kuaijing("token", "revoke", token.split("_")[2], "--data", town.service.data)
        assert done.returncode == 0, done.stderr
        analyst.get("/v1/units", limit=1, expect=401)


def test_a_vehicle_token_needs_its_unit(town: Town) -> None:
    data = town.service.data
    assert kuaijing("token", "create", "--data", data, "--role", "vehicle").returncode in (1, 2)
    assert kuaijing("token", "create", "--data", data, "--role", "king").returncode == 2
