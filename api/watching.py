"""What the service does by itself beside the requests: it looks after itself, at a steady pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from api.service import Service
from api.sheet.keeping import keep_sheet, write_sheet
from api.vitals import watch_loop_lag

LOOK_EVERY_S = 1.0
"""How often it is looked whether something is wrong."""

_log = structlog.get_logger("watching")


def begin_watching(service: Service) -> list[asyncio.Task[None]]:
    """Begins; end it with `end_watching`."""

    async def look_for_alarms() -> None:
        service.alarm_watch.look()

    async def sweep_callers() -> None:
        await service.callers.keep_sweeping(lambda: service.runner.board.incidents)

    # Each for itself: a disk that hangs under one must not end the others.
    jobs: tuple[Callable[[], Awaitable[None]], ...] = (
        partial(watch_loop_lag, service),
        service.event_counts.follow,
        partial(_again, look_for_alarms),
        partial(_again, service.degraded.look),
        partial(keep_sheet, service),
        sweep_callers,
    )
    return [asyncio.create_task(_kept_up(job)) for job in jobs]


async def end_watching(service: Service, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Ends it and writes a last sheet; what fails is told and holds nothing up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await service.alarm_watch.stop()
    await write_sheet(service)


async def _again(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await look()
        await asyncio.sleep(LOOK_EVERY_S)


async def _kept_up(job: Callable[[], Awaitable[None]]) -> None:
    """Does a job until it ends by itself; one that a defect ends is begun anew."""
    while True:
        try:
            await job()
        except Exception:  # noqa: BLE001
            # Were it to end here, nobody would notice what it looks for.
            _log.exception("a defect in the watching")
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            return
