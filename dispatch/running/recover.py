"""The board as the log says: the newest snapshot that can be read, and the events after it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from dispatch.board import Board, open_board
from dispatch.codec import decode_board, decode_event, encode_board
from dispatch.errors import LogDamaged
from dispatch.events import Recorded
from dispatch.evolve import evolve
from dispatch.resources import UnitOnBoard
from dispatch.store import READ_LIMIT, Store, StoredSnapshot
from dispatch.words import UnitStatus
from platforms.categories import UnitKind
from platforms.city import City

_log = logging.getLogger(__name__)


async def recover(store: Store, city: City, *, snapshots: bool = True) -> Board:
    """The board after the last event of the log.

    Args:
        store: The log.
        city: The units that the board begins with.
        snapshots: False replays the log from its beginning, for a check.

    Raises:
        LogDamaged: an event does not follow from those before it.
        EventKindUnknown: a newer version wrote it.
    """
    board = await _newest_snapshot(store) if snapshots else None
    today = open_board(city)
    # Units that left the files stay until the end: events still to be read may name them.
    board = today if board is None else replace(board, units={**today.units, **board.units})
    while True:
        entries = await store.read(board.seq, READ_LIMIT)
        for entry in entries:
            recorded = decode_event(entry.seq, entry.body)
            board = evolve(with_unit_of(board, recorded), recorded)
        if len(entries) < READ_LIMIT:
            break
        # A long log: let the process answer signals and health checks meanwhile.
        await asyncio.sleep(0)
    if board.seq != store.head:
        raise LogDamaged(board.seq + 1, why=f"the log says that its last event is {store.head}")
    return with_units_of(board, city)


async def save_board(store: Store, board: Board) -> None:
    """Keep a durable board as a snapshot.

    Raises:
        StoreUnavailable: it could not be written; the log is whole without it.
    """
    await store.save_snapshot(StoredSnapshot(seq=board.seq, body=encode_board(board)))


def with_units_of(board: Board, city: City) -> Board:
    """The board with the units of today's city files.

    New units are added, a unit's name, kind and platform follow the files, and a unit that left
    the files goes when nothing binds it. What a unit does stays as the log says, and so does a loan
    to an area that is still there.
    """
    fresh = open_board(city).units
    area_ids = {area.area_id for area in city.areas}
    units = {}
    for unit_id in sorted(fresh.keys() | board.units.keys()):
        held, wanted = board.units.get(unit_id), fresh.get(unit_id)
        if held is None and wanted is not None:
            units[unit_id] = wanted
        elif held is not None and wanted is not None:
            units[unit_id] = replace(
                held,
                call_sign=wanted.call_sign,
                kind=wanted.kind,
                platform_id=wanted.platform_id,
                **_where_it_serves(held, wanted, area_ids),
            )
        elif held is not None and held.assignment_id is not None:
            units[unit_id] = held
    return replace(board, units=units)


def _where_it_serves(
    held: UnitOnBoard, wanted: UnitOnBoard, area_ids: Collection[str]
) -> dict[str, Any]:
    if held.loan is None or held.area_id not in area_ids:
        return {"area_id": wanted.area_id, "loan": None}
    return {"loan": replace(held.loan, home_area_id=wanted.area_id)}


def with_unit_of(
    board: Board, recorded: Recorded, *, say: Callable[..., None] = _log.warning
) -> Board:
    """The board with the unit that an event names, which may have left the city's files since."""
    unit_id = getattr(recorded.event, "unit_id", None)
    if unit_id is None or unit_id in board.units:
        return board
    say("event %d names unit %s, which is not in the city", recorded.seq, unit_id)
    gone = UnitOnBoard(
        unit_id=unit_id,
        call_sign=unit_id,
        kind=UnitKind.RESPONSE_CAR,
        platform_id="",
        area_id="",
        status=UnitStatus.OFF_DUTY,
        on_duty=False,
    )
    return replace(board, units={**board.units, unit_id: gone})


async def _newest_snapshot(store: Store) -> Board | None:
    for snapshot in await store.snapshots():
        board = decode_board(snapshot.body) if snapshot.seq <= store.head else None
        if board is not None and board.seq == snapshot.seq:
            return board
        _log.warning("snapshot of event %d left out: it cannot be read", snapshot.seq)
    return None
