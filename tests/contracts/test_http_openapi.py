"""The OpenAPI document is whole, and the docs work without the outside world."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.http.app import ROUTERS
from api.http.openapi import BODIES
from tests.contracts.http_town import HttpTown, Json

WITHOUT_KEY = {"/v1/session"}
"""An answer that opens a session must not be kept."""
METHODS = ("get", "post", "patch", "delete")


@pytest.fixture(scope="session")
def document(open_town: HttpTown) -> Json:
    """The document as a client without a token gets it."""
    with open_town.client_with(None) as nobody:
        reply = nobody.get("/openapi.json")
    assert reply.status_code == 200
    found: Json = reply.json()
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_route_is_in_it_with_a_name_of_its_own(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, method, _ in operations(document)}
    served = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }
    assert described == served
    names = [one["operationId"] for _, _, one in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)


def test_every_reference_leads_somewhere(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for reference in set(references(document)):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def test_every_refusal_is_a_documented_problem(document: Json) -> None:
    for path, method, one in operations(document):
        for status, response in one["responses"].items():
            if int(status) >= 400:
                content = response["content"]
                assert list(content) == ["application/problem+json"], (path, method, status)
        guarded = path.startswith("/v1/") or path == "/metrics"
        assert ({"401", "403", "429"} <= one["responses"].keys()) == guarded, (path, method)
        if method == "post" and guarded and path not in WITHOUT_KEY:
            names = {parameter["name"] for parameter in one["parameters"]}
            assert "Idempotency-Key" in names, path
            assert {"409", "413", "422"} <= one["responses"].keys(), path


def test_examples_of_bodies_are_sound(document: Json) -> None:
    models = {body.__name__: body for body in BODIES}
    shown = 0
    for path, _, one in operations(document):
        for content in one.get("requestBody", {}).get("content", {}).values():
            name = content["schema"].get("$ref", "").rpartition("/")[2]
            if "example" in content and name in models:
                models[name].model_validate(content["example"], strict=False)
                shown += 1
            assert "example" in content or name.endswith("Request"), path
    assert shown >= 15


def test_answers_have_the_shape_that_is_described(town: HttpTown, document: Json) -> None:
    schemas = document["components"]["schemas"]
    answer = town.report(0, 0, caller={"phone": "13800000000"})
    for name, value in (
        ("IncidentReply", answer),
        ("IncidentView", answer["incident"]),
        ("AssignmentView", answer["assignments"][0]),
        ("RecommendationView", answer["recommendation"]),
        ("CandidateView", answer["recommendation"]["candidates"][0]),
    ):
        assert set(schemas[name]["properties"]) == set(value), name


def test_the_docs_need_nothing_from_outside(open_town: HttpTown) -> None:
    with open_town.client_with(None) as nobody:
        page = nobody.get("/docs")
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "http://" not in page.text
        assert "https://" not in page.text
        assert "<script>" not in page.text
        for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            found = nobody.get(path)
            assert found.status_code == 200, path
            assert found.content
        assert nobody.get("/docs/../../etc/passwd").status_code == 404
        assert nobody.get("/docs/main.py").status_code == 404
