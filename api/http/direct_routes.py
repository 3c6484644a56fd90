"""Fixed paths, answered without a search: the hot calls come first and pay for nothing else.

FastAPI tries the routes one after another and keeps exit stacks, telemetry and a body limit of its
own around each call: four times the work of the rest of an empty POST. A route of ours on a path
without parameters needs none of it. Whatever is not found here goes the framework's way.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.permissions import GuardedRoute
from api.http.problems import answer_to_error

HEAD_TOO = frozenset({"/healthz", "/readyz"})
"""What balancers ask with HEAD; elsewhere that is 405."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoutes:
    """ASGI middleware: calls the guarded endpoint of a fixed path at once."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        """Note which paths can be answered so.

        Args:
            app: Answers all others.
            routes: All routes, in the order in which they are tried.
        """
        self._app = app
        self._found: dict[tuple[str, str], tuple[GuardedRoute, Handler]] = {}
        before: list[GuardedRoute] = []
        for route in routes:
            if not isinstance(route, GuardedRoute):
                continue
            # A route with a parameter that stands before it would have got the call.
            taken = any(one.path_regex.match(route.path) for one in before)
            if route.is_lean and not route.param_convertors and not taken:
                handler = route.get_route_handler()
                for method in route.methods or ():
                    self._found.setdefault((method, route.path), (route, handler))
                if route.path in HEAD_TOO:
                    # The server sends the headers of the answer and leaves its body out.
                    self._found.setdefault(("HEAD", route.path), (route, handler))
            before.append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        found = self._found.get((scope.get("method", ""), scope.get("path", "")))
        if found is None:
            await self._app(scope, receive, send)
            return
        route, handler = found
        scope["route"] = route
        scope["path_params"] = {}
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  # told apart, or raised on, there
            response = answer_to_error(request, error)
        await response(scope, receive, send)
