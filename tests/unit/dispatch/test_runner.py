"""The runner: durable before answered, once per command, taken back as a whole when it fails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from dispatch.codec import board_hash
from dispatch.errors import (
    CommandInProgress,
    CommandReused,
    CursorExpired,
    IncidentUnknown,
    StateConflict,
    StoreUnavailable,
)
from dispatch.events import AckRealerted, LateStampRecorded, RoadClosed
from dispatch.questions import (
    AddNote,
    CloseIncident,
    CloseRoad,
    MergeIncident,
    Recommend,
    ReopenIncident,
    ReopenRoad,
    StampAssignment,
)
from dispatch.runner import Outcome, Runner
from dispatch.running.commands import CommandKey
from dispatch.running.recover import recover
from dispatch.store import StoredReply
from dispatch.store.sqlite import SqliteStore
from dispatch.words import AssignmentId, IncidentId, Stamp
from tests.shell_town import TestClock, a_call, make_city, ok, open_runner, place_at, run


@asynccontextmanager
async def running(folder: Path, clock: TestClock | None = None) -> AsyncIterator[Runner]:
    runner = await open_runner(folder, clock or TestClock())
    try:
        yield runner
    finally:
        await runner.close()


def key(name: str, body: bytes = b"b") -> CommandKey:
    return CommandKey(token_id="t1", key=name, body_sha256=body * 32)


async def report(runner: Runner, *, name: str = "", east_m: float = 300.0) -> str:
    command = key(name) if name else None
    reply = await runner.ask(a_call(east_m), actor="t1", answer=ok, command=command)
    return reply.body.decode()


@contextmanager
def full_disk(runner: Runner) -> Iterator[None]:
    """SQLite's own "database or disk is full" until the block ends."""
    store = runner._store
    assert isinstance(store, SqliteStore)

    def limit(pages: int) -> None:
        def set_limit(connection: sqlite3.Connection) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")

        store._commits.call(set_limit).result(timeout=10)

    limit(1)
    try:
        yield
    finally:
        limit(1_000_000)


def test_the_answer_comes_after_the_log_has_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            incident_id = IncidentId(await report(runner))
            other = sqlite3.connect(f"file:{tmp_path / 'log.db'}?mode=ro", uri=True)
            count = other.execute("SELECT max(seq) FROM events").fetchone()[0]
            other.close()
            assert count == runner.durable_seq == runner.board.seq
            assert runner.board.incidents[incident_id].assignment_ids == ("A000001",)

    run(scenario)


