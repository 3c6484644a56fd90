"""A vehicle reaches its own unit, its own orders and their incidents, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.contracts.http_town import HttpTown, assert_problem, fix
from tests.contracts.test_http_permissions import ADMITTED, OPEN

UNIT = frozenset(
    {
        ("GET", "/v1/units/{unit_id}"),
        ("POST", "/v1/units/{unit_id}/status"),
        ("GET", "/v1/units/{unit_id}/inbox"),
        ("GET", "/v1/units/{unit_id}/inbox/stream"),
    }
)
ORDER = frozenset(
    {
        ("GET", "/v1/assignments/{assignment_id}"),
        ("POST", "/v1/assignments/{assignment_id}/ack"),
        ("POST", "/v1/assignments/{assignment_id}/depart"),
        ("POST", "/v1/assignments/{assignment_id}/arrive"),
        ("POST", "/v1/assignments/{assignment_id}/feedback"),
        ("POST", "/v1/assignments/{assignment_id}/clear"),
        ("POST", "/v1/assignments/{assignment_id}/decline"),
    }
)
INCIDENT = frozenset(
    {("GET", "/v1/incidents/{incident_id}"), ("GET", "/v1/incidents/{incident_id}/caller")}
)
IN_BODY = frozenset({("POST", "/v1/positions")})
NOBODYS = frozenset(
    {
        # The city and its roads are the same for all who may see the map.
        ("GET", "/v1/platforms"),
        ("GET", "/v1/zones"),
        ("GET", "/v1/key-sites"),
        ("GET", "/v1/places"),
        ("GET", "/v1/roads"),
        ("GET", "/v1/roads/{road_version}"),
        ("GET", "/v1/roads/closures"),
        ("GET", "/v1/roads/speeds"),
        ("POST", "/v1/routes"),
        ("GET", "/v1/isochrones"),
        # Who it is itself.
        ("GET", "/v1/session"),
        ("DELETE", "/v1/session"),
    }
)
BODIES: Mapping[str, Mapping[str, Any]] = {
    "status": {"status": "patrolling"},
    "decline": {"reason": "车辆故障"},
}


@dataclass(frozen=True)
class Sent:
    """A crew on its way, and another that has nothing to do with it."""

    unit_id: str
    other_id: str
    assignment_id: str
    incident_id: str

    def address(self, path: str) -> str:
        """The path with what is the crew's own in it."""
        return path.format(
            unit_id=self.unit_id, assignment_id=self.assignment_id, incident_id=self.incident_id
        )


@pytest.fixture
def sent(town: HttpTown) -> Sent:
    """One crew is sent."""
    (assignment,) = town.report(0, 0, caller={"phone": "13800000000"})["assignments"]
    other_id = "P04-C1" if assignment["unit_id"] != "P04-C1" else "P01-C1"
    return Sent(assignment["unit_id"], other_id, assignment["id"], assignment["incident_id"])


def call(client: httpx.Client, method: str, path: str) -> httpx.Response:
    if method == "GET":
        with client.stream("GET", path) as reply:
            # A stream has no end: it is left at its head.
            if not reply.headers["content-type"].startswith("text/event-stream"):
                reply.read()
            return reply
    return client.post(path, json=BODIES.get(path.rpartition("/")[2], {}))


def test_every_route_that_admits_a_vehicle_says_what_of_it_is_the_vehicles_own() -> None:
    admitting = {route for route, roles in ADMITTED.items() if "vehicle" in roles}
    assert admitting == UNIT | ORDER | INCIDENT | IN_BODY | NOBODYS
    for _, path in NOBODYS:
        assert not any(name in path for name in ("{unit_id}", "{assignment_id}", "{incident_id}"))
    assert {("GET", "/osmand"), ("POST", "/osmand")} < OPEN, "judged below"


