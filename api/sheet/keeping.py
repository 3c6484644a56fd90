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
"""A sheet that was begun so long ago is written by nobody any more."""

_log = structlog.get_logger("sheet")


def sheet_now(service: Service) -> OpenIncidentsSheet:
    """The sheet of this moment."""
    return sheet_of(service.runner.board, service.city, _moment(service))


async def keep_sheet(service: Service) -> None:
    """Writes the sheet at its pace until cancelled; at once where it is switched off."""
    every_s = service.settings.sheet.every_s
    # What a service that was killed in the middle left; another worker may be writing one now.
    left_before_s = time.time() - HALF_WRITTEN_S
    with suppress(OSError):
        for half in service.data_dir.glob(f"{WRITING}*-{SHEET_NAME}"):
            if half.stat().st_mtime < left_before_s:
                half.unlink(missing_ok=True)
    while every_s > 0:
        await write_sheet(service)
        await asyncio.sleep(every_s)


async def write_sheet(service: Service) -> None:
    """Writes the sheet once; nothing where it is switched off. What fails is told.

    Nor where this is one of several workers whose board is behind: its sheet would carry the time
    of now, and stand in the place of a better one.
    """
    following = service.runner.following
    behind = following is not None and following.lack == FEED_BEHIND
    if service.settings.sheet.every_s <= 0 or behind:
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


def _moment(service: Service) -> SheetMoment:
    at_ms, positions = now_ms(), service.runner.positions
    lost = {one for one in positions.last if positions.link(one, at_ms) is Link.LOST}
    return SheetMoment(at_ms=at_ms, synthetic=service.synthetic, lost=lost)
