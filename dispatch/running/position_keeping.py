"""Who writes the history of positions, and when: one worker of a folder, never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from dispatch.errors import StoreUnavailable
from dispatch.whereabouts.position_log import PositionLog
from dispatch.whereabouts.positions import Positions

TRY_AGAIN_S = 10.0
"""Between two tries to open the history: a leader that was deposed may still be closing it."""

_log = logging.getLogger(__name__)


class PositionKeeping:
    """The history of positions in a folder, kept from when this process is the one to do it."""

    def __init__(self, folder: Path, positions: Positions) -> None:
        """Nothing is opened yet."""
        self._folder = folder
        self._positions = positions
        self._kept: PositionLog | None = None
        self._opening: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def begin(self) -> None:
        """Open the file, take the last run's fixes, and keep what comes in. Blocks.

        Raises:
            StoreUnavailable: the medium refuses.
        """
        kept = PositionLog(self._folder)
        self._positions.restore(kept.last_fixes())
        self._start(kept)

    def begin_behind(self) -> None:
        """As `begin`, beside all else: a leader does not wait for a history."""
        self._opening = asyncio.create_task(self._begin_behind(), name="position-history")

    async def stop(self) -> None:
        """Write what waits, and close; what was not opened yet is given up."""
        # Told, not cancelled: a file that a thread is opening would stay open.
        self._stopping.set()
        if self._opening is not None:
            await self._opening
        if self._kept is not None:
            await asyncio.to_thread(self._kept.stop)

    async def _begin_behind(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                kept = await asyncio.to_thread(PositionLog, self._folder)
            except (StoreUnavailable, OSError) as error:
                if not told:
                    _log.warning(
                        "no history of positions is kept, tried again every %g s: %s",
                        TRY_AGAIN_S,
                        error,
                    )
                told = True
                await self._pause()
                continue
            self._start(kept)
            if told:
                _log.warning("the history of positions is kept again")
            return

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TRY_AGAIN_S):
                await self._stopping.wait()

    def _start(self, kept: PositionLog) -> None:
        kept.start()
        self._kept = kept
        self._positions.keep_with(kept.keep)
