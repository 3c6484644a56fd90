"""Bad input: each is answered with its own problem, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from tests.scenarios.http.client import Client, Json, check_problem, now
from tests.scenarios.http.gcj02 import gcj02
from tests.scenarios.http.street_map import StreetMap
from tests.scenarios.http.town import Town

CENTRE = (111.467, 27.239)
STATE = ("incidents", "assignments", "closures", "units")


@contextmanager
def nothing_changes(town: Town) -> Iterator[None]:
    """Fail when the log grows or the board moves."""
    before = town.snapshot()
    yield
    after = town.snapshot()
    assert after["seq"] == before["seq"]
    for part in STATE:
        assert without_age(after[part]) == without_age(before[part]), part


def without_age(items: list[Json]) -> list[Json]:
    """Items as they are but for what ages by itself: a position's link, and what follows."""
    return [
        {name: value for name, value in item.items() if name not in ("position", "status")}
        if "call_sign" in item
        else item
        for item in items
    ]


def refused(town: Town, body: Any, *, status: int, code: str) -> Json:
    """Report something that is no incident; returns the problem."""
    with nothing_changes(town):
        reply = town.desk.send("POST", "/v1/incidents", body)
    assert reply.status_code == status, reply.text
    problem = check_problem(reply)
    assert problem["code"] == code, problem
    return problem


@pytest.fixture
def good(town: Town) -> Json:
    """A body that would be taken as it is."""
    return {"location": town.home(town.county(0)), "category": "dispute"}


def test_a_point_in_the_sea(town: Town, good: Json) -> None:
    good["location"] = {"lon": 122.0, "lat": 26.0}
    problem = refused(town, good, status=422, code="off_network")
    assert problem["nearest_m"] > 100_000
    assert str(round(problem["nearest_m"]))[:3] in problem["detail"].replace(",", "")


def test_a_point_50_km_off(town: Town, good: Json) -> None:
    # East of 邵东, beyond the last county town.
    good["location"] = {"lon": 112.5, "lat": 27.25}
    problem = refused(town, good, status=422, code="off_network")
    assert problem["nearest_m"] > 20_000


def test_a_point_of_another_map_that_lands_off_the_network(
    town: Town, good: Json, street_map: StreetMap
) -> None:
    """A GCJ-02 point without `crs` is hundreds of metres off; said, not snapped in silence."""
    # Country roads: in a dense town some other street is always near.
    streets = street_map.streets(Random(3), around=CENTRE, within_m=60_000.0)
    for number in streets:
        lon, lat = street_map.arcs[number].point(0.5)
        shifted = dict(zip(("lon", "lat"), gcj02(lon, lat), strict=True))
        away = street_map.nearest_end_m((shifted["lon"], shifted["lat"]))
        if away < 600.0 or street_map.arcs[number].length_m > 300.0:
            continue
        reply = town.desk.send("POST", "/v1/recommendations", good | {"location": shifted})
        if reply.status_code == 422:
            break
    else:
        pytest.fail("every street, shifted by its 500 m, is still taken for one of the town")
    refused(town, good | {"location": shifted}, status=422, code="off_network")

    # With its `crs` the same point is the place itself.
    told = good | {"location": shifted | {"crs": "gcj02"}, "dispatch": "manual"}
    incident = town.desk.post("/v1/incidents", told, expect=201).json()["incident"]
    assert incident["location"]["lon"] == pytest.approx(lon, abs=2e-5)
    assert incident["location"]["lat"] == pytest.approx(lat, abs=2e-5)
    assert incident["location"]["crs"] == "wgs84"


def test_an_unknown_place(town: Town, good: Json) -> None:
    del good["location"]
    problem = refused(town, good | {"place": "月球背面"}, status=422, code="unknown_place")
    assert "月球背面" in problem["detail"]


def test_an_unknown_category(town: Town, good: Json) -> None:
    good["category"] = "volcano"
    with nothing_changes(town):
        reply = town.desk.send("POST", "/v1/incidents", good)
    assert reply.status_code == 422
    assert "volcano" in check_problem(reply)["detail"] + reply.text


