"""The application: routes, guard, problems, and the frame around every request."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Scope

from api.http.body_limit import BodyLimit
from api.http.browser_door import BrowserDoor
from api.http.direct_routes import DirectRoutes
from api.http.openapi import install_openapi
from api.http.passing_on import PassingOn
from api.http.permissions import Guard, GuardedRoute, RouteWithoutPermission, access_of
from api.http.problems import install_problem_handlers
from api.http.rate_limit import RateLimiter
from api.http.request_frame import RequestFrame
from api.http.routes import (
    alarms,
    assignments,
    callers,
    city,
    closures,
    docs,
    events,
    inbox,
    incident_commands,
    incident_list,
    incidents,
    loans,
    operations,
    osmand,
    positions,
    recommendations,
    reports,
    roads,
    session,
    sheet,
    speeds,
    units,
)
from api.service import Service

ROUTERS = (
    # The hot path first: routes are tried in this order.
    incidents.router,
    incident_list.router,
    incident_commands.router,
    callers.router,
    recommendations.router,
    assignments.router,
    units.router,
    loans.router,
    inbox.router,
    positions.router,
    osmand.router,
    city.router,
    # Before roads: /v1/roads/{road_version} would take these paths for versions.
    closures.router,
    speeds.router,
    roads.router,
    events.router,
    reports.router,
    sheet.router,
    alarms.router,
    session.router,
    operations.router,
    docs.router,
)

WAITING_OPERATIONS = frozenset({"getInbox", "streamInbox", "listEvents", "streamEvents"})
"""Their time is spent waiting on purpose, so it is no latency."""


class Watch:
    """Counts requests and writes the access log."""

    def __init__(self, service: Service) -> None:
        self._metrics = service.metrics
        # Prometheus looks a label's series up under a lock, by the labels' texts, each time.
        self._count: dict[tuple[str, int], Callable[[], None]] = {}
        self._observe: dict[str, Callable[[float], None]] = {}
        self._access = service.settings.logging.access
        self._log = structlog.get_logger("http")

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts it; the query is never logged, because it may hold a device's token."""
        route = scope.get("route")
        operation = getattr(route, "operation_id", None) or "other"
        count = self._count.get((operation, status))
        if count is None:
            count = self._metrics.requests.labels(operation, status).inc
            self._count[operation, status] = count
        count()
        if operation not in WAITING_OPERATIONS:
            observe = self._observe.get(operation)
            if observe is None:
                observe = self._metrics.request_s.labels(operation).observe
                self._observe[operation] = observe
            observe(seconds)
        if self._access:
            caller = scope.get("caller")
            self._log.info(
                "request",
                request_id=scope.get("request_id"),
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 2),
                actor=None if caller is None else caller.actor,
            )

    def request_failed(self, scope: Scope, error: Exception) -> None:
        """A fault of ours: with its traceback, under the id that the client was told."""
        self._log.error(
            "request_failed",
            request_id=scope.get("request_id"),
            method=scope["method"],
            path=scope["path"],
            exc_info=error,
        )


class Application(FastAPI):
    """FastAPI in a frame of ours, with fixed paths answered before it looks for a route."""

    def __init__(self, service: Service, **options: Any) -> None:
        super().__init__(**options)
        self._service = service

    def build_middleware_stack(self) -> ASGIApp:
        """What every request goes through, from the outside in.

        Of the framework's own layers only those that its routes rely on: an error that nobody
        below answered for is the frame's to answer and to log.
        """
        framework = ExceptionMiddleware(
            AsyncExitStackMiddleware(self.router),
            handlers=self.exception_handlers,
        )
        served: ASGIApp = DirectRoutes(framework, self.routes)
        service = self._service
        following = service.runner.following
        if service.peers is not None and following is not None:
            guard: Guard = self.state.guard
            served = PassingOn(served, service.runner, following, service.peers, knows=guard.knows)
        return RequestFrame(BodyLimit(served), watch=Watch(service), marks=service.degraded.headers)


def create_app(service: Service) -> Application:
    """The application over a running service.

    Raises:
        RouteWithoutPermission: A route does not say whom it admits.
    """
    app = Application(
        service,
        title="kuaijing",
        version=_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A path with a slash too many is unknown: a redirect would be an answer nobody documented.
        redirect_slashes=False,
    )
    limits = service.settings.limits
    app.state.service = service
    per_min = service.settings.sessions.attempts_per_min
    app.state.guard = Guard(
        service.tokens,
        RateLimiter(limits.requests_per_s, limits.requests_burst),
        door=BrowserDoor(service.sessions, behind_proxy=service.behind_proxy),
        attempts=RateLimiter(per_min / 60, per_min, counted="address"),
    )
    for router in ROUTERS:
        # The routes themselves: an included router would be looked through at each request.
        app.router.routes.extend(router.routes)
    check_permissions(app)
    install_problem_handlers(app)
    install_openapi(app)
    return app


def check_permissions(app: FastAPI) -> None:
    """Makes sure that every route, however it came in, says whom it admits.

    Raises:
        RouteWithoutPermission: One does not.
    """
    for route in app.routes:
        if not isinstance(route, GuardedRoute):
            raise RouteWithoutPermission(f"{route} is no GuardedRoute: nobody guards it")
        access_of(route.endpoint, route.path)


def _version() -> str:
    try:
        return version("shaoyang-kuaijing")
    except PackageNotFoundError:
        return "0+checkout"
