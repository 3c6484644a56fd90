"""Callers as the service reaches them: swept in time, bounded, never in the way of a call."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from api.callers import caller_book
from api.callers.caller_book import CallerBook
from api.callers.caller_file import CalledAbout, CallerFile
from api.callers.caller_tables import CALLERS_FILE
from api.callers.digest_key import DIGEST_KEY_FILE
from api.callers.sealing import CallerDetails
from api.clock import now_ms
from api.errors import CallerNotKept, CallersUnavailable
from api.settings import CallerRules
from dispatch.words import UnixMs

DAY_MS = 86_400_000
ZHANG = CallerDetails(name="张三", phone="13873912345")


def with_book(
    folder: Path, scenario: Callable[[CallerBook], Awaitable[None]], *, kept_days: int = 30
) -> None:
    async def run() -> None:
        book = CallerBook(folder, CallerRules(kept_days=kept_days))
        try:
            await scenario(book)
        finally:
            await book.close()

    asyncio.run(run())


def about(incident_id: str, days_ago: float = 0) -> CalledAbout:
    received_at_ms = UnixMs(now_ms() - round(days_ago * DAY_MS))
    return CalledAbout(incident_id=incident_id, received_at_ms=received_at_ms)


async def is_kept(book: CallerBook, one: CalledAbout) -> bool:
    try:
        return await book.read(one, actor="admin:1", token_id="1") == ZHANG
    except CallerNotKept:
        return False


def test_what_is_old_and_has_ended_is_forgotten(tmp_path: Path) -> None:
    young, old, still_open = about("I1", 29.9), about("I2", 30.1), about("I3", 90)

    async def scenario(book: CallerBook) -> None:
        for one in (young, old, still_open):
            await book.keep(one, ZHANG)
        assert await book.sweep({"I3"}) == 1
        assert [await is_kept(book, one) for one in (young, old, still_open)] == [True, False, True]
        assert await book.sweep({"I3"}) == 0
        assert await book.sweep(()) == 1, "it has ended"

    with_book(tmp_path, scenario)


def test_a_service_that_keeps_none_any_more_forgets_all(tmp_path: Path) -> None:
    fresh = about("I1")

    async def keep(book: CallerBook) -> None:
        await book.keep(fresh, ZHANG)

    async def sweep(book: CallerBook) -> None:
        assert await book.sweep({"I1"}) == 1
        assert not await is_kept(book, fresh)

    with_book(tmp_path, keep)
    with_book(tmp_path, sweep, kept_days=0)


def test_a_service_without_callers_makes_no_file(tmp_path: Path) -> None:
    async def scenario(book: CallerBook) -> None:
        assert await book.sweep(()) == 0

    with_book(tmp_path, scenario)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_does_not_answer_holds_nobody_up_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = about("I1"), about("I2")

    async def scenario(book: CallerBook) -> None:
        await book.keep(first, ZHANG)
        monkeypatch.setattr(caller_book, "WAIT_MAX_S", 0.05)
        with closing(sqlite3.connect(tmp_path / CALLERS_FILE, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(CallersUnavailable, match="did not answer"):
                await book.keep(second, ZHANG)
            other.execute("ROLLBACK")
        monkeypatch.setattr(caller_book, "WAIT_MAX_S", 30.0)
        assert await is_kept(book, second), "what was begun was finished"

    with_book(tmp_path, scenario)


def test_where_a_log_has_several_machines_none_here_is_not_called_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        book = CallerBook(tmp_path, CallerRules(), shared_log=True)
        try:
            with pytest.raises(CallerNotKept, match="the one whose worker led when it was given"):
                await book.read(about("I1"), actor="admin:1", token_id="1")
        finally:
            await book.close()

    asyncio.run(scenario())


def test_waiting_for_the_files_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_book, "PENDING_MAX", 2)

    async def scenario(book: CallerBook) -> None:
        done = await asyncio.gather(
            *(book.keep(about(f"I{n}"), ZHANG) for n in range(5)), return_exceptions=True
        )
        assert [one for one in done if one is True] == [True, True]
        assert sum(isinstance(one, CallersUnavailable) for one in done) == 3

    with_book(tmp_path, scenario)


def test_a_service_that_ends_does_not_wait_for_a_sick_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller_book, "CLOSE_MAX_S", 0.01)
    monkeypatch.setattr(caller_book, "WAIT_MAX_S", 30.0)
    begun, goes_on = Event(), Event()

    async def scenario(book: CallerBook) -> None:
        def slow(_file: CallerFile) -> None:
            begun.set()
            assert goes_on.wait(30)

        under_way = asyncio.create_task(book._work(slow))
        queued = asyncio.create_task(book.keep(about("I1"), ZHANG))
        await asyncio.to_thread(begun.wait, 30)
        await book.close()
        assert not under_way.done()
        with pytest.raises(CallersUnavailable, match="is ending"):
            await book.keep(about("I2"), ZHANG)
        goes_on.set()
        await under_way
        with pytest.raises(CallersUnavailable, match="too slow"):
            await queued
        # Behind its back the files were let go of.
        await asyncio.to_thread(book._thread.shutdown)
        assert book._file is None

    with_book(tmp_path, scenario)


def test_damaged_files_are_told_of_and_read_again_when_mended(tmp_path: Path) -> None:
    async def scenario(book: CallerBook) -> None:
        (tmp_path / CALLERS_FILE).write_bytes(b"no database" * 1_000)
        with pytest.raises(CallersUnavailable, match="put a damaged one aside"):
            await book.keep(about("I1"), ZHANG)
        (tmp_path / CALLERS_FILE).rename(tmp_path / "aside")
        assert await book.keep(about("I1"), ZHANG)

    with_book(tmp_path, scenario)


def test_the_digest_key_is_the_same_after_a_restart_and_stood_in_for_without_a_disk(
    tmp_path: Path,
) -> None:
    keys: list[bytes] = []

    async def take(book: CallerBook) -> None:
        together = await asyncio.gather(*(book.digest_key() for _ in range(4)))
        assert len(set(together)) == 1
        keys.append(together[0])

    with_book(tmp_path, take)
    with_book(tmp_path, take)
    assert keys[0] == keys[1]
    (tmp_path / DIGEST_KEY_FILE).write_text("short")
    with_book(tmp_path, take)
    assert keys[2] != keys[0]
    assert {path.name for path in tmp_path.iterdir()} == {DIGEST_KEY_FILE}
