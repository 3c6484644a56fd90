"""What can be read of an area's log; no lease is needed for it, and none is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dispatch.errors import LogDamaged
from dispatch.store import (
    READ_LIMIT,
    ClosedQuery,
    LogEntry,
    StoredCommand,
    StoredSnapshot,
)
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Lines
from dispatch.store.redis.packing import unpack_command
from dispatch.store.redis.scripts import LIST_CLOSED

READ_STRIDE = 1_000
"""Events fetched at once: the server answers nobody else meanwhile."""

LIST_STRIDE = 500
"""Rows of the history looked at in one script, likewise (some 3 ms)."""

_encoder = msgspec.msgpack.Encoder()


class RedisReader:
    """Reads the log, the commands and the history of an area, from any process."""

    def __init__(self, lines: Lines, keys: AreaKeys) -> None:
        """Read over these lines."""
        self._lines = lines
        self._keys = keys

    async def read(self, after: int, limit: int = READ_LIMIT) -> Sequence[LogEntry]:
        """Durable events after a number; see `Store.read`."""
        (events,) = self._keys.named("events")
        left = min(limit, READ_LIMIT)
        entries: list[LogEntry] = []
        while left > 0:
            some = min(left, READ_STRIDE)
            found = await self._lines.ask("XRANGE", events, f"({after}-0", "+", "COUNT", some)
            part = log_entries(found, after)
            entries += part
            after, left = after + len(part), left - len(part)
            if len(part) < some:
                break
        return entries

    async def command(self, key: str) -> StoredCommand | None:
        """The command with this key."""
        packed = await self._get("commands", key)
        return None if packed is None else unpack_command(key, packed)

    async def closed(self, incident_id: str) -> bytes | None:
        """Body of a closed incident."""
        return await self._get("closed", incident_id)

    async def closed_of_assignment(self, assignment_id: str) -> bytes | None:
        """Body of the closed incident that an assignment belonged to."""
        incident_id = await self._get("closed-assignments", assignment_id)
        return None if incident_id is None else await self._get("closed", incident_id)

    async def list_closed(self, query: ClosedQuery) -> Sequence[bytes]:
        """Bodies of closed incidents, newest first."""
        wanted = _wanted(query)
        bodies: list[bytes] = []
        while len(bodies) < query.limit:
            wanted["limit"] = query.limit - len(bodies)
            last_ms, last_id, *found = await self._lines.run(
                LIST_CLOSED, self._keys, _encoder.encode(wanted), LIST_STRIDE
            )
            bodies += found
            if not last_ms:
                break
            # As text: the server's MessagePack knows no bytes.
            wanted["before_ms"], wanted["before_id"] = last_ms.decode(), last_id.decode()
        return bodies

    async def snapshots(self) -> Sequence[StoredSnapshot]:
        """The kept snapshots, newest first."""
        (snapshots,) = self._keys.named("snapshots")
        flat = await self._lines.ask("HGETALL", snapshots)
        found = zip(flat[::2], flat[1::2], strict=True)
        kept = [StoredSnapshot(seq=int(seq), body=body) for seq, body in found]
        return sorted(kept, key=lambda one: one.seq, reverse=True)

    async def _get(self, name: str, field: str | bytes) -> bytes | None:
        (key,) = self._keys.named(name)
        found: bytes | None = await self._lines.ask("HGET", key, field)
        return found


def log_entries(found: Sequence[Any], after: int) -> list[LogEntry]:
    """Entries of the stream, which should follow the event `after`, as events.

    Raises:
        LogDamaged: one is missing, or is none of ours.
    """
    entries = []
    for seq, (entry_id, fields) in enumerate(found, start=after + 1):
        if entry_id != b"%d-0" % seq or len(fields) != 2:
            raise LogDamaged(seq, why=f"the stream has {entry_id.decode()} in its place")
        entries.append(LogEntry(seq=seq, body=fields[1]))
    return entries


def _wanted(query: ClosedQuery) -> dict[str, Any]:
    """What the script understands; what is None does not restrict."""
    wanted: dict[str, Any] = {
        "statuses": query.statuses,
        "category": query.category,
        "platform_id": query.platform_id,
        "since_ms": _text(query.since_ms),
        "until_ms": _text(query.until_ms),
    }
    if query.before is not None:
        wanted["before_ms"], wanted["before_id"] = str(query.before[0]), query.before[1]
    return {name: value for name, value in wanted.items() if value is not None}


def _text(number: int | None) -> str | None:
    # As text: Lua's numbers lose their last digits when they become text themselves.
    return None if number is None else str(number)
