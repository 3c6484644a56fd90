"""Idempotency keys: where the log keeps the answer, and where this service does.

Commands that change the board hand their key to the runner, which keeps the answer beside the
events. Calls that only compute, and position batches, are kept here, in memory: a repetition
after a restart is computed anew, which changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from api.errors import InvalidRequest
from api.http.permissions import caller_of
from dispatch.errors import CommandInProgress, CommandReused
from dispatch.running.commands import CommandKey

KEY_MAX_CHARS = 255
KEPT_S = 24 * 3600
KEPT_MAX = 4_000
KEPT_BODY_MAX_BYTES = 64 * 1024
"""Larger answers are computed anew, so that the keeper stays under 256 MB."""

REPLAYED = "Idempotency-Replayed"


async def command_key(request: Request, *, digest_key: bytes | None = None) -> CommandKey | None:
    """The request's idempotency key; None without one.

    Args:
        request: May carry an Idempotency-Key.
        digest_key: Makes the body's digest one that nobody can try bodies against who has only
            the log; None where the body holds nothing that the log does not.

    Raises:
        InvalidRequest: The key is empty or too long.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_MAX_CHARS:
        raise InvalidRequest(
            f"Idempotency-Key has {len(key)} characters; 1 to {KEY_MAX_CHARS} are taken",
            errors=[{"loc": ["header", "Idempotency-Key"], "msg": "length", "type": "length"}],
        )
    digest = hashlib.sha256(f"{request.method} {request.scope['path']}\n".encode())
    digest.update(await request.body())
    body_sha256 = digest.digest()
    if digest_key is not None:
        body_sha256 = hmac.digest(digest_key, body_sha256, "sha256")
    return CommandKey(token_id=caller_of(request).token_id, key=key, body_sha256=body_sha256)


@dataclass(slots=True)
class _Kept:
    body_sha256: bytes
    at_ms: int
    response: Response | None


class ReplyKeeper:
    """Keeps answers of calls that change nothing durable."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def once(self, request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
        """Does the work, or gives the answer that the same key and body got before.

        Raises:
            CommandReused: The key came with another body.
            CommandInProgress: The first request with this key still runs.
        """
        command = await command_key(request)
        if command is None:
            return await work()
        kept = self._find(command)
        if kept is not None:
            return _replayed(kept)
        self._make_room()
        entry = _Kept(command.body_sha256, self._now_ms(), None)
        self._kept[command.stored] = entry
        self._kept.move_to_end(command.stored)
        try:
            response = await work()
        except BaseException:
            self._drop(command, entry)
            raise
        if len(response.body) > KEPT_BODY_MAX_BYTES:
            self._drop(command, entry)
        else:
            entry.response = response
        return response

    def _find(self, command: CommandKey) -> Response | None:
        kept = self._kept.get(command.stored)
        if kept is None or kept.at_ms < self._oldest_ms():
            return None
        if kept.body_sha256 != command.body_sha256:
            raise CommandReused(command.key)
        if kept.response is None:
            raise CommandInProgress(command.key)
        return kept.response

    def _drop(self, command: CommandKey, entry: _Kept) -> None:
        # It may have made room for another meanwhile.
        if self._kept.get(command.stored) is entry:
            del self._kept[command.stored]

    def _oldest_ms(self) -> int:
        return self._now_ms() - KEPT_S * 1000

    def _make_room(self) -> None:
        """Drops what is too old, and the oldest when all room is taken."""
        oldest_ms = self._oldest_ms()
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            if kept.at_ms >= oldest_ms and len(self._kept) < KEPT_MAX:
                return
            del self._kept[key]


def _replayed(response: Response) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(bytes(response.body), response.status_code, {**headers, REPLAYED: "true"})
