"""Starting again: the board as the log says, with the units that the city has today."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch.board import open_board
from dispatch.codec import board_hash
from dispatch.errors import DispatchError, LogDamaged
from dispatch.questions import AddNote, StampAssignment
from dispatch.replay import replay
from dispatch.running import housekeeping
from dispatch.running.recover import recover, with_units_of
from dispatch.running.timers import Timers
from dispatch.store import Append
from dispatch.store.sqlite import SqliteStore
from dispatch.words import AssignmentState, IncidentId, Stamp, UnitId
from platforms.categories import UnitKind
from tests.shell_town import TestClock, a_call, make_city, ok, open_runner, run


def test_units_follow_the_city_files_and_what_they_do_follows_the_log() -> None:
    city = make_city()
    board = open_board(city)
    busy = replace(board.units[UnitId("P01-C1")], assignment_id="A000001")
    board = replace(board, units={**board.units, UnitId("P01-C1"): busy})
    named = replace(city.units[4], call_sign="新名", kind=UnitKind.RESPONSE_CAR)
    # The command vehicle and the car of platform 1 are gone from the files; another has come.
    fresh = replace(city.units[2], unit_id="P01-C9")
    units = (fresh, *(unit for unit in city.units[2:] if unit.unit_id != named.unit_id), named)
    after = with_units_of(board, replace(city, units=units))
    assert UnitId("P01-CV") not in after.units
    assert after.units[UnitId("P01-C1")] == busy
    assert after.units[UnitId("P01-C9")].version == 1
    assert after.units[UnitId(named.unit_id)].call_sign == "新名"
    assert list(after.units) == sorted(after.units)


def test_a_snapshot_is_kept_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "SNAPSHOT_EVERY", 5)

    async def scenario() -> None:
        clock = TestClock()
        runner = await open_runner(tmp_path, clock)
        await runner.ask(a_call(), actor="t", answer=ok)
        for number in range(20):
            note = AddNote(incident_id=IncidentId("I000001"), text=f"{number}")
            await runner.ask(note, actor="t", answer=ok)
            clock.pass_s(0.2)
            runner.tick()
            await asyncio.sleep(0.02)
        kept = [snapshot.seq for snapshot in await runner._store.snapshots()]
        assert len(kept) == 2
        assert runner.durable_seq - kept[0] <= 10
        await runner.close()
        replayed = await replay(tmp_path, make_city())
        assert replayed.events == runner.durable_seq
        assert replayed.snapshot_agrees
        assert replayed.board_sha256 == board_hash(runner.board)

    run(scenario)


def test_a_unit_that_left_the_city_does_not_keep_its_log_from_being_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        await runner.ask(a_call(), actor="t", answer=ok)
        [sent] = runner.board.assignments.values()
        clear = StampAssignment(assignment_id=sent.assignment_id, stamp=Stamp.CLEARED)
        await runner.ask(clear, actor="t", answer=ok)
        await runner.close()
        city = make_city()
        less = replace(city, units=tuple(u for u in city.units if u.unit_id != sent.unit_id))
        store = SqliteStore.open(tmp_path)
        for snapshots in (True, False):
            board = await recover(store, less, snapshots=snapshots)
            assert sent.unit_id not in board.units
            assert board.assignments[sent.assignment_id].state is AssignmentState.CLEARED
        await store.close()

    run(scenario)


def test_a_log_that_does_not_follow_from_itself_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        await runner.ask(a_call(), actor="t", answer=ok)
        await runner.close()
        store = SqliteStore.open(tmp_path)
        row = (await store.read(0))[-1]
        done: asyncio.Future[DispatchError | None] = asyncio.get_running_loop().create_future()
        body = row.body.replace(b"I000001", b"I000077")
        append = Append(expected_seq=store.head, epoch=store.epoch, events=(body,))
        store.append(append, done.set_result)
        assert await done is None
        with pytest.raises(LogDamaged, match=f"entry {store.head}"):
            await recover(store, make_city(), snapshots=False)
        await store.close()

    run(scenario)


def test_the_clock_outlives_a_bad_question(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        ticks = 0
        again = asyncio.Event()

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            if ticks == 1:
                raise LogDamaged(1, why="for the test")
            again.set()

        timers = Timers(tick, every_s=0.01)
        timers.start()
        await asyncio.wait_for(again.wait(), 5)
        await timers.stop()
        await timers.stop()

    run(scenario)
    assert "timers could not be served" in caplog.text
