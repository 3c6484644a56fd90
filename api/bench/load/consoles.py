"""A dispatcher's console of the load: it follows the feed and reports incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from time import perf_counter
from typing import Any
from uuid import uuid4

from api.bench.load.tally import Tally
from api.bench.load.wire import Wire

Body = dict[str, object]

_AT_ONCE = 1_000


class Console:
    """One desk with a stream of the feed and a connection for its calls."""

    def __init__(self, port: int, token: str, tally: Tally, *, nth: int) -> None:
        """Connected when it is first used."""
        self._following, self._calling = Wire(port, token), Wire(port, token)
        self._tally = tally
        self._nth = nth

    async def follow(self) -> None:
        """Count what the feed sends, until it is cancelled."""
        try:
            async with aclosing(self._following.events("/v1/events/stream")) as messages:
                async for message in messages:
                    if "id" in message:
                        self._tally.events[self._nth] += 1
        finally:
            self._following.close()

    async def report(self, body: Body, phase: str) -> None:
        """Take a call."""
        began_s = perf_counter()
        answer = await self._calling.ask(
            "POST", "/v1/incidents", body, idempotency_key=str(uuid4())
        )
        self._tally.posted(phase, perf_counter() - began_s, answer.status, answer.data())

    async def whole_log(self) -> list[dict[str, Any]]:
        """All events from the first on."""
        events: list[dict[str, Any]] = []
        while True:
            after = events[-1]["seq"] if events else 0
            answer = await self._calling.ask("GET", f"/v1/events?after={after}&limit={_AT_ONCE}")
            if not answer.data()["items"]:
                self._calling.close()
                return events
            events += answer.data()["items"]

    async def send_fixes(self, fixes: Callable[[], list[Body]], every_s: float) -> None:
        """Send batches of fixes at a steady rate, until it is cancelled."""
        next_s = perf_counter()
        while True:
            answer = await self._calling.ask("POST", "/v1/positions", fixes())
            self._tally.statuses["flood", answer.status] += 1
            next_s += every_s
            await asyncio.sleep(max(0.0, next_s - perf_counter()))

    def hang_up(self) -> None:
        """Close the connection for calls."""
        self._calling.close()
