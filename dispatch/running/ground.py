"""What a dispatcher stands on: its store, the board as the log says, and where units are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dispatch.board import Board
from dispatch.running.position_keeping import PositionKeeping
from dispatch.running.recover import recover
from dispatch.store import Store
from dispatch.store.followed import FollowedStore
from dispatch.store.sqlite import SqliteStore
from dispatch.whereabouts.positions import PositionRules, Positions, bounds_around
from dispatch.words import UnitId
from platforms.city import City
from routing.roads import Roads

OnCommit: TypeAlias = Callable[[int, float], None]
"""Told of each commit's appends and seconds."""

OpenStore: TypeAlias = Callable[[OnCommit | None], Awaitable[Store]]
"""Opens a store, which is to tell of each commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The parts that are opened before anything is decided.

    Attributes:
        store: The log.
        board: The board after its last event.
        positions: Last fixes of the units.
        keeping: Their history.
    """

    store: Store
    board: Board
    positions: Positions
    keeping: PositionKeeping


async def lay_ground(
    folder: Path,
    city: City,
    roads: Roads,
    *,
    open_store: OpenStore,
    position_rules: PositionRules | None,
    on_commit: OnCommit | None,
) -> Ground:
    """Open the log and read it, and the history of positions where nobody else keeps it.

    Raises:
        StoreLocked: another service works on the folder.
        LogDamaged: the log cannot be trusted.
        StoreUnavailable: the medium refuses.
    """
    store = await open_store(on_commit)
    try:
        board = await recover(store, city)
        positions = Positions(
            (UnitId(unit.unit_id) for unit in city.units),
            bounds=bounds_around(roads.graph),
            rules=position_rules,
        )
        keeping = PositionKeeping(folder, positions)
        if not isinstance(store, FollowedStore):
            keeping.begin()
    except BaseException:
        await store.close()
        raise
    return Ground(store=store, board=board, positions=positions, keeping=keeping)


def in_folder(folder: Path, heads_dir: Path | None) -> OpenStore:
    """Opens the log in SQLite, in the service's folder itself."""

    async def opened(on_commit: OnCommit | None) -> Store:
        return SqliteStore.open(folder, heads_dir=heads_dir, on_commit=on_commit)

    return opened
