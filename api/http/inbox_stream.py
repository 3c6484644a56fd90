"""A unit's inbox as server-sent events: the whole of it, at once and whenever it changes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from api.errors import NotReady
from api.http.inbox_bell import contents
from api.http.inbox_view import inbox_view
from api.http.responding import content_tag
from api.http.stream import HEARTBEAT_S, RETRY_MS
from api.http.views.plain import encode
from api.http.waiting import TURN_S, Waiting
from api.service import Service
from dispatch.errors import DispatchError
from dispatch.words import UnitId

LOOK_S = 10.0
"""A notice ends with time and not with an event: the inbox is worded anew at least so often."""


async def inbox_stream(
    service: Service, waiting: Waiting, unit_id: UnitId, known_tag: str | None
) -> AsyncIterator[bytes]:
    """The stream's bytes, until the client goes, the service stops or the token is revoked.

    Args:
        service: The service.
        waiting: The client; its place is taken while the stream runs.
        unit_id: Whose inbox.
        known_tag: Tag of the inbox that the client has (Last-Event-ID); it is not sent again.
    """
    try:
        with waiting:
            yield b"retry: %d\n\n" % RETRY_MS
            async for part in _parts(service, waiting, unit_id, known_tag):
                yield part
    except (DispatchError, NotReady):
        # All places are taken, or the unit left the city: the client comes back and is told why.
        return


async def _parts(
    service: Service, waiting: Waiting, unit_id: UnitId, known_tag: str | None
) -> AsyncIterator[bytes]:
    heard_s = time.monotonic()
    while waiting.may_go_on:
        board = service.runner.board
        seen = contents(board, unit_id)
        if unit_id not in board.units:
            return
        body = encode(inbox_view(service, board.units[unit_id]))
        tag = content_tag(body)
        if tag != known_tag:
            known_tag = tag
            yield b"id: %b\nevent: inbox\ndata: %b\n\n" % (tag.encode(), body)
            heard_s = time.monotonic()
        looked_s = time.monotonic()
        while waiting.may_go_on and time.monotonic() - looked_s < LOOK_S:
            if await service.inbox_bell.wait(unit_id, seen, TURN_S):
                break
            if time.monotonic() - heard_s >= HEARTBEAT_S:
                yield b": heartbeat\n\n"
                heard_s = time.monotonic()
