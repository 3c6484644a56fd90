"""Errors as RFC 9457 problem documents, out of one table: error class to status and code.

A class without a row of its own takes the row of its nearest parent only inside this module's
look-up; a test insists that every class of the error trees has a row, so that no new error
reaches a client as a shrug.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api import errors as api
from api.http.conditional import version_tag
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


@dataclass(frozen=True, slots=True)
class Row:
    """How an error class is answered.

    Attributes:
        status: HTTP status.
        code: Stable word for programs.
        title: Short sentence, the same for every occurrence.
        shows: Attributes of the error that go into the document.
    """

    status: int
    code: str
    title: str
    shows: tuple[str, ...] = ()


INTERNAL = Row(500, "internal", "The service made a mistake")

TABLE: dict[type[Exception], Row] = {
    api.ApiError: INTERNAL,
    api.Unauthorized: Row(401, "unauthorized", "A valid token is needed"),
    api.Forbidden: Row(403, "forbidden", "The token does not reach this far"),
    api.NotFound: Row(404, "not_found", "Nothing stands here"),
    api.InvalidRequest: Row(422, "invalid_request", "The request breaks the contract", ("errors",)),
    api.BadCursor: Row(422, "bad_cursor", "The cursor is not one of this list"),
    api.PreconditionRequired: Row(428, "precondition_required", "If-Match is needed", ("version",)),
    api.BodyTooLarge: Row(413, "body_too_large", "The body is over the limit"),
    api.RateLimited: Row(429, "rate_limited", "Too many requests", ("retry_after_s",)),
    api.NotReady: Row(503, "not_ready", "The service cannot answer now"),
    dispatch.DispatchError: INTERNAL,
    dispatch.Unknown: Row(404, "not_found", "Nothing stands under this id"),
    dispatch.IncidentUnknown: Row(404, "incident_unknown", "No such incident", ("incident_id",)),
    dispatch.AssignmentUnknown: Row(
        404, "assignment_unknown", "No such assignment", ("assignment_id",)
    ),
    dispatch.UnitUnknown: Row(404, "unit_unknown", "No such unit", ("unit_id",)),
    dispatch.ClosureUnknown: Row(404, "closure_unknown", "No such closure", ("closure_id",)),
    dispatch.SpeedFactorUnknown: Row(
        404, "speed_factor_unknown", "No such speed factor", ("factor_id",)
    ),
    dispatch.Conflict: Row(409, "conflict", "The state of things forbids it now"),
    dispatch.VersionStale: Row(
        412, "version_stale", "Somebody changed it meanwhile", ("resource_id", "current")
    ),
    dispatch.UnitTaken: Row(
        409,
        "unit_taken",
        "The unit is bound to another incident",
        ("unit_id", "holder", "assignment_id", "candidates"),
    ),
    dispatch.UnitBusy: Row(
        409, "unit_busy", "The unit has an active assignment", ("unit_id", "assignment_id")
    ),
    dispatch.UnitOffDuty: Row(
        409, "unit_off_duty", "The unit has no crew on duty", ("unit_id", "candidates")
    ),
    dispatch.NoUnitFree: Row(409, "no_unit_free", "Nobody is left who could go", ("incident_id",)),
    dispatch.NoWay: Row(409, "no_way", "No open road leads there", ("unit_id", "incident_id")),
    dispatch.StateConflict: Row(
        409, "state_conflict", "Its state forbids it", ("resource_id", "state")
    ),
    dispatch.Refused: Row(422, "refused", "The request is not sound"),
    dispatch.BadStamp: Row(
        422, "bad_stamp", "The time breaks the order of steps", ("assignment_id", "stamp")
    ),
    dispatch.ClockSkew: Row(
        422, "clock_skew", "The device's clock is wrong", ("skew_s", "limit_s")
    ),
    dispatch.BadRequirement: Row(422, "bad_requirement", "This cannot be asked for", ("kind",)),
    dispatch.BadUnitStatus: Row(
        422, "bad_unit_status", "This status is never set by hand", ("unit_id", "status")
    ),
    dispatch.QueueFull: Row(
        503, "queue_full", "The service holds all it may", ("limit", "retry_after_s")
    ),
    dispatch.CommandReused: Row(
        422, "idempotency_key_reused", "The idempotency key came with another body"
    ),
    dispatch.CommandInProgress: Row(
        409, "idempotency_key_in_progress", "The first request still runs", ("retry_after_s",)
    ),
    dispatch.CursorExpired: Row(
        410, "cursor_expired", "The feed no longer keeps this cursor", ("after", "oldest")
    ),
    dispatch.StoreError: INTERNAL,
    dispatch.StoreUnavailable: Row(
        503, "store_unavailable", "The log cannot be written now", ("retry_after_s",)
    ),
    dispatch.StoreLocked: INTERNAL,
    dispatch.LogDamaged: INTERNAL,
    dispatch.EventKindUnknown: INTERNAL,
    road.RoadError: INTERNAL,
    road.NetworkFileError: INTERNAL,
    road.SourceUnreadable: INTERNAL,
    road.NetworkEmpty: INTERNAL,
    road.NetworkInPieces: INTERNAL,
    road.CompiledMismatch: INTERNAL,
    road.DownloadFailed: INTERNAL,
    road.OffNetwork: Row(
        422, "off_network", "The point is too far from any road", ("nearest_m", "limit_m")
    ),
    road.Unreachable: Row(422, "unreachable", "No permitted way leads there"),
    road.UnknownRoad: Row(422, "unknown_road", "The network has no such road"),
    city.CityError: INTERNAL,
    city.CityFileError: INTERNAL,
    city.CityFolderRefused: INTERNAL,
    city.CityOffNetwork: INTERNAL,
    city.SketchImpossible: INTERNAL,
    city.UnknownPlace: Row(
        422, "unknown_place", "The gazetteer has no such place", ("candidates",)
    ),
    city.AmbiguousPlace: Row(
        422, "ambiguous_place", "Several places carry this name", ("candidates",)
    ),
}


def row_of(error: Exception | type[Exception]) -> Row:
    """The row of the error's class, or of its nearest parent."""
    kind = error if isinstance(error, type) else type(error)
    for parent in kind.__mro__:
        if parent in TABLE:
            return TABLE[parent]
    return INTERNAL


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
    for root in (api.ApiError, dispatch.DispatchError, road.RoadError, city.CityError):
        app.add_exception_handler(root, _answer_own)
    app.add_exception_handler(ValidationError, _answer_invalid)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_framework)


async def _answer_own(request: Request, error: Exception) -> Response:
    if row_of(error).status == INTERNAL.status:
        raise error
    return problem_response(error, request.scope)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError | RequestValidationError)  # noqa: S101
    return problem_response(invalid_request(error.errors()), request.scope)


async def _answer_framework(request: Request, error: Exception) -> Response:
    """404 for unknown paths and 405, which starlette finds before any route of ours."""
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    document = {
        "type": TYPE_PREFIX + code,
        "title": str(error.detail),
        "status": error.status_code,
        "detail": f"{request.method} {request.url.path}: {error.detail}; see /openapi.json",
        "code": code,
    }
    return _response(error.status_code, document, dict(error.headers or {}))


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