@pytest.mark.parametrize(("method", "path"), sorted(UNIT | ORDER | INCIDENT))
def test_a_vehicle_has_its_own_and_is_refused_anothers(
    town: HttpTown, sent: Sent, method: str, path: str
) -> None:
    own, other = (town.client("vehicle", one) for one in (sent.unit_id, sent.other_id))
    before = town.client().get("/v1/snapshot").json()["seq"]
    assert_problem(call(other, method, sent.address(path)), 403, "forbidden")
    assert town.client().get("/v1/snapshot").json()["seq"] == before, "nothing was written"
    assert call(own, method, sent.address(path)).status_code == 200


def test_a_desk_acts_for_every_crew_that_it_may_act_for(town: HttpTown, sent: Sent) -> None:
    # Declining comes last: it ends the order.
    for method, path in sorted(UNIT | ORDER, key=lambda route: route[1].endswith("decline")):
        for role in sorted(ADMITTED[method, path] - {"vehicle"}):
            status = call(town.client(role), method, sent.address(path)).status_code
            assert status in {200, 409} if path.endswith("decline") else status == 200, path


def test_a_vehicle_reads_an_incident_only_once_it_is_sent_there(town: HttpTown, sent: Sent) -> None:
    other = town.client("vehicle", sent.other_id)
    path = f"/v1/incidents/{sent.incident_id}"
    assert_problem(other.get(path), 403, "forbidden")
    desk = town.client()
    tag = desk.get(path).headers["etag"]
    added = desk.post(
        f"{path}/assignments", json={"unit_id": sent.other_id}, headers={"If-Match": tag}
    )
    assert added.status_code == 201, added.text
    assert other.get(path).status_code == 200


def test_a_batch_with_another_crews_unit_is_refused_as_a_whole(town: HttpTown) -> None:
    at = datetime.now(UTC).isoformat()
    fixes = [fix(unit_id, 5, 5, at) for unit_id in ("P01-C1", "P02-C1")]
    reply = town.client("vehicle", "P01-C1").post("/v1/positions", json=fixes)
    assert_problem(reply, 403, "forbidden")
    mine = town.client("vehicle", "P01-C1").post("/v1/positions", json=fixes[:1])
    assert mine.json()["items"][0]["result"] == "accepted", "the refused batch left no trace"


def _by_query(url: str, fields: Mapping[str, str]) -> httpx.Response:
    return httpx.get(url, params=dict(fields), trust_env=False)


def _by_form(url: str, fields: Mapping[str, str]) -> httpx.Response:
    return httpx.post(url, data=dict(fields), trust_env=False)


def _by_json(url: str, fields: Mapping[str, str]) -> httpx.Response:
    lon, lat = float(fields["lon"]), float(fields["lat"])
    location = {
        "timestamp": datetime.now(UTC).isoformat(),
        "coords": {"latitude": lat, "longitude": lon},
    }
    named = {"device_id": fields["id"], "token": fields.get("token"), "location": location}
    return httpx.post(url, json=named, trust_env=False)


@pytest.mark.parametrize("send", [_by_query, _by_form, _by_json])
def test_a_phones_fix_moves_its_own_unit_only(
    town: HttpTown, send: Callable[[str, Mapping[str, str]], httpx.Response]
) -> None:
    url = f"{town.url}/osmand"
    place = {name: str(value) for name, value in fix("x", 5, 5, "x").items() if name in "lonlat"}
    token = town.token("vehicle", "P01-C1")
    assert send(url, {**place, "id": "P01-C1", "token": token}).status_code == 200
    assert_problem(send(url, {**place, "id": "P02-C1", "token": token}), 403, "forbidden")
    assert send(url, {**place, "id": token}).status_code == 200
    for role, status in (("analyst", 403), ("dispatcher", 200)):
        reply = send(url, {**place, "id": "P02-C1", "token": town.token(role)})
        assert reply.status_code == status, role
    assert_problem(send(url, {**place, "id": "P01-C1"}), 401, "unauthorized")
    spoilt = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert_problem(send(url, {**place, "id": "P01-C1", "token": spoilt}), 401, "unauthorized")
