"""Signing in and out with a browser; programs send their token instead."""

from __future__ import annotations

from fastapi import APIRouter
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Unauthorized
from api.http.operation import operation
from api.http.permissions import (
    ALL_ROLES,
    Guard,
    GuardedRoute,
    allow,
    caller_of,
    open_to_all,
    session_of,
)
from api.http.responding import answer
from api.http.schemas.gate import read_body
from api.http.schemas.sessions import SignIn
from api.http.views.plain import Instant, rfc3339
from api.service import service_of
from api.sessions import Session, SessionBook
from api.tokens import Caller

router = APIRouter(route_class=GuardedRoute, tags=["session"])

NO_STORE = {"cache-control": "no-store"}
FROM_A_PAGE = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }
    for name, description in (
        ("Origin", "The service's own, as browsers set it; 403 `cross_site` otherwise"),
        ("X-Requested-With", "`kuaijing`; 403 `cross_site` otherwise"),
    )
]


class SessionView(Struct):
    """Who is signed in. Without a session, by a token, the last two are null."""

    role: str
    unit_id: str | None
    actor: str
    expires_at: Instant | None
    idle_s: float | None


@router.post(
    "/v1/session",
    **operation(
        "openSession",
        "Sign a browser in: the token becomes a cookie that no page can read",
        reply=SessionView,
        status=201,
        body=SignIn,
        example={"token": "sy_dispatcher_3f9a0c12_..."},
        problems=[401, 403, 429, 503],
        parameters=FROM_A_PAGE,
        guarded=False,
    ),
)
@open_to_all
async def open_session(request: Request) -> Response:
    """Takes no Idempotency-Key: an answer that opens a session must not be kept."""
    service, guard = service_of(request), guard_of(request)
    guard.count_attempt(request)
    body = await read_body(request, SignIn)
    guard.door.check_origin(request)
    caller = service.tokens.caller(body.token.strip())
    if caller is None:
        raise Unauthorized("the token does not hold; ask the administrator for a new one")
    before = guard.door.session_of(request)
    if before is not None:
        service.sessions.end(before)
    session_id, session = service.sessions.open(caller)
    max_age_s = round(service.sessions.rules.absolute_s)
    cookie = guard.door.cookie(request, session_id, max_age_s=max_age_s)
    headers = {**NO_STORE, "set-cookie": cookie}
    view = _view(service.sessions, caller, session)
    return answer(view, status=201, headers=headers)


@router.get(
    "/v1/session", **operation("getSession", "Who is signed in, and how long", reply=SessionView)
)
@allow(ALL_ROLES)
async def get_session(request: Request) -> Response:
    """Of the cookie that came along, or of the token."""
    view = _view(service_of(request).sessions, caller_of(request), session_of(request))
    return answer(view, headers=NO_STORE)


@router.delete("/v1/session", **operation("endSession", "Sign out", status=204, problems=[503]))
@allow(ALL_ROLES)
async def end_session(request: Request) -> Response:
    """Its streams end within a second; with a token alone there is nothing to end."""
    session, door = session_of(request), guard_of(request).door
    if session is not None:
        service_of(request).sessions.end(session)
    gone = door.cookie(request, "", max_age_s=0)
    return Response(status_code=204, headers={**NO_STORE, "set-cookie": gone})


def guard_of(request: Request) -> Guard:
    """The guard of this service."""
    guard = request.app.state.guard
    assert isinstance(guard, Guard)  # noqa: S101  # set before the first request is served
    return guard


def _view(sessions: SessionBook, caller: Caller, session: Session | None) -> SessionView:
    return SessionView(
        role=caller.role,
        unit_id=caller.unit_id,
        actor=caller.actor,
        expires_at=None if session is None else rfc3339(sessions.expires_at_ms(session)),
        idle_s=None if session is None else sessions.rules.idle_s,
    )
