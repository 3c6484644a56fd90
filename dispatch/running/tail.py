"""The end of the log in memory: what feeds read, and how they wait for more.

A reader keeps a cursor of its own, so that no queue per client can grow: whoever falls behind the
kept end reads from the store, and waiting costs one future. Only durable events get here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeAlias

from dispatch.events import Recorded

TAIL_EVENTS = 10_000
"""Events kept in memory; older ones are read from the store."""

Render: TypeAlias = Callable[[Recorded], bytes]
"""Makes the bytes that feeds send for an event."""


class FeedEvent:
    """An event as feeds send it; its bytes are made once, when first asked for."""

    __slots__ = ("_body", "_render", "recorded")

    def __init__(self, recorded: Recorded, render: Render) -> None:
        self.recorded = recorded
        self._render = render
        self._body: bytes | None = None

    @property
    def seq(self) -> int:
        """Its number in the log."""
        return self.recorded.seq

    @property
    def body(self) -> bytes:
        """Its bytes; the same for every client."""
        if self._body is None:
            self._body = self._render(self.recorded)
        return self._body


class Tail:
    """The newest durable events, in order, without gaps; used from the event loop only.

    Attributes:
        catching_up: Held by the one reader that goes to the store for what is no longer kept.
    """

    def __init__(self, *, head: int, render: Render, size: int = TAIL_EVENTS) -> None:
        """Start behind event `head`, with nothing kept."""
        self._head = head
        self._render = render
        self._kept: deque[FeedEvent] = deque(maxlen=size)
        self._waiting: set[asyncio.Future[None]] = set()
        self.catching_up = asyncio.Lock()

    @property
    def head(self) -> int:
        """Number of the last durable event."""
        return self._head

    def feed_event(self, recorded: Recorded) -> FeedEvent:
        """An event read from the store, as feeds send it."""
        return FeedEvent(recorded, self._render)

    def publish(self, recorded: Sequence[Recorded]) -> None:
        """Add events that are durable, and wake who waits for them."""
        if not recorded:
            return
        self._kept.extend(FeedEvent(one, self._render) for one in recorded)
        self._head = recorded[-1].seq
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def since(self, after: int, limit: int) -> list[FeedEvent] | None:
        """Events with `seq > after`, at most `limit`; None when they are not all in memory."""
        oldest = self._head - len(self._kept)
        if after < oldest:
            return None
        return list(islice(self._kept, after - oldest, after - oldest + limit))

    async def wait_after(self, after: int, timeout_s: float) -> bool:
        """Wait for an event with `seq > after`; False when none came in time."""
        if self._head > after:
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(timeout_s):
                while self._head <= after:
                    await future
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
        except TimeoutError:
            return self._head > after
        finally:
            self._waiting.discard(future)
        return True
