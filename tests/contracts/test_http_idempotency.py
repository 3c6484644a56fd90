"""Idempotency keys: the same answer again, for commands and for computed answers alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from tests.contracts.http_town import HttpTown, Json, assert_problem, fix, lon_lat


def bodies(town: HttpTown) -> dict[str, tuple[Json | list[Json], Json | list[Json]]]:
    """A body for each kind of POST, and another."""
    at = datetime.now(UTC).isoformat()
    call = {"location": lon_lat(300, 0), "category": "help"}
    return {
        "/v1/incidents": (call, {**call, "category": "dispute"}),
        "/v1/recommendations": (call, {**call, "k": 1}),
        "/v1/routes": (
            {"from": lon_lat(0, 0), "to": lon_lat(400, 400)},
            {"from": lon_lat(0, 0), "to": lon_lat(600, 400)},
        ),
        "/v1/positions": ([fix("P01-C1", 0, 0, at)], [fix("P01-C1", 9, 0, at)]),
        "/v1/units/P02-C1/status": ({"status": "patrolling"}, {"status": "posted"}),
        "/v1/roads/closures": ({"edge_ids": ["0"]}, {"edge_ids": ["1"]}),
        "/v1/roads/speeds": ({"factor": 0.5}, {"factor": 0.6}),
    }


PATHS = [
    "/v1/incidents",
    "/v1/recommendations",
    "/v1/routes",
    "/v1/positions",
    "/v1/units/P02-C1/status",
    "/v1/roads/closures",
    "/v1/roads/speeds",
]


@pytest.mark.parametrize("path", PATHS)
def test_the_same_key_and_body_get_the_same_answer(town: HttpTown, path: str) -> None:
    body, other = bodies(town)[path]
    client, headers = town.client(), {"Idempotency-Key": f"same {path} {datetime.now(UTC)}"}
    first = client.post(path, json=body, headers=headers)
    again = client.post(path, json=body, headers=headers)
    assert first.is_success, first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("etag", "content-type", "location"):
        assert again.headers.get(name) == first.headers.get(name)
    reused = client.post(path, json=other, headers=headers)
    assert_problem(reused, 422, "idempotency_key_reused")


def test_a_key_belongs_to_its_token(town: HttpTown) -> None:
    headers = {"Idempotency-Key": f"mine {datetime.now(UTC)}"}
    body = {"location": lon_lat(300, 0), "category": "help"}
    first = town.client().post("/v1/incidents", json=body, headers=headers)
    other = town.client("commander").post("/v1/incidents", json=body, headers=headers)
    assert first.json()["incident"]["id"] != other.json()["incident"]["id"]


def test_the_same_key_on_another_path_is_a_reuse(town: HttpTown) -> None:
    headers = {"Idempotency-Key": f"path {datetime.now(UTC)}"}
    incident = town.report()["incident"]
    done = town.client().post(f"/v1/incidents/{incident['id']}/nudge", json={}, headers=headers)
    assert done.status_code == 200
    other = town.client().post(f"/v1/incidents/{incident['id']}/cancel", json={}, headers=headers)
    assert_problem(other, 422, "idempotency_key_reused")


def test_a_refused_command_may_be_tried_again_with_its_key(town: HttpTown) -> None:
    incident = town.report()["incident"]
    headers = {"Idempotency-Key": f"again {datetime.now(UTC)}"}
    path = f"/v1/incidents/{incident['id']}/close"
    assert_problem(town.client().post(path, json={}, headers=headers), 409, "state_conflict")
    assignment = incident["assignments"][0]
    assert town.client().post(f"/v1/assignments/{assignment}/clear", json={}).status_code == 200
    assert town.client().post(path, json={}, headers=headers).status_code == 200


def test_many_at_once_with_one_key_make_one_incident(town: HttpTown) -> None:
    headers = {"Idempotency-Key": f"race {datetime.now(UTC)}"}
    body = {"location": lon_lat(300, 0), "category": "help"}

    def post(_number: int) -> httpx.Response:
        return town.client().post("/v1/incidents", json=body, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(post, range(16)))
    assert {reply.status_code for reply in replies} <= {201, 409}
    made = {reply.json()["incident"]["id"] for reply in replies if reply.status_code == 201}
    assert len(made) == 1
    for reply in replies:
        if reply.status_code == 409:
            assert_problem(reply, 409, "idempotency_key_in_progress")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_a_length(town: HttpTown, key: str) -> None:
    body = {"location": lon_lat(300, 0), "category": "help"}
    reply = town.client().post("/v1/incidents", json=body, headers={"Idempotency-Key": key})
    assert_problem(reply, 422, "invalid_request")
