"""A crew of the load: it hears its orders, drives through their steps, and sends its fixes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from random import Random
from typing import Any

from api.bench.cli import WAYS_OF_HEARING
from api.bench.load.tally import Tally
from api.bench.load.wire import Answer, Wire
from api.bench.street_points import StreetPoint

FIX_EVERY_S = 3.0
STEPS = ("ack", "depart", "arrive", "clear")
LONG_POLL, STREAM = WAYS_OF_HEARING
_OK = 200


def now_text() -> str:
    """This moment as the API wants it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fix_of(unit_id: str, point: StreetPoint) -> dict[str, object]:
    """A unit's position of this moment."""
    lon, lat = round(point.lon, 7), round(point.lat, 7)
    return {"unit_id": unit_id, "lon": lon, "lat": lat, "at": now_text()}


class Crew:
    """One vehicle with two connections: one hears, one speaks."""

    def __init__(
        self, port: int, unit_id: str, token: str, point: StreetPoint, tally: Tally, *, nth: int
    ) -> None:
        """Crews take turns in how they hear: by long-poll, or by a stream."""
        self._unit_id = unit_id
        self._hears_by = (LONG_POLL, STREAM)[nth % 2]
        self._hearing, self._speaking = Wire(port, token), Wire(port, token)
        self._one_at_a_time = asyncio.Lock()
        self._point = point
        self._tally = tally
        self._known: set[str] = set()
        # Spread over the three seconds, as those of a real fleet are.
        self._first_fix_s = Random(nth).uniform(0, FIX_EVERY_S)  # noqa: S311 - no secret

    async def live(self) -> None:
        """Hear, drive and send fixes until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_fixes())
                inboxes = self._stream() if self._hears_by == STREAM else self._poll()
                async with aclosing(inboxes) as heard:
                    async for inbox in heard:
                        for order in inbox["assignments"]:
                            if order["id"] not in self._known:
                                self._known.add(order["id"])
                                self._tally.ordered(order, self._hears_by)
                                tasks.create_task(self._drive(order["id"]))
        finally:
            self._hearing.close()
            self._speaking.close()

    async def _drive(self, order_id: str) -> None:
        for step in STEPS:
            answer = await self._say(f"/v1/assignments/{order_id}/{step}", {"at": now_text()})
            self._tally.statuses["step", answer.status] += 1

    async def _poll(self) -> AsyncGenerator[Any, None]:
        path, tag = f"/v1/units/{self._unit_id}/inbox?wait=25", '""'
        while True:
            answer = await self._hearing.ask("GET", path, if_none_match=tag)
            if answer.status == _OK:
                tag = answer.headers["etag"]
                yield answer.data()

    async def _stream(self) -> AsyncGenerator[Any, None]:
        path = f"/v1/units/{self._unit_id}/inbox/stream"
        async with aclosing(self._hearing.events(path)) as messages:
            async for message in messages:
                if message.get("event") == "inbox":
                    yield json.loads(message["data"])

    async def _send_fixes(self) -> None:
        await asyncio.sleep(self._first_fix_s)
        while True:
            answer = await self._say("/v1/positions", [fix_of(self._unit_id, self._point)])
            self._tally.statuses["fix", answer.status] += 1
            await asyncio.sleep(FIX_EVERY_S)

    async def _say(self, path: str, body: object) -> Answer:
        async with self._one_at_a_time:
            return await self._speaking.ask("POST", path, body)