INVALID: list[tuple[str, Json]] = [
    ("naive time", {"reported_at": "2026-10-06T13:40:19"}),
    ("no time at all", {"reported_at": "yesterday"}),
    ("unknown field", {"colour": "red"}),
    ("priority 0", {"priority": 0}),
    ("priority 5", {"priority": 5}),
    ("priority as text", {"priority": "1"}),
    ("unknown source", {"source": "rumour"}),
    ("unknown kind", {"required": {"helicopter": 1}}),
    ("no units", {"required": {"response_car": 0}}),
    ("minus units", {"required": {"response_car": -1}}),
    ("very many units", {"required": {"response_car": 10_000}}),
    ("unknown dispatch", {"dispatch": "maybe"}),
    ("category missing", {"category": None}),
    ("location and place", {"place": "西湖桥"}),
    ("longitude 200", {"location": {"lon": 200.0, "lat": 27.2}}),
    ("latitude as text", {"location": {"lon": 111.4, "lat": "27.2"}}),
    ("latitude missing", {"location": {"lon": 111.4}}),
    ("unknown crs", {"location": {"lon": 111.4, "lat": 27.2, "crs": "mars"}}),
    ("unknown field in the point", {"location": {"lon": 111.4, "lat": 27.2, "alt": 3}}),
]


@pytest.mark.parametrize(("what", "change"), INVALID, ids=[what for what, _ in INVALID])
def test_a_body_that_breaks_the_contract(town: Town, good: Json, what: str, change: Json) -> None:
    refused(town, good | change, status=422, code="invalid_request")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(town: Town, good: Json, number: str) -> None:
    text = json.dumps(good).replace(str(good["location"]["lon"]), number)
    assert number in text
    with nothing_changes(town):
        reply = town.desk.send("POST", "/v1/incidents", content=text.encode())
    assert reply.status_code == 422, reply.text
    check_problem(reply)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}"])
def test_bodies_that_are_no_incident(town: Town, content: bytes) -> None:
    with nothing_changes(town):
        reply = town.desk.send("POST", "/v1/incidents", content=content)
    assert reply.status_code in (400, 422), reply.text
    check_problem(reply)


def test_a_body_of_5_mb(town: Town, good: Json) -> None:
    good["description"] = "x" * 5_000_000
    with nothing_changes(town):
        reply = town.desk.send("POST", "/v1/incidents", good)
    assert reply.status_code == 413, reply.text
    assert check_problem(reply)["code"] == "body_too_large"


def test_a_body_of_5_mb_without_its_length(town: Town) -> None:
    """Streamed in pieces: the limit counts bytes, it does not believe a header."""

    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    with nothing_changes(town):
        reply = town.desk.http.post(
            "/v1/incidents",
            content=pieces(),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
        )
    assert reply.status_code == 413
    check_problem(reply)


def test_the_wrong_role(town: Town, good: Json) -> None:
    unit = town.units_of(town.county(0))[0]["id"]
    for client in (town.client("analyst"), town.crew(unit)):
        with nothing_changes(town):
            client.post("/v1/incidents", good, expect=403)


def test_without_a_token_or_with_a_bad_one(town: Town, good: Json) -> None:
    for token in (None, "sy_dispatcher_nobody_secret", "x", town.service.token("admin")[:-1]):
        with Client(town.service.url, token) as stranger, nothing_changes(town):
            reply = stranger.post("/v1/incidents", good, expect=401)
            assert reply.json()["code"] == "unauthorized"


def test_another_units_assignment(town: Town, good: Json) -> None:
    (order,) = town.desk.post("/v1/incidents", good, expect=201).json()["assignments"]
    others = [one["id"] for one in town.units_of(town.county(0)) if one["id"] != order["unit_id"]]
    stranger = town.crew(others[0])
    for stamp, body in [
        ("ack", {}),
        ("depart", {}),
        ("arrive", {}),
        ("feedback", {"text": "x"}),
        ("clear", {}),
        ("decline", {"reason": "x"}),
    ]:
        with nothing_changes(town):
            path = f"/v1/assignments/{order['id']}/{stamp}"
            stranger.post(path, {"at": now(), **body}, expect=403)


