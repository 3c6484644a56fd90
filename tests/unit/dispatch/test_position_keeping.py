"""A leader keeps the history of positions as soon as its file lets it, and waits for none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.errors import StoreUnavailable
from dispatch.running import position_keeping
from dispatch.running.position_keeping import PositionKeeping
from dispatch.whereabouts.position_log import POSITIONS_NAME, PositionLog
from dispatch.whereabouts.positions import Fix, Positions
from dispatch.words import UnitId, UnixMs

NOW = UnixMs(1_767_225_600_000)
CAR = UnitId("P01-C1")
FIX = Fix(unit_id=CAR, lon=111.46, lat=27.24, at_ms=NOW)
WITHIN_S = 30.0


def kept_in(folder: Path) -> list[Fix]:
    log = PositionLog(folder)
    try:
        return log.last_fixes()
    finally:
        log.start()
        log.stop()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not what():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def test_a_history_that_could_not_be_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(position_keeping, "TRY_AGAIN_S", 0.02)
    in_the_way = tmp_path / POSITIONS_NAME
    in_the_way.mkdir()
    positions = Positions([CAR], bounds=(111.0, 27.0, 112.0, 28.0))

    async def scenario() -> None:
        keeping = PositionKeeping(tmp_path, positions)
        keeping.begin_behind()
        await until(lambda: "no history of positions is kept" in caplog.text)
        in_the_way.rmdir()
        await until(lambda: "is kept again" in caplog.text)
        positions.accept([FIX], NOW)
        await keeping.stop()

    asyncio.run(scenario())
    assert kept_in(tmp_path) == [FIX]
    assert caplog.text.count("no history of positions is kept") == 1, "told once, not at each try"


def test_who_stops_does_not_wait_for_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(position_keeping, "TRY_AGAIN_S", 3_600.0)
    (tmp_path / POSITIONS_NAME).mkdir()
    positions = Positions([CAR], bounds=(111.0, 27.0, 112.0, 28.0))

    async def scenario() -> None:
        keeping = PositionKeeping(tmp_path, positions)
        keeping.begin_behind()
        await until(lambda: "no history of positions is kept" in caplog.text)
        async with asyncio.timeout(WITHIN_S):
            await keeping.stop()

    asyncio.run(scenario())


def test_a_damaged_history_that_cannot_be_put_aside_is_an_error_that_says_so(
    tmp_path: Path,
) -> None:
    (tmp_path / POSITIONS_NAME).write_bytes(b"no database" * 1_000)
    (tmp_path / f"{POSITIONS_NAME}.damaged").mkdir()
    with pytest.raises(StoreUnavailable, match="could not be opened"):
        PositionLog(tmp_path)
