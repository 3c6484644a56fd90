"""Keeps a fresh sheet in the service's folder, so that a machine that dies leaves one behind."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog

from api.clock import now_ms
from api.http.degraded import FEED_BEHIND
from api.service import Service
from api.sheet.contents import OpenIncidentsSheet, SheetMoment, sheet_of
from api.sheet.page import page_of
from api.sheet.writing import write_page
from dispatch.whereabouts.positions import Link
from routing.whole_file import WRITING

SHEET_NAME = "open-incidents.html"

HALF_WRITTEN_S = 60.0
"""A sheet that was begun so long ago is not being written any more."""

_log = structlog.get_logger("sheet")


async def sheet_now(service: Service) -> OpenIncidentsSheet:
    """The sheet of this moment, drawn up in a thread: a large one takes tens of milliseconds."""
    return await asyncio.to_thread(sheet_of, service.runner.board, service.city, _moment(service))


async def keep_sheet(service: Service) -> None:
    """Writes the sheet at its pace until cancelled; ends at once where it is switched off."""
    every_s = service.settings.sheet.every_s
    _clear_away(service)
    while every_s > 0:
        await write_sheet(service)
        await asyncio.sleep(every_s)


async def write_sheet(service: Service) -> None:
    """Writes the sheet once; nothing where it is switched off. What fails is told."""
    following = service.runner.following
    cut_off = following is not None and following.lack == FEED_BEHIND
    if service.settings.sheet.every_s <= 0 or cut_off:
        # Where several workers write it, one that is cut off must not write the old over the new.
        return
    try:
        board, moment = service.runner.board, _moment(service)
        path = service.data_dir / SHEET_NAME
        # In a thread, words too: a large sheet takes longer than a decision may wait.
        await asyncio.to_thread(
            lambda: write_page(path, page_of(sheet_of(board, service.city, moment)))
        )
    except OSError as error:
        _log.error("sheet_not_written", why=str(error))
    except Exception:  # noqa: BLE001
        # A sheet that cannot be drawn up must not end the service, nor the next sheet.
        _log.exception("a defect in the sheet")
    else:
        service.metrics.sheet_written_s.set(now_ms() / 1000)


def _clear_away(service: Service) -> None:
    """Takes away what a service that was killed in the middle of a sheet left."""
    alone = service.runner.following is None
    with suppress(OSError):
        for half in service.data_dir.glob(f"{WRITING}*-{SHEET_NAME}"):
            # Another worker may be writing one right now.
            if alone or time.time() - half.stat().st_mtime > HALF_WRITTEN_S:
                half.unlink(missing_ok=True)


def _moment(service: Service) -> SheetMoment:
    at_ms, positions = now_ms(), service.runner.positions
    lost = {one for one in positions.last if positions.link(one, at_ms) is Link.LOST}
    return SheetMoment(at_ms=at_ms, synthetic=service.synthetic, lost=lost)