def test_a_stale_or_missing_if_match(town: Town, good: Json) -> None:
    incident = town.desk.post("/v1/incidents", good, expect=201).json()["incident"]
    path = f"/v1/incidents/{incident['id']}"
    with nothing_changes(town):
        town.desk.patch(path, {"priority": 1}, expect=428)
        stale = town.desk.patch(path, {"priority": 1}, expect=412, if_match=9_999).json()
        for unclear in ('W/"1"', '"x"', "?"):
            reply = town.desk.send("PATCH", path, {"priority": 1}, if_match=unclear)
            assert reply.status_code in (400, 412, 422, 428), (unclear, reply.text)
    assert stale["current"]["id"] == incident["id"]
    assert stale["current"]["version"] == town.incident(incident["id"])["version"]


def test_a_reused_key_with_another_body(town: Town, good: Json) -> None:
    key = str(uuid4())
    town.desk.post("/v1/incidents", good, expect=201, key=key)
    with nothing_changes(town):
        reply = town.desk.post("/v1/incidents", good | {"priority": 1}, expect=422, key=key)
    assert reply.json()["code"] == "idempotency_key_reused"


def test_what_does_not_exist(town: Town) -> None:
    with nothing_changes(town):
        for path in (
            "/v1/incidents/I999999",
            "/v1/assignments/A999999",
            "/v1/units/P99-C9",
            "/v1/nothing",
            "/nothing",
        ):
            town.desk.get(path, expect=404)
        town.desk.post("/v1/assignments/A999999/ack", {"at": now()}, expect=404)
        town.desk.delete("/v1/roads/closures/C999999", expect=404)


def test_bad_fixes_are_refused_one_by_one(town: Town) -> None:
    """A bad fix does not spoil the batch it comes in; unknown fields are ignored."""
    units = [one["id"] for one in town.units_of(town.county(8))]
    home = town.home(town.county(8))
    unit, crew = units[0], town.crew(units[0])

    def send(**change: Any) -> Json:
        fix = {"unit_id": unit, **home, "at": now(), "battery": 0.9} | change
        reply = crew.post("/v1/positions", [fix], expect=200).json()
        (item,) = reply["items"]
        assert item["unit_id"] == fix["unit_id"]
        return item

    assert send()["result"] == "accepted"
    before = town.unit(unit)["position"]
    for change in ({"mock": True}, {"at": now(ago_s=-3600)}, {"lon": 122.0, "lat": 26.0}):
        item = send(**change)
        assert item["result"] == "rejected", change
        assert item["reason"], change
    late = send(at=now(ago_s=120))
    assert late["result"] == "late"
    assert town.unit(unit)["position"] == before

    fix = {"unit_id": unit, **home, "at": now()}
    reply = crew.send("POST", "/v1/positions", [fix] * 5001)
    assert reply.status_code in (413, 422), reply.text
    check_problem(reply)


def test_another_units_fix_is_refused(town: Town) -> None:
    units = [one["id"] for one in town.units_of(town.county(8))]
    fix = {"unit_id": units[1], **town.home(town.county(8)), "at": now()}
    before = town.unit(units[1])["position"]
    reply = town.crew(units[0]).send("POST", "/v1/positions", [fix])
    if reply.status_code == 200:
        assert reply.json()["items"][0]["result"] == "rejected"
    else:
        assert reply.status_code == 403, reply.text
    assert town.unit(units[1])["position"] == before


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "x"},
        {"cursor": "nonsense"},
        {"status": "lost"},
        {"since": "2026-10-06T13:40:19"},
    ],
    ids=str,
)
def test_bad_queries(town: Town, query: Json) -> None:
    town.desk.get("/v1/incidents", expect=422, **query)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"way_ids": []},
        {"way_ids": [1], "edge_ids": [1]},
        {"way_ids": [999_999_999_999], "reason": "x"},
        {"edge_ids": [99_999_999]},
        {"edge_ids": [0], "direction": "sideways"},
        {"edge_ids": [0], "until": "2020-01-01T00:00:00"},
        {"edge_ids": [0], "from": "2026-10-06T14:00:00Z", "until": "2026-10-06T13:00:00Z"},
    ],
    ids=str,
)
def test_bad_closures(town: Town, body: Json) -> None:
    with nothing_changes(town):
        town.desk.post("/v1/roads/closures", body, expect=422)
