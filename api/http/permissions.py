"""Who may call what. A route says whom it admits, or the service does not start.

`@allow(...)` on an endpoint names the roles; `@open_to_all` opens it. `GuardedRoute` reads that
mark when the route is made: an endpoint without one is refused then and there, so that a
forgotten permission is a start-up failure and never an open door.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.errors import CrossSite, Forbidden, Unauthorized
from api.http.browser_door import BrowserDoor
from api.http.rate_limit import RateLimiter
from api.sessions import Session
from api.tokens import Caller, Role, TokenBook

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])

DISPATCHERS = frozenset({Role.DISPATCHER, Role.COMMANDER, Role.ADMIN})
READERS = DISPATCHERS | {Role.ANALYST}
CREWS = DISPATCHERS | {Role.VEHICLE}
ALL_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Access:
    """Whom an endpoint admits.

    Attributes:
        roles: Roles admitted; None is everybody, without a token.
        limited: Whether the token's rate limit counts. Never for a unit's status commands and
            never for an incoming incident: those are what the service is for.
    """

    roles: frozenset[Role] | None
    limited: bool = True


class RouteWithoutPermission(Exception):
    """An endpoint that does not say whom it admits; the service must not start."""


def allow(roles: frozenset[Role], *, limited: bool = True) -> Callable[[Endpoint], Endpoint]:
    """Marks an endpoint with the roles that may call it."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.access = Access(roles, limited)  # type: ignore[attr-defined]
        return endpoint

    return mark


def open_to_all(endpoint: Endpoint) -> Endpoint:
    """Marks an endpoint that answers without a token."""
    endpoint.access = Access(None)  # type: ignore[attr-defined]
    return endpoint


def access_of(endpoint: Callable[..., Any], path: str) -> Access:
    """The endpoint's mark.

    Raises:
        RouteWithoutPermission: It has none.
    """
    access = getattr(endpoint, "access", None)
    if not isinstance(access, Access):
        raise RouteWithoutPermission(
            f"{path}: {endpoint.__module__}.{endpoint.__name__} says not who may call it;"
            " add @allow(...) or @open_to_all"
        )
    return access


class Guard:
    """Checks tokens, sessions, roles and rates for all routes of one service.

    Attributes:
        door: Where browsers come in with a session's cookie.
    """

    def __init__(
        self, tokens: TokenBook, limiter: RateLimiter, *, door: BrowserDoor, attempts: RateLimiter
    ) -> None:
        self.tokens = tokens
        self.door = door
        self._limiter = limiter
        self._attempts = attempts

    def admit(self, request: Request, access: Access) -> Caller | None:
        """Lets the request through or raises.

        Raises:
            Unauthorized: No token, or one that does not hold; likewise of a session.
            CrossSite: Another page asked with a session's cookie.
            Forbidden: The role is not admitted.
            RateLimited: Too many requests by this token.
        """
        if access.roles is None:
            return None
        caller = self._caller(request)
        if caller.role not in access.roles:
            raise Forbidden(
                f"a token of role {caller.role} may not call {request.method} {request.url.path};"
                f" it needs one of: {', '.join(sorted(access.roles))}"
            )
        if access.limited:
            self._limiter.spend(caller.token_id)
        return caller

    def knows(self, request: Request) -> bool:
        """Whether a token or a session that holds came along; nothing is counted."""
        try:
            self._caller(request)
        except (Unauthorized, CrossSite):
            return False
        return True

    def count_attempt(self, request: Request) -> None:
        """Counts an attempt to sign in.

        Raises:
            RateLimited: Too many from this address.
        """
        self._attempts.spend(self.door.address(request))

    def _caller(self, request: Request) -> Caller:
        given = request.headers.get("authorization")
        if given is None and self.door.has_cookie(request):
            return self._signed_in(request)
        scheme, _, token = (given or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized(
                "this call needs a token: send the header Authorization: Bearer sy_...;"
                " make one with: kuaijing token create --data DIR --role ROLE"
            )
        caller = self.tokens.caller(token.strip())
        if caller is None:
            raise Unauthorized(
                "the token is unknown, damaged or revoked; ask the administrator for a new one"
            )
        return caller

    def _signed_in(self, request: Request) -> Caller:
        session = self.door.session_of(request)
        if session is None:
            raise Unauthorized(
                "the session has ended, or its token was revoked: sign in again with POST"
                " /v1/session"
            )
        self.door.check_page(request)
        request.scope["session"] = session
        return session.caller


class GuardedRoute(APIRoute):
    """A route that admits nobody whom its endpoint does not name.

    An endpoint that takes the request alone is called directly: FastAPI's dependency solver has
    nothing to do for it, and on the hot path it would cost more than the endpoint's own work.
    """

    @property
    def is_lean(self) -> bool:
        """True where the endpoint takes the request alone."""
        return list(signature(self.endpoint).parameters) == ["request"]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with the check of permissions before it."""
        endpoint = self.endpoint
        access = access_of(endpoint, self.path)
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = (
            endpoint if self.is_lean else super().get_route_handler()
        )

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            request.scope["caller"] = guard.admit(request, access)
            return await handler(request)

        return guarded


def caller_of(request: Request) -> Caller:
    """Who makes this request; only inside endpoints that need a token."""
    caller = request.scope["caller"]
    assert isinstance(caller, Caller)  # noqa: S101  # the guard set it, or the endpoint is open
    return caller


def session_of(request: Request) -> Session | None:
    """The session that this request was admitted by; None where it was a token."""
    session = request.scope.get("session")
    return session if isinstance(session, Session) else None


def must_be_own_unit(caller: Caller, unit_id: str) -> None:
    """A vehicle reaches its own unit only; everybody else all units.

    Raises:
        Forbidden: Another crew's unit.
    """
    if caller.role is Role.VEHICLE and caller.unit_id != unit_id:
        raise Forbidden(
            f"this token belongs to unit {caller.unit_id}; it may neither read nor move"
            f" {unit_id[:40]!r}"
        )
