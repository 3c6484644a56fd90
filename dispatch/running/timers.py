"""The shell's clock: asks the core what is due, and lets the roads' hours and closures take effect.

The core knows no sleep: a timer is a question asked again and again, so that a restart loses none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from dispatch.errors import DispatchError

TICK_S = 0.2
"""How often the core is asked: nothing due is noticed later than this (the bound is 250 ms)."""

DEFECT_PAUSE_S = 2.0

_log = logging.getLogger(__name__)


class Timers:
    """Calls `tick` for ever, at a steady pace, until stopped."""

    def __init__(self, tick: Callable[[], None], *, every_s: float = TICK_S) -> None:
        self._tick = tick
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first tick comes at once, for what fell due while the service was down."""
        self._task = asyncio.create_task(self._run(), name="timers")

    async def stop(self) -> None:
        """End; harmless when done twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            pause_s = self._every_s
            try:
                self._tick()
            except DispatchError as error:
                # Asked again at the next tick; a full disk must not end the clock.
                _log.warning("timers could not be served: %s", error)
            except Exception:  # noqa: BLE001
                # Whatever it is: were the clock to end here, the next order that nobody signs for
                # would go unnoticed. It is said aloud, and asked again.
                _log.exception("a defect in the timers")
                pause_s = DEFECT_PAUSE_S
            await asyncio.sleep(pause_s)