def test_readers_do_not_see_what_is_not_durable_yet(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            seen: list[int] = []

            def answer(outcome: Outcome) -> StoredReply:
                seen.extend((len(outcome.decision.board.incidents), len(runner.board.incidents)))
                return ok(outcome)

            await runner.ask(a_call(), actor="t1", answer=answer)
            assert seen == [1, 0]
            assert len(runner.board.incidents) == 1

    run(scenario)


def test_a_repeated_command_gets_the_first_answer_also_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            first = await report(runner, name="k")
            again = await runner.ask(a_call(), actor="t1", answer=ok, command=key("k"))
            assert (again.body.decode(), again.replayed) == (first, True)
            assert len(runner.board.incidents) == 1
        async with running(tmp_path) as runner:
            later = await runner.ask(a_call(), actor="t1", answer=ok, command=key("k"))
            assert (later.body.decode(), later.replayed) == (first, True)

    run(scenario)


def test_a_key_used_for_another_body_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            await report(runner, name="k")
            with pytest.raises(CommandReused):
                await runner.ask(a_call(), actor="t1", answer=ok, command=key("k", b"c"))

    run(scenario)


def test_two_at_once_with_one_key_are_carried_out_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            both = await asyncio.gather(
                report(runner, name="k"), report(runner, name="k"), return_exceptions=True
            )
            assert [type(one) for one in both] == [str, CommandInProgress]
            assert len(runner.board.incidents) == 1

    run(scenario)


def test_a_caller_that_hangs_up_does_not_make_its_command_run_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            caller = asyncio.create_task(report(runner, name="k"))
            await asyncio.sleep(0)
            assert runner.in_flight == 1
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            # The commit is under way: a repetition waits its turn instead of running again.
            with pytest.raises(CommandInProgress):
                await report(runner, name="k")
            assert await runner.tail.wait_after(0, 5)
            again = await runner.ask(a_call(), actor="t1", answer=ok, command=key("k"))
            assert again.replayed
            assert len(runner.board.incidents) == 1

    run(scenario)


def test_a_refused_command_changes_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            note = AddNote(incident_id=IncidentId("I000001"), text="a word")
            with pytest.raises(IncidentUnknown):
                await runner.ask(note, actor="t1", answer=ok, command=key("k"))
            await report(runner)
            reply = await runner.ask(note, actor="t1", answer=ok, command=key("k"))
            assert not reply.replayed

    run(scenario)


def test_an_answer_that_cannot_be_worded_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:

            def broken(_: Outcome) -> StoredReply:
                raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await runner.ask(a_call(), actor="t1", answer=broken, command=key("k"))
            assert await report(runner, name="k") == "I000001"

    run(scenario)


def test_when_the_disk_is_full_all_is_taken_back_and_it_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            await report(runner, name="before")
            seq, digest = runner.durable_seq, board_hash(runner.board)
            with full_disk(runner):
                calls = [
                    report(runner, name=f"k{number}", east_m=number * 10) for number in range(40)
                ]
                results = await asyncio.gather(*calls, return_exceptions=True)
                assert {type(one) for one in results} == {StoreUnavailable}
                with pytest.raises(StoreUnavailable):
                    await runner.check_writable()
            assert (runner.durable_seq, board_hash(runner.board)) == (seq, digest)
            assert [event.seq for event in await runner.read_events(seq)] == []
            await runner.check_writable()
            # The same commands again: each is carried out once.
            calls = [report(runner, name=f"k{number}", east_m=number * 10) for number in range(40)]
            incidents = await asyncio.gather(*calls)
            assert sorted(incidents) == [f"I{number:06d}" for number in range(2, 42)]
        assert await replayed_hash(tmp_path) == board_hash(runner.board)

    run(scenario)


async def replayed_hash(folder: Path) -> str:
    store = SqliteStore.open(folder)
    try:
        return board_hash(await recover(store, make_city(), snapshots=False))
    finally:
        await store.close()


def test_a_restart_finds_the_board_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            for number in range(20):
                await report(runner, east_m=number * 50.0)
            await runner.ask(
                CloseIncident(incident_id=IncidentId("I000003"), release_units=True),
                actor="t1",
                answer=ok,
            )
            before = runner.board
        async with running(tmp_path) as runner:
            assert board_hash(runner.board) == board_hash(before)
        assert await replayed_hash(tmp_path) == board_hash(before)

    run(scenario)


def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            await report(runner)
            before = board_hash(runner.board)
        log = sqlite3.connect(tmp_path / "log.db")
        with log:
            log.execute("UPDATE snapshots SET body = replace(body, 'I000001', 'I000009')")
        log.close()
        async with running(tmp_path) as runner:
            assert board_hash(runner.board) == before

    run(scenario)


def test_a_closed_incident_is_found_in_history_and_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            incident_id = IncidentId(await report(runner))
            close = CloseIncident(incident_id=incident_id, release_units=True)
            # Reopened while the closing is still on its way to the disk.
            await asyncio.gather(
                runner.ask(close, actor="t1", answer=ok),
                runner.ask(ReopenIncident(incident_id=incident_id), actor="t1", answer=ok),
            )
            assert incident_id in runner.board.incidents
            assert await runner.history.incident(incident_id) is None
            await runner.ask(
                CloseIncident(incident_id=incident_id, release_units=True), actor="t1", answer=ok
            )
            closed = await runner.history.incident(incident_id)
            assert closed is not None
            assert closed.incident.closed_at_ms is not None
            by_assignment = await runner.history.of_assignment(AssignmentId("A000001"))
            assert by_assignment == closed

    run(scenario)


def test_a_late_step_on_a_closed_incident_is_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            incident_id = IncidentId(await report(runner))
            await runner.ask(
                CloseIncident(incident_id=incident_id, release_units=True), actor="t1", answer=ok
            )
            applied: list[bool] = []

            def answer(outcome: Outcome) -> StoredReply:
                applied.append(outcome.decision.applied)
                return ok(outcome)

            step = StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED)
            await runner.ask(step, actor="P01-M1", answer=answer)
            assert applied == [False]

    run(scenario)


