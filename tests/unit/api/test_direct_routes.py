"""Fixed paths are answered at once, and only those that would have got the call anyway."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import InvalidRequest
from api.http.direct_routes import DirectRoutes
from api.http.permissions import GuardedRoute, open_to_all


class _Nobody:
    """A guard that lets everybody in."""

    def admit(self, _request: Request, _access: object) -> None:
        return None


def _routes() -> APIRouter:
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/things/{name}")
    @open_to_all
    async def by_name(name: str) -> Response:
        return Response(name)

    @router.get("/things/all")
    @open_to_all
    async def shadowed(request: Request) -> Response:
        return Response("shadowed")

    @router.get("/fixed")
    @open_to_all
    async def fixed(request: Request) -> Response:
        return Response("fixed")

    @router.post("/refusing")
    @open_to_all
    async def refusing(request: Request) -> Response:
        raise InvalidRequest("no")

    @router.get("/with-query")
    @open_to_all
    async def with_query(limit: int = 3) -> Response:
        return Response(str(limit))

    return router


def _ask(method: str, path: str) -> tuple[str, int, bytes]:
    """Who answered (`direct` or `framework`), status and body."""
    app = FastAPI()
    app.state.guard = _Nobody()
    sent: list[Any] = []
    by = "direct"

    async def framework(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal by
        by = "framework"
        await Response("", 299)(_scope, _receive, send)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": method, "path": path, "headers": [], "query_string": b"",
        "app": app,
    }  # fmt: skip
    asyncio.run(DirectRoutes(framework, _routes().routes)(scope, receive, send))
    return by, sent[0]["status"], sent[1]["body"]


def test_a_fixed_path_is_answered_at_once() -> None:
    assert _ask("GET", "/fixed") == ("direct", 200, b"fixed")


def test_a_refusal_is_a_problem_document_there_too() -> None:
    by, status, body = _ask("POST", "/refusing")
    assert (by, status) == ("direct", 422)
    assert b'"code":"invalid_request"' in body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/things/all"),  # a route with a parameter stands before it
        ("GET", "/things/one"),
        ("POST", "/fixed"),  # 405 is the framework's to say
        ("GET", "/with-query"),  # needs its parameters read
        ("GET", "/nowhere"),
    ],
)
def test_all_else_goes_the_frameworks_way(method: str, path: str) -> None:
    by, _, _ = _ask(method, path)
    assert by == "framework"
