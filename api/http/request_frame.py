"""Around every request: its id, its time, its line in the access log, and safe headers."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.answer_headers import ALWAYS, headers_by_kind
from api.http.problems import problem_response

GONE = 499
"""Counted for a client that did not wait for its answer; the number is nginx's."""

Headers: TypeAlias = list[tuple[bytes, bytes]]

_CLIENT_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestWatch(Protocol):
    """Hears of each request that ended."""

    def request_ended(self, scope: Scope, status: int, seconds: float) -> None:
        """A response was sent, or a stream closed."""

    def request_failed(self, scope: Scope, error: Exception) -> None:
        """The service itself is at fault: nobody below answered for this error."""


def _no_marks(_scope: Scope) -> Headers:
    return []


class RequestFrame:
    """ASGI middleware that names each request and tells the watch when it ended.

    A client's own `X-Request-Id` is kept when it is short and plain, so that its log and ours
    can be laid side by side.
    """

    def __init__(
        self, app: ASGIApp, *, watch: RequestWatch, marks: Callable[[Scope], Headers] = _no_marks
    ) -> None:
        """Put the frame around an application.

        Args:
            app: Answers.
            watch: Hears of each request that ended.
            marks: Headers that the answer to a request carries at this moment.
        """
        self._app = app
        self._watch = watch
        self._marks = marks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id.decode()
        started_s = time.perf_counter()
        status = 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                    *ALWAYS,
                    *headers_by_kind(message["headers"]),
                    *self._marks(scope),
                ]
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except ClientDisconnect:
            # It went away with its request half sent: no fault of ours, and nobody to answer.
            status = GONE
        except Exception as error:  # the last line of defence answers for all
            self._watch.request_failed(scope, error)
            if status:
                raise
            await problem_response(error, scope)(scope, receive, framed)
        finally:
            self._watch.request_ended(scope, status, time.perf_counter() - started_s)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _CLIENT_ID.fullmatch(value):
            return bytes(value)
    return secrets.token_hex(8).encode()
