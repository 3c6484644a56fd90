"""Several workers write one sheet: one that is cut off leaves that of the others alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from api.http.degraded import FEED_BEHIND
from api.metrics import Metrics
from api.settings import SheetSettings
from api.sheet.keeping import SHEET_NAME, keep_sheet, write_sheet
from dispatch.board import Board
from tests.contracts.http_town import town_city


def worker(folder: Path, *, lack: str | None, every_s: float = 60.0) -> Any:
    """As much of one of several workers as a sheet needs."""
    following, nowhere = SimpleNamespace(lack=lack), SimpleNamespace(last={})
    return SimpleNamespace(
        data_dir=folder,
        settings=SimpleNamespace(sheet=SheetSettings(every_s=every_s)),
        runner=SimpleNamespace(board=Board(), positions=nowhere, following=following),
        city=town_city(),
        synthetic=(),
        metrics=Metrics(),
    )


def test_a_worker_that_is_cut_off_does_not_write_over_a_newer_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / SHEET_NAME
    sheet.write_text("of the one that leads")
    asyncio.run(write_sheet(worker(tmp_path, lack=FEED_BEHIND)))
    assert sheet.read_text() == "of the one that leads"
    asyncio.run(write_sheet(worker(tmp_path, lack=None)))
    assert sheet.read_text() != "of the one that leads"


def test_what_another_worker_is_writing_is_left_alone(tmp_path: Path) -> None:
    half = tmp_path / f".writing-x-{SHEET_NAME}"
    half.write_text("not yet whole")
    asyncio.run(keep_sheet(worker(tmp_path, lack=None, every_s=0)))
    assert half.exists()
