"""Every route, every role: what is not written here is refused."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi.routing import APIRoute

from api.http.app import ROUTERS
from api.tokens import revoke_token
from tests.contracts.http_town import HttpTown, assert_problem

ROLES = ("dispatcher", "commander", "vehicle", "analyst", "admin")
DESK = {"dispatcher", "commander", "admin"}
READ = DESK | {"analyst"}
CREW = DESK | {"vehicle"}
ALL = set(ROLES)
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/docs"),
    ("GET", "/docs/start.js"),
    ("GET", "/docs/{name}"),
    ("GET", "/openapi.json"),
    # They check the token themselves: their clients cannot send a header.
    ("GET", "/osmand"),
    ("POST", "/osmand"),
}
ADMITTED: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/incidents"): DESK,
    ("GET", "/v1/incidents"): READ,
    ("GET", "/v1/incidents/{incident_id}"): ALL,
    ("PATCH", "/v1/incidents/{incident_id}"): DESK,
    ("POST", "/v1/incidents/{incident_id}/assignments"): DESK,
    ("POST", "/v1/incidents/{incident_id}/close"): DESK,
    ("POST", "/v1/incidents/{incident_id}/cancel"): DESK,
    ("POST", "/v1/incidents/{incident_id}/reopen"): DESK,
    ("POST", "/v1/incidents/{incident_id}/nudge"): DESK,
    ("POST", "/v1/incidents/{incident_id}/merge"): DESK,
    ("POST", "/v1/incidents/{incident_id}/notes"): DESK,
    ("POST", "/v1/recommendations"): READ,
    ("GET", "/v1/assignments/{assignment_id}"): ALL,
    ("POST", "/v1/assignments/{assignment_id}/ack"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/depart"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/arrive"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/feedback"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/clear"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/decline"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/corrections"): DESK,
    ("GET", "/v1/units"): READ,
    ("GET", "/v1/units/{unit_id}"): ALL,
    ("POST", "/v1/units/{unit_id}/status"): CREW,
    ("GET", "/v1/units/{unit_id}/inbox"): CREW,
    ("POST", "/v1/positions"): CREW,
    ("GET", "/v1/platforms"): ALL,
    ("GET", "/v1/zones"): ALL,
    ("GET", "/v1/key-sites"): ALL,
    ("GET", "/v1/places"): ALL,
    ("GET", "/v1/roads"): ALL,
    ("GET", "/v1/roads/{road_version}"): ALL,
    ("POST", "/v1/routes"): ALL,
    ("GET", "/v1/isochrones"): ALL,
    ("GET", "/v1/roads/closures"): ALL,
    ("POST", "/v1/roads/closures"): DESK,
    ("DELETE", "/v1/roads/closures/{closure_id}"): DESK,
    ("GET", "/v1/roads/speeds"): ALL,
    ("POST", "/v1/roads/speeds"): DESK,
    ("DELETE", "/v1/roads/speeds/{factor_id}"): DESK,
    ("GET", "/v1/events"): READ,
    ("GET", "/v1/events/stream"): READ,
    ("GET", "/v1/snapshot"): READ,
    ("GET", "/v1/reports/arrivals"): READ,
    ("GET", "/v1/reports/clocks"): READ,
    ("GET", "/metrics"): READ,
}
ROUTES = sorted(
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)


def ask(client: httpx.Client, method: str, path: str) -> int:
    """The status of a call with nothing sensible in it; a stream is left at its first line."""
    filled = re.sub(r"\{(\w+)\}", lambda found: "none", path)
    with client.stream(method, filled, json={} if method != "GET" else None) as reply:
        return reply.status_code


def test_every_route_is_judged_here() -> None:
    assert set(ROUTES) == OPEN | ADMITTED.keys()


@pytest.mark.parametrize(("method", "path"), sorted(ADMITTED))
def test_a_route_admits_its_roles_and_nobody_else(
    open_town: HttpTown, method: str, path: str
) -> None:
    with open_town.client_with(None) as nobody:
        assert ask(nobody, method, path) == 401
    with open_town.client_with("sy_admin_00000000_" + "0" * 64) as stranger:
        assert ask(stranger, method, path) == 401
    for role in ROLES:
        own = "none" if role == "vehicle" else None
        status = ask(open_town.client(role, own), method, path)
        if role in ADMITTED[method, path]:
            assert status not in (401, 403), (role, status)
        else:
            assert status == 403, (role, status)


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_open_routes_need_no_token_at_the_door(open_town: HttpTown, method: str, path: str) -> None:
    with open_town.client_with(None) as nobody:
        assert ask(nobody, method, path) in {200, 404, 422}


def test_a_vehicle_reads_and_moves_its_own_unit_only(town: HttpTown) -> None:
    assignment = town.report(0, 0)["assignments"][0]
    unit_id, incident_id = assignment["unit_id"], assignment["incident_id"]
    other_id = next(
        unit["id"]
        for unit in town.client().get("/v1/units").json()["items"]
        if unit["id"] != unit_id
    )
    own, other = town.client("vehicle", unit_id), town.client("vehicle", other_id)
    reads = (
        f"/v1/units/{unit_id}",
        f"/v1/units/{unit_id}/inbox",
        f"/v1/assignments/{assignment['id']}",
        f"/v1/incidents/{incident_id}",
    )
    for path in reads:
        assert own.get(path).status_code == 200, path
        assert_problem(other.get(path), 403, "forbidden")
    moves = [(f"/v1/units/{unit_id}/status", {"status": "patrolling"})]
    moves += [
        (f"/v1/assignments/{assignment['id']}/{step}", {"reason": "x"} if step == "decline" else {})
        for step in ("ack", "depart", "arrive", "feedback", "clear", "decline")
    ]
    for path, body in moves:
        assert_problem(other.post(path, json=body), 403, "forbidden")
    assert own.post(f"/v1/assignments/{assignment['id']}/ack", json={}).status_code == 200


def test_a_batch_with_another_crews_unit_is_refused_as_a_whole(town: HttpTown) -> None:
    fixes = [
        {"unit_id": unit_id, "lon": 1.0, "lat": 1.0, "at": "2026-01-01T00:00:00Z"}
        for unit_id in ("P01-C1", "P02-C1")
    ]
    reply = town.client("vehicle", "P01-C1").post("/v1/positions", json=fixes)
    assert_problem(reply, 403, "forbidden")


def test_a_token_works_at_once_and_not_a_request_after_it_was_revoked(town: HttpTown) -> None:
    token = town.token("analyst")
    with town.client_with(token) as client:
        assert client.get("/v1/units").status_code == 200
        revoke_token(town.data_dir, token, at_ms=1)
        assert_problem(client.get("/v1/units"), 401, "unauthorized")
    with town.client_with(None) as nobody:
        assert nobody.get("/v1/units").headers["www-authenticate"] == "Bearer"
