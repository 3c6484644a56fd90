"""Server-sent events: the log as it grows, and where units are, in one stream for each client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from msgspec import Struct

from api.clock import now_ms
from api.errors import NotReady
from api.http.catching_up import events_after
from api.http.unit_views import fix_view
from api.http.views.plain import encode
from api.http.views.units import PositionView
from api.http.waiting import TURN_S, Waiting
from api.service import Service
from dispatch.errors import DispatchError

HEARTBEAT_S = 10.0
POSITIONS_S = 1.0
EVENTS_AT_ONCE = 100
RETRY_MS = 2_000
"""How long a browser waits before it opens a broken stream again."""


class UnitPosition(Struct):
    """Where a unit is now."""

    unit_id: str
    position: PositionView | None


class DegradedMessage(Struct):
    """Why the service is degraded; empty when all is well again."""

    degraded: list[str]


class PositionsMessage(Struct):
    """Units that moved since the last message."""

    items: list[UnitPosition]


async def event_stream(service: Service, waiting: Waiting, after: int) -> AsyncIterator[bytes]:
    """The stream's bytes, until the client goes, the service stops or the token is revoked.

    A client that is slow holds back only its own generator: the log keeps what it has not read,
    and when that is dropped its stream ends and it comes back with its Last-Event-ID.
    """
    try:
        with waiting:
            yield b"retry: %d\n\n" % RETRY_MS
            async for part in _parts(service, waiting, after):
                yield part
    except (DispatchError, NotReady):
        # The log was dropped under a client that was too slow, or cannot be read, or all places
        # are taken: the client comes back with its Last-Event-ID and is then told why.
        return


async def _parts(service: Service, waiting: Waiting, after: int) -> AsyncIterator[bytes]:
    moved = service.runner.positions.cursor
    heard_s = positions_s = time.monotonic()
    told: list[str] = []
    while waiting.may_go_on:
        events = await events_after(service, after, EVENTS_AT_ONCE)
        if events:
            after = events[-1].seq
            yield b"".join(_message(event.seq, event.body) for event in events)
            heard_s = time.monotonic()
        now_s = time.monotonic()
        if (causes := service.degraded.causes) != told:
            told = causes
            yield b"event: degraded\ndata: %b\n\n" % encode(DegradedMessage(causes))
            heard_s = now_s
        if now_s - positions_s >= POSITIONS_S:
            positions_s = now_s
            moved, message = _positions(service, moved)
            if message:
                yield message
                heard_s = now_s
        if now_s - heard_s >= HEARTBEAT_S:
            yield b": heartbeat\n\n"
            heard_s = now_s
        left_s = max(0.01, positions_s + POSITIONS_S - time.monotonic())
        await service.runner.tail.wait_after(after, min(TURN_S, left_s))


def _message(seq: int, body: bytes) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (seq, body)


def _positions(service: Service, cursor: int) -> tuple[int, bytes]:
    positions = service.runner.positions
    cursor, moved = positions.changed_since(cursor)
    if not moved:
        return cursor, b""
    at_ms = now_ms()
    message = PositionsMessage(
        [UnitPosition(fix.unit_id, fix_view(positions, fix, at_ms)) for fix in moved]
    )
    return cursor, b"event: positions\ndata: %b\n\n" % encode(message)
