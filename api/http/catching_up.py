"""Reading far back in the log, in small turns, so that no incident waits behind a reader.

An event out of the store is decoded and worded anew, some 0.1 ms of the event loop. A console that
comes back after a weekend, or hundreds of clients after a restart, would together hold it for
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.service import Service
from dispatch.running.tail import FeedEvent

TURN_EVENTS = 20
"""Events out of the store in one turn of the event loop: 2 to 3 ms."""


async def events_after(service: Service, after: int, limit: int) -> Sequence[FeedEvent]:
    """As `Runner.read_events`; one reader at a time goes to the store, a few events each.

    Raises:
        CursorExpired: The events are too far back, or the cursor is of another log.
        StoreUnavailable: The log cannot be read.
    """
    runner = service.runner
    found: list[FeedEvent] = []
    while len(found) < limit:
        if runner.tail.since(after, 1) is not None:
            found.extend(await runner.read_events(after, limit - len(found)))
            break
        async with runner.tail.catching_up:
            some = await runner.read_events(after, min(TURN_EVENTS, limit - len(found)))
            for event in some:
                _ = event.body
            # The next in line begins in a later turn: whatever came meanwhile goes first.
            await asyncio.sleep(0)
        if not some:
            break
        found.extend(some)
        after = some[-1].seq
    return found
