"""Events as they come, for a process that does not write them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from redis.exceptions import ResponseError

from dispatch.errors import LogDamaged, StoreUnavailable
from dispatch.store import LogEntry
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import REPLY_S, Address, Line, LineBroken
from dispatch.store.redis.reading import log_entries

BLOCK_MS = 1_000
"""How long the server holds a question until there is news."""

TAIL_AT_ONCE = 1_000
"""Most events in one answer."""

PAUSE_S = 0.5
"""Between two tries while the server is away."""

_log = logging.getLogger(__name__)


class RedisTail:
    """Follows an area's log over a line of its own, which waits most of the time.

    Attributes:
        heard_s: When the server last said how far the log goes, by `time.monotonic`; 0.0 before.
        failing: While the log cannot be followed; said in the log of lines once, not at each try.
    """

    def __init__(self, address: Address, area: str) -> None:
        """Connected when it is first followed."""
        self._address = address
        self._keys = AreaKeys(area)
        self._line: Line | None = None
        self._log_id: bytes | None = None
        self.heard_s = 0.0
        self.failing = False

    async def follow(self, after: int) -> AsyncIterator[Sequence[LogEntry]]:
        """Durable events with `seq > after`, in order, as they come; without end.

        While the server is away it waits, and goes on where it was.

        Raises:
            LogDamaged: an event is missing, or the server came back with another log.
        """
        while True:
            try:
                line = await self._connected(after)
                found = await self._ask(line, after)
            except (StoreUnavailable, LineBroken, ResponseError) as error:
                if not self.failing:
                    _log.warning("the log of area %s is not followed: %s", self._keys.area, error)
                self.failing = True
                await asyncio.sleep(PAUSE_S)
                continue
            self.failing = False
            self.heard_s = time.monotonic()
            if found:
                yield log_entries(found, after)
                after += len(found)

    async def close(self) -> None:
        """Close the line."""
        if self._line is not None:
            await self._line.close()

    async def _ask(self, line: Line, after: int) -> Sequence[Any]:
        (events,) = self._keys.named("events")
        streams = await line.ask(
            "XREAD",
            *("COUNT", TAIL_AT_ONCE),
            *("BLOCK", BLOCK_MS),
            *("STREAMS", events, f"{after}-0"),
            within_s=BLOCK_MS / 1_000 + REPLY_S,
        )
        # One stream was asked for: [[name, entries]], or nothing when the time was over.
        entries: Sequence[Any] = streams[0][1] if streams else ()
        return entries

    async def _connected(self, after: int) -> Line:
        if self._line is None or self._line.broken:
            line = await self._address.connect()
            try:
                await self._check(line, after)
            except BaseException:
                # Kept, the next question would go over a line to a log that nobody looked at.
                await line.close()
                raise
            self._line = line
        return self._line

    async def _check(self, line: Line, after: int) -> None:
        """Make sure that this is still the log that was followed, and that it reaches so far."""
        (meta,) = self._keys.named("meta")
        log_id, head = await line.ask("HMGET", meta, "log_id", "head")
        another = self._log_id is not None and log_id != self._log_id
        if another or int(head or 0) < after:
            raise LogDamaged(
                after + 1,
                why=f"events up to {after} were read, and the server {self._address.shown} has"
                f" a log that ends at {int(head or 0)} or is another",
            )
        self._log_id = log_id
