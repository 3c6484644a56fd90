"""Errors as RFC 9457 problem documents, and the handlers that answer with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api import errors as api
from api.http.conditional import version_tag
from api.http.problem_table import INTERNAL, Row, row_of
from api.http.views.assignments import assignment_view
from api.http.views.events import plain_fields
from api.http.views.incidents import incident_view
from api.http.views.recommendations import candidate_view
from dispatch import errors as dispatch
from dispatch.facts import Candidate
from dispatch.resources import Assignment, Incident
from platforms import errors as city
from routing import errors as road

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:kuaijing:problem:"

_OWN = (api.ApiError, dispatch.DispatchError, road.RoadError, city.CityError)


def problem_response(error: Exception, scope: Scope | None = None) -> Response:
    """The answer to an error."""
    row = row_of(error)
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + row.code,
        "title": row.title,
        "status": row.status,
        "detail": _detail(error, row, scope),
        "code": row.code,
    }
    for name in row.shows:
        value = getattr(error, name, None)
        if value is not None:
            document[name] = shown(value)
    return _response(row.status, document, _headers(error, row))


def install_problem_handlers(app: FastAPI) -> None:
    """Makes the application answer every error of ours, and the framework's, as a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return answer_to_error(request, error)

    for kind in (*_OWN, ValidationError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def answer_to_error(request: Request, error: Exception) -> Response:
    """The answer to whatever an endpoint raised.

    Raises:
        Exception: The error itself, where the fault is ours: the frame around the request logs it.
    """
    if isinstance(error, ValidationError | RequestValidationError):
        return problem_response(invalid_request(error.errors()), request.scope)
    if isinstance(error, HTTPException):
        return _framework_problem(request, error)
    if not isinstance(error, _OWN) or row_of(error).status == INTERNAL.status:
        raise error
    return problem_response(error, request.scope)


def _framework_problem(request: Request, error: HTTPException) -> Response:
    """404 for unknown paths and 405, which starlette finds before any route of ours."""
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    document = {
        "type": TYPE_PREFIX + code,
        "title": str(error.detail),
        "status": error.status_code,
        "detail": f"{request.method} {request.url.path}: {error.detail}; see /openapi.json",
        "code": code,
    }
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return _response(error.status_code, document, headers)


def _methods_of(request: Request) -> list[str]:
    """What may be asked of a path: the framework names the methods of its first route alone."""
    path = request.scope["path"]
    methods = (
        route.methods or set()
        for route in request.app.routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
    )
    return sorted(set().union(*methods))


def invalid_request(faults: list[Any] | Any, *, where: str | None = None) -> api.InvalidRequest:
    """Pydantic's or FastAPI's faults as one error with a sentence that names the first.

    Args:
        faults: As `ValidationError.errors()` gives them.
        where: Put before each location, as "body".
    """
    prefix = [] if where is None else [where]
    shown = [
        {
            "loc": [*prefix, *(part if isinstance(part, int) else str(part) for part in f["loc"])],
            "msg": str(f["msg"]),
            "type": str(f["type"]),
        }
        for f in faults
    ]
    first = shown[0]
    place = ".".join(str(part) for part in first["loc"]) or "the request"
    more = f" (and {len(shown) - 1} more, see errors)" if len(shown) > 1 else ""
    return api.InvalidRequest(f"{place}: {first['msg']}{more}", errors=shown)


def shown(value: Any) -> Any:
    """A value as a problem shows it: resources and candidates as the API shows them elsewhere."""
    if isinstance(value, Incident):
        return incident_view(value)
    if isinstance(value, Assignment):
        return assignment_view(value, None)
    if isinstance(value, Candidate):
        return candidate_view(value)
    if isinstance(value, tuple):
        return [shown(part) for part in value]
    if is_dataclass(value):
        return plain_fields(value)
    return value


def _detail(error: Exception, row: Row, scope: Scope | None) -> str:
    if row.status == INTERNAL.status:
        request_id = "" if scope is None else scope.get("request_id", "")
        return f"the fault is ours; tell the administrator the request id {request_id}"
    return str(error)


def _headers(error: Exception, row: Row) -> dict[str, str]:
    headers: dict[str, str] = {}
    if row.status == 401:
        headers["www-authenticate"] = "Bearer"
    current = getattr(error, "current", None)
    if current is not None:
        headers["etag"] = version_tag(current.version)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(retry_after_s)))
    return headers


def _response(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    body = msgspec.json.encode(document, enc_hook=str)
    return Response(body, status, dict(headers), PROBLEM_JSON)
