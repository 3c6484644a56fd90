"""A log on a Redis server: would the server lose it, where does it end, and who leads it?

Only asked, never written: no lease is taken, so that it may run beside the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.checkup.finding import Finding
from api.settings import RedisUse, load_settings
from api.storing import redis_place
from dispatch.errors import DispatchError
from dispatch.store.head_mark import read_mark

if TYPE_CHECKING:
    from dispatch.store.redis.line import Line
    from dispatch.store.redis.store import RedisPlace

TOKEN_SHOWN = 8
"""Characters of a leader's name that are shown: enough to tell two apart."""


def look_at_redis(store: str, data_dir: Path | None) -> Iterator[Finding]:
    """Findings about the server, the log's end and its leader.

    Args:
        store: The server's address.
        data_dir: The service's folder, for its settings and the event that it saw last; may be
            left out.
    """
    try:
        use = RedisUse() if data_dir is None else load_settings(data_dir).redis
        place = redis_place(store, data_dir, use)
        yield from asyncio.run(_look(place))
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever is wrong
        yield Finding("redis", False, f"{error}")


async def _look(place: RedisPlace) -> list[Finding]:
    from dispatch.store.redis.server_check import check_server  # noqa: PLC0415

    line = await place.address.connect()
    try:
        found = [Finding("redis", True, f"{place.address.shown} keeps what it acknowledges")]
        try:
            await check_server(line, shown=place.address.shown, accepted=place.accepted)
        except DispatchError as error:
            found = [Finding("redis", False, f"{error}")]
        return [*found, await _end(line, place), await _leader(line, place)]
    finally:
        await line.close()


async def _end(line: Line, place: RedisPlace) -> Finding:
    (meta,) = place.keys.named("meta")
    head, epoch, log_format = await line.ask("HMGET", meta, "head", "epoch", "format")
    area = place.keys.area
    if head is None:
        return Finding("redis log", None, f"area {area} holds none; the first start makes it")
    text = f"area {area}, format {_plain(log_format)}, ends at event {_plain(head)}"
    marked = None if place.folder is None else read_mark(place.folder / "redis" / area)
    if marked is not None and marked > int(head):
        return Finding("redis log", False, f"{text} and {marked} were recorded: restore a copy")
    return Finding("redis log", True, f"{text}, turn {_plain(epoch)}")


async def _leader(line: Line, place: RedisPlace) -> Finding:
    (leader,) = place.keys.named("leader")
    holder, left_ms = await line.ask("GET", leader), await line.ask("PTTL", leader)
    if holder is None:
        return Finding("redis leader", True, "nobody leads: no service runs on it")
    text = f"{_plain(holder)[:TOKEN_SHOWN]}… leads, its lease ends in {left_ms} ms unless renewed"
    return Finding("redis leader", True, text)


def _plain(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
