"""What is done beside the requests: snapshots of the board, and forgetting old commands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from dispatch.board import Board
from dispatch.errors import StoreUnavailable
from dispatch.running.ledger import Ledger
from dispatch.running.recover import save_board
from dispatch.store import Store
from dispatch.words import UnixMs

SNAPSHOT_EVERY = 2_000
"""Events between two snapshots: a start replays hardly more, at 60 to 300 µs each."""

FINISH_S = 1.0
"""Longest that the end of the service waits for decisions under way before it closes the log."""

COMMANDS_KEPT_MS = 24 * 3_600_000
FORGET_EVERY_MS = 60_000

_log = logging.getLogger(__name__)


class Housekeeping:
    """Looks after the store, one job at a time, never in anybody's way."""

    def __init__(self, store: Store, *, snapshot_seq: int) -> None:
        """Begin; `snapshot_seq` is the event of the newest snapshot, 0 without one."""
        self._store = store
        self._snapshot_seq = snapshot_seq
        self._forgot_ms = UnixMs(0)
        self._job: asyncio.Task[None] | None = None

    def look(self, durable: Board, now_ms: UnixMs) -> None:
        """Begin what is due; returns at once."""
        if self._job is not None and not self._job.done():
            return
        if durable.seq - self._snapshot_seq >= SNAPSHOT_EVERY:
            self._begin(self._keep(durable))
        elif not 0 <= now_ms - self._forgot_ms < FORGET_EVERY_MS:
            self._forgot_ms = now_ms
            self._begin(self._forget(UnixMs(now_ms - COMMANDS_KEPT_MS)))

    async def finish(self, ledger: Ledger) -> None:
        """Let decisions under way settle, then keep a last snapshot for a quick start."""
        try:
            async with asyncio.timeout(FINISH_S):
                await ledger.catch_up()
            if self._job is not None:
                await self._job
            if ledger.durable.seq > self._snapshot_seq:
                await self._keep(ledger.durable)
        except TimeoutError:
            # The store is closed next: it finishes what it can, and tells the rest.
            _log.warning("no last snapshot: decisions still wait for the log")
        except StoreUnavailable as error:
            _log.warning("no last snapshot: %s", error)

    def _begin(self, job: Coroutine[Any, Any, None]) -> None:
        self._job = asyncio.create_task(job, name="housekeeping")

    async def _keep(self, board: Board) -> None:
        try:
            await save_board(self._store, board)
        except StoreUnavailable as error:
            _log.warning("no snapshot of event %d: %s", board.seq, error)
            return
        self._snapshot_seq = board.seq

    async def _forget(self, before_ms: UnixMs) -> None:
        try:
            await self._store.forget_commands(before_ms)
        except StoreUnavailable as error:
            _log.warning("old commands are still kept: %s", error)
