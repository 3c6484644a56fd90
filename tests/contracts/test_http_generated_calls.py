"""Calls made up from the OpenAPI document, sound and unsound, against a real server.

Whatever comes in: no 5xx, and no status, content type or body that the document does not describe.
Some 150 calls by default, 1,200 with `KUAIJING_LONG=1`, over all operations.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.http.app import ROUTERS
from api.settings import Limits, Settings
from tests.contracts.http_town import HttpTown, Json, lon_lat, served

LONG = os.environ.get("KUAIJING_LONG", "") not in ("", "0")
CALLS_EACH = 26 if LONG else 3
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = sorted(
    route.operation_id for router in ROUTERS for route in router.routes if route.include_in_schema
)
WAIT_MAX_S = 0.05


@dataclass
class Surroundings:
    """The town, its document, and who calls."""

    town: HttpTown
    schema: Any
    token: str

    def known(self) -> Json:
        """Ids of things that are there, by the parameter that takes them."""
        held = self.town.client().get("/v1/snapshot").json()
        if not held["assignments"]:
            self.town.quiet()
            answer = self.town.report(0, 0)
            held = self.town.client().get("/v1/snapshot").json()
            assert answer["assignments"], answer
        closures = held["closures"] or [{"id": "none"}]
        speeds = held["speeds"] or [{"id": "none"}]
        return {
            "unit_id": "P01-C1",
            "incident_id": held["incidents"][-1]["id"],
            "assignment_id": held["assignments"][-1]["id"],
            "closure_id": closures[0]["id"],
            "factor_id": speeds[0]["id"],
            "road_version": held["road_version"],
        }


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """A town of its own: after this it is in any state."""
    roomy = Settings(limits=Limits(requests_per_s=1e6, requests_burst=1_000_000))
    with served(tmp_path_factory.mktemp("made-up") / "data", roomy) as town:
        document = town.client().get("/openapi.json").json()
        yield Surroundings(town, schemathesis.openapi.from_dict(document), town.token("admin"))


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_whatever_is_called_is_answered_as_the_document_says(
    surroundings: Surroundings, operation_id: str
) -> None:
    operation = surroundings.schema.find_operation_by_id(operation_id)
    sound = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    made_up = sound
    if operation.body or operation.query or operation.path_parameters or operation.headers:
        made_up = sound | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=CALLS_EACH,
        deadline=None,
        database=None,
        derandomize=not LONG,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made_up, real=st.booleans(), matching=st.booleans())
    def call(case: Any, real: bool, matching: bool) -> None:
        if real:
            _make_real(surroundings, case)
        if matching and case.headers is not None:
            case.headers["If-Match"] = "1"
        _bound_the_wait(case)
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {surroundings.token}"}
        if operation_id in {"streamEvents", "streamInbox"}:
            _open_stream(surroundings, operation, case)
            return
        reply = case.call(base_url=surroundings.town.url, timeout=30)
        case.validate_response(reply, checks=CHECKS)

    call()


def _make_real(surroundings: Surroundings, case: Any) -> None:
    """Puts ids of things that are there, and places of the town, into a made-up call."""
    known = surroundings.known()
    for name in case.path_parameters or ():
        if name in known:
            case.path_parameters[name] = known[name]
    body = case.body
    if isinstance(body, dict):
        for name in ("location", "from", "to"):
            if isinstance(body.get(name), dict):
                body[name] = lon_lat(200, 400)
        if isinstance(body.get("unit_id"), str):
            body["unit_id"] = "P02-C1"
        if isinstance(body.get("category"), str):
            body["category"] = "help"
        if isinstance(body.get("into"), str):
            body["into"] = known["incident_id"]


def _bound_the_wait(case: Any) -> None:
    query = case.query or {}
    if isinstance(query.get("wait"), int | float) and query["wait"] > WAIT_MAX_S:
        query["wait"] = WAIT_MAX_S


def _open_stream(surroundings: Surroundings, operation: Any, case: Any) -> None:
    """A stream has no end: its status and its first line are looked at."""
    asked = case.as_transport_kwargs(base_url=surroundings.town.url)
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        client.stream(
            "GET",
            asked["url"],
            params=asked.get("params"),
            headers={name: str(value) for name, value in asked["headers"].items()},
        ) as reply,
    ):
        assert str(reply.status_code) in operation.definition.raw["responses"]
        if reply.status_code == 200:
            assert next(reply.iter_lines()) == "retry: 2000"
        else:
            assert reply.headers["content-type"] == "application/problem+json"


def test_the_calls_reach_every_operation_often_enough() -> None:
    assert len(OPERATIONS) * CALLS_EACH >= (1_000 if LONG else 100)


def test_the_document_has_no_operation_beside_these(surroundings: Surroundings) -> None:
    found = {
        one["operationId"]
        for path in surroundings.schema.raw_schema["paths"].values()
        for one in path.values()
    }
    assert found == set(OPERATIONS)
