"""Appends for the tests of the stores, and waiting for what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from dispatch.errors import DispatchError
from dispatch.store import Append, ClosedRow, Store, StoredCommand, StoredReply
from dispatch.words import UnixMs


def submit(store: Store, append: Append) -> asyncio.Future[None]:
    """An append as something to wait for."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settled(error: DispatchError | None) -> None:
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    store.append(append, settled)
    return done


def an_append(store: Store, *events: bytes, seq: int | None = None, key: str = "") -> Append:
    return Append(
        expected_seq=store.head if seq is None else seq,
        epoch=store.epoch,
        events=events,
        command=a_command(key) if key else None,
    )


def a_command(key: str, *, at_ms: int = 1_000) -> StoredCommand:
    reply = StoredReply(
        status=201, body=b'{"of":"' + key.encode() + b'"}', headers=(("ETag", '"1"'),)
    )
    return StoredCommand(key=key, body_sha256=b"\x01" * 32, at_ms=UnixMs(at_ms), reply=reply)


def a_closed(number: int, **changes: object) -> ClosedRow:
    fields: dict[str, object] = {
        "incident_id": f"I{number:06d}",
        "received_at_ms": UnixMs(number * 1_000),
        "status": "closed",
        "category": "traffic",
        "platform_id": "P01",
        "assignment_ids": (f"A{number:06d}",),
        "body": f"closed {number}".encode(),
    }
    return ClosedRow(**(fields | changes))  # type: ignore[arg-type]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(bounded())
