"""Refuses bodies over the limit before they fill the memory."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge
from api.http.problems import problem_response

BODY_MAX_BYTES = 1024 * 1024
DRAIN_MAX_BYTES = 16 * BODY_MAX_BYTES
"""A refused body is read to its end up to here, and thrown away: an answer that is sent while the
client still writes is lost in the reset of the connection."""


class BodyLimit:
    """ASGI middleware: 413 for a body of more than `max_bytes`, announced or found while read."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _content_length(scope)
        if announced is not None and announced > self._max_bytes:
            await _drain(receive)
            response = problem_response(self._too_large(announced), scope)
            response.headers["connection"] = "close"
            await response(scope, receive, send)
            return
        if announced is not None:
            # The server never hands on more than was announced: nothing to count.
            await self._app(scope, receive, send)
            return
        await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        read_bytes = 0

        async def counted() -> Message:
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > self._max_bytes:
                if message.get("more_body", False):
                    await _drain(receive)
                raise self._too_large(read_bytes)
            return message

        return counted

    def _too_large(self, size_bytes: int) -> BodyTooLarge:
        return BodyTooLarge(
            f"the body has {size_bytes} bytes or more; at most {self._max_bytes} are taken."
            " Send less at once, as several batches"
        )


async def _drain(receive: Receive) -> None:
    drained_bytes = 0
    while drained_bytes < DRAIN_MAX_BYTES:
        message = await receive()
        drained_bytes += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None
