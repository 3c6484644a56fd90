"""Lending a unit over HTTP: versions, bad input, what the crew and the feed are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from tests.contracts.http_town import HttpTown, Json, assert_problem

UNIT = "P01-C1"
PATH = f"/v1/units/{UNIT}/loan"
IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def etag(town: HttpTown) -> dict[str, str]:
    return {"If-Match": town.client().get(f"/v1/units/{UNIT}").headers["etag"]}


def loan_notice(crew: httpx.Client) -> Json | None:
    """What the crew is told of a loan, if it is; other stories may have left other notices."""
    notices = crew.get(f"/v1/units/{UNIT}/inbox").json()["notices"]
    return next((one for one in notices if one["type"] == "on_loan"), None)


def test_a_unit_is_lent_and_given_back(town: HttpTown) -> None:
    desk, crew = town.client(), town.client("vehicle", UNIT)
    body = {"area_id": "county", "until": IN_AN_HOUR, "reason": "庙会增援"}
    reply = desk.post(PATH, json=body, headers=etag(town))
    assert reply.status_code == 200, reply.text
    lent = reply.json()
    assert (lent["area_id"], lent["loan"]["home_area_id"]) == ("county", "city")
    assert reply.headers["etag"] == etag(town)["If-Match"]
    told = loan_notice(crew)
    assert told is not None
    assert "庙会增援" in told["text"]
    assert "借调至" in told["text"]
    assert_problem(desk.post(PATH, json=body, headers=etag(town)), 409, "state_conflict")
    sent = [one["unit_id"] for one in town.report(0, 0, required={"any": 1})["assignments"]]
    assert sent != [UNIT], "it stands next door and is lent"

    back = desk.delete(PATH, headers=etag(town))
    assert (back.status_code, back.json()["area_id"], back.json()["loan"]) == (200, "city", None)
    assert loan_notice(crew) is None
    assert_problem(desk.delete(PATH, headers=etag(town)), 409, "state_conflict")
    kinds = [one["type"] for one in desk.get("/v1/events?after=0&limit=1000").json()["items"]]
    assert kinds.count("unit_lent") == kinds.count("loan_ended") >= 1


def test_what_is_wrong_with_a_loan_is_told_and_changes_nothing(town: HttpTown) -> None:
    desk, before = town.client(), town.client().get("/v1/snapshot").json()["seq"]
    tag = etag(town)
    assert_problem(desk.post(PATH, json={"area_id": "county"}), 428, "precondition_required")
    stale = {"If-Match": '"999999"'}
    assert_problem(desk.post(PATH, json={"area_id": "county"}, headers=stale), 412, "version_stale")
    unknown = desk.post(PATH, json={"area_id": "atlantis"}, headers=tag)
    assert "it has city, county" in assert_problem(unknown, 422, "invalid_request")["detail"]
    assert_problem(desk.post(PATH, json={"area_id": "city"}, headers=tag), 422, "bad_loan")
    past = {"area_id": "county", "until": "2020-01-01T00:00:00Z"}
    assert_problem(desk.post(PATH, json=past, headers=tag), 422, "bad_period")
    naive = {"area_id": "county", "until": "2030-01-01T00:00:00"}
    assert_problem(desk.post(PATH, json=naive, headers=tag), 422, "invalid_request")
    nobody = desk.post("/v1/units/X/loan", json={"area_id": "county"}, headers=tag)
    assert_problem(nobody, 404, "unit_unknown")
    crew = town.client("vehicle", UNIT)
    assert_problem(crew.post(PATH, json={"area_id": "county"}, headers=tag), 403, "forbidden")
    assert town.client().get("/v1/snapshot").json()["seq"] == before