def test_a_late_step_on_a_closed_incident_is_logged_once_also_after_a_restart(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        clock = TestClock()
        step = StampAssignment(
            assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED, at_ms=clock()
        )
        async with running(tmp_path, clock) as runner:
            incident_id = IncidentId(await report(runner))
            close = CloseIncident(incident_id=incident_id, release_units=True)
            # Twice while the closing is still on its way to the disk.
            await asyncio.gather(
                runner.ask(close, actor="t1", answer=ok),
                runner.ask(step, actor="P01-M1", answer=ok),
                runner.ask(step, actor="P01-M1", answer=ok),
            )
        clock.pass_s(60)
        async with running(tmp_path, clock) as runner:
            await runner.ask(step, actor="P01-M1", answer=ok)
            kinds = [type(event.recorded.event) for event in await runner.read_events(0)]
            assert kinds.count(LateStampRecorded) == 1
            # What came late is not lost on the way back to the board and off it again.
            await runner.ask(ReopenIncident(incident_id=incident_id), actor="t1", answer=ok)
            assert incident_id in runner.board.incidents

    run(scenario)


def test_an_incident_is_not_merged_into_one_that_has_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            first, second, third = [
                IncidentId(await report(runner, east_m=200.0 * number)) for number in range(3)
            ]
            await runner.ask(
                CloseIncident(incident_id=first, release_units=True), actor="t1", answer=ok
            )
            seq = runner.durable_seq
            into_closed = MergeIncident(incident_id=second, into=first)
            with pytest.raises(StateConflict, match=f"{first} is closed: reopen it, or merge"):
                await runner.ask(into_closed, actor="t1", answer=ok)
            unknown = MergeIncident(incident_id=second, into=IncidentId("I000077"))
            with pytest.raises(IncidentUnknown, match="I000077"):
                await runner.ask(unknown, actor="t1", answer=ok)
            assert runner.durable_seq == seq
            await runner.ask(MergeIncident(incident_id=second, into=third), actor="t1", answer=ok)
        async with running(tmp_path) as runner:
            fourth = IncidentId(await report(runner))
            into_merged = MergeIncident(incident_id=fourth, into=second)
            with pytest.raises(StateConflict, match=f"{second} is merged: it goes on as {third}"):
                await runner.ask(into_merged, actor="t1", answer=ok)
            both_ended = MergeIncident(incident_id=first, into=second)
            with pytest.raises(StateConflict, match=f"{first} is closed: reopen it before"):
                await runner.ask(both_ended, actor="t1", answer=ok)

    run(scenario)


def test_feeds_give_every_event_once_in_order_from_memory_and_from_the_store(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            await report(runner)
            first = runner.durable_seq
            waiting = asyncio.create_task(runner.tail.wait_after(first, 10))
            await report(runner, east_m=900)
            assert await waiting
            events = await runner.read_events(0)
            assert [event.seq for event in events] == list(range(1, runner.durable_seq + 1))
            bodies = [event.body for event in events]
            head = runner.durable_seq
        async with running(tmp_path) as runner:
            # Nothing is in memory after a restart: the store gives the same bytes.
            assert [event.body for event in await runner.read_events(0)] == bodies
            assert list(await runner.read_events(head)) == []
            assert not await runner.tail.wait_after(head, 0.01)
            with pytest.raises(CursorExpired):
                await runner.read_events(head + 1)

    run(scenario)


def test_the_clock_asks_what_is_due(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock()
        async with running(tmp_path, clock) as runner:
            await runner.ask(a_call(priority=1), actor="t1", answer=ok)
            seq = runner.durable_seq
            runner.tick()
            clock.pass_s(10.5)
            runner.tick()
            assert await runner.tail.wait_after(seq, 5)
            kinds = [type(event.recorded.event) for event in await runner.read_events(seq)]
            assert AckRealerted in kinds

    run(scenario)


def test_a_closed_road_counts_from_the_next_decision_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            ask = Recommend(location=place_at(500, 0))
            before = runner.recommend(ask, actor="t1").decision.recommendation
            assert before is not None
            # Between the ends: those it may drive, as the unit or the place is on them.
            on_the_way = before.candidates[0].arcs[1:-1]
            both = set(on_the_way) | {
                int(runner.roads.roads.graph.arc_reverse[arc]) for arc in on_the_way
            }
            arcs = tuple(sorted(both - {-1}))
            await runner.ask(CloseRoad(arcs=arcs), actor="t1", answer=ok)
            after = runner.recommend(ask, actor="t1").decision.recommendation
            assert after is not None
            assert after.conditions_version > before.conditions_version
            assert after.candidates[0].eta_s > before.candidates[0].eta_s
            closure_id = next(iter(runner.board.closures))
            await runner.ask(ReopenRoad(closure_id=closure_id), actor="t1", answer=ok)
            again = runner.recommend(ask, actor="t1").decision.recommendation
            assert again is not None
            assert again.candidates[0].eta_s == before.candidates[0].eta_s

    run(scenario)


def test_a_closure_that_was_taken_back_does_not_stay_on_the_roads(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            arcs = tuple(range(8))
            # Long enough to need a page of its own.
            too_long = CloseRoad(arcs=arcs, reason="x" * 20_000)
            with full_disk(runner):
                results = await asyncio.gather(
                    runner.ask(too_long, actor="t1", answer=ok), return_exceptions=True
                )
            assert [type(one) for one in results] == [StoreUnavailable]
            assert not list(runner.roads.roads.conditions.closures)
            await runner.ask(CloseRoad(arcs=arcs), actor="t1", answer=ok)
            assert len(runner.roads.roads.conditions.closures) == 1
            kinds = [type(event.recorded.event) for event in await runner.read_events(0)]
            assert kinds.count(RoadClosed) == 1

    run(scenario)


def test_a_refusal_waits_until_what_it_tells_is_durable(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as runner:
            incident_id = IncidentId(await report(runner))
            closing = asyncio.create_task(
                runner.ask(
                    CloseIncident(incident_id=incident_id, release_units=True),
                    actor="t1",
                    answer=ok,
                )
            )
            await asyncio.sleep(0)
            with pytest.raises((IncidentUnknown, StateConflict)):
                await runner.ask(CloseIncident(incident_id=incident_id), actor="t1", answer=ok)
            assert incident_id not in runner.board.incidents
            await closing

    run(scenario)
