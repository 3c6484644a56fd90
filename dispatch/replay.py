"""Replays a log from its first event and says what board it leads to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from dispatch.codec import board_hash
from dispatch.running.recover import recover
from dispatch.store.sqlite import SqliteStore
from platforms.city import City


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found.

    Attributes:
        events: Events of the log.
        board_sha256: Digest of the board that they lead to; equal logs on equal units, equal
            digests.
        units_sha256: Digest of the city's units, with which a replay begins.
        open_incidents: Incidents open on that board.
        took_s: Seconds that it took.
        snapshot_agrees: Whether a start from the newest snapshot leads to the same board.
    """

    events: int
    board_sha256: str
    units_sha256: str
    open_incidents: int
    took_s: float
    snapshot_agrees: bool


async def replay(folder: Path, city: City) -> Replayed:
    """Replay the log in a data folder; the service must not run on it.

    Raises:
        StoreLocked: a service works on the folder.
        LogDamaged: an event does not follow from those before it.
    """
    store = SqliteStore.open(folder, sign=False)
    try:
        began = perf_counter()
        board = await recover(store, city, snapshots=False)
        took_s = perf_counter() - began
        digest = board_hash(board)
        quick = board_hash(await recover(store, city))
    finally:
        await store.close()
    return Replayed(
        events=board.seq,
        board_sha256=digest,
        units_sha256=units_sha256(city),
        open_incidents=len(board.incidents),
        took_s=took_s,
        snapshot_agrees=quick == digest,
    )


def units_sha256(city: City) -> str:
    """Digest of all that a replay takes from a city: its units, whatever their order."""
    rows = sorted(
        (
            unit.unit_id,
            unit.call_sign,
            unit.kind.value,
            unit.platform_id,
            unit.area_id,
            unit.on_duty,
        )
        for unit in city.units
    )
    return sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
