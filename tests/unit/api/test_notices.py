"""Notices: whom they concern, how many, how long, and that a restart takes none away."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.http.notices import NOTICE_MS, NOTICES_A_UNIT, Notices
from dispatch.events import (
    AssignmentCancelled,
    AssignmentDeclined,
    AssignmentPreempted,
    AssignmentReleased,
    AssignmentTimedOut,
    Event,
    Recorded,
)
from dispatch.questions import CancelIncident
from dispatch.runner import Runner
from dispatch.words import AssignmentId, IncidentId, UnitId, UnixMs
from tests.shell_town import START_MS, TestClock, a_call, ok, open_runner, run

UNIT, ORDER = UnitId("P01-C1"), AssignmentId("A1")
NOW = UnixMs(START_MS)
Ended = type[AssignmentCancelled | AssignmentPreempted | AssignmentReleased | AssignmentTimedOut]


def publish(runner: Runner, event: Event) -> None:
    recorded = Recorded(seq=runner.tail.head + 1, recorded_at_ms=NOW, actor="x", event=event)
    runner.tail.publish([recorded])


def ended(kind: Ended | type[AssignmentDeclined], order: str = ORDER) -> Event:
    return kind(
        at_ms=NOW,
        assignment_id=AssignmentId(order),
        incident_id=IncidentId("I1"),
        unit_id=UNIT,
        reason="",
    )


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (AssignmentCancelled, ["recalled"]),
        (AssignmentPreempted, ["recalled"]),
        (AssignmentReleased, ["recalled"]),
        (AssignmentTimedOut, ["timed_out"]),
        (AssignmentDeclined, []),
    ],
)
def test_each_withdrawal_is_told_and_what_the_crew_did_itself_is_not(
    tmp_path: Path, kind: Ended, told: list[str]
) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        notices = Notices(runner)
        publish(runner, ended(kind))
        assert [one["type"] for one in notices.of(UNIT, None, NOW)] == told
        assert notices.of(UnitId("P02-C1"), None, NOW) == []
        await runner.close()

    run(scenario)


def test_they_are_few_and_recent(tmp_path: Path) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        notices = Notices(runner)
        for number in range(NOTICES_A_UNIT + 3):
            publish(runner, ended(AssignmentReleased, f"A{number}"))
        kept = [one["assignment_id"] for one in notices.of(UNIT, None, NOW)]
        assert kept == [f"A{number}" for number in range(3, NOTICES_A_UNIT + 3)]
        assert notices.of(UNIT, None, UnixMs(NOW + NOTICE_MS - 1))
        assert notices.of(UNIT, None, UnixMs(NOW + NOTICE_MS)) == []
        await runner.close()

    run(scenario)


def test_events_that_memory_has_dropped_do_no_harm(tmp_path: Path) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        notices = Notices(runner)
        for _ in range(10_050):
            publish(runner, ended(AssignmentDeclined))
        publish(runner, ended(AssignmentReleased))
        assert len(notices.of(UNIT, None, NOW)) == 1
        assert len(notices.of(UNIT, None, NOW)) == 1
        await runner.close()

    run(scenario)


def test_a_restart_takes_none_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock()
        runner = await open_runner(tmp_path, clock)
        await runner.ask(a_call(), actor="x", answer=ok)
        (order,) = runner.board.assignments.values()
        question = CancelIncident(incident_id=order.incident_id)
        await runner.ask(question, actor="x", answer=ok)
        await runner.close()

        runner = await open_runner(tmp_path, clock)
        notices = Notices(runner)
        await notices.recall()
        (told,) = notices.of(order.unit_id, None, clock())
        assert (told["type"], told["assignment_id"]) == ("recalled", order.assignment_id)
        await runner.close()

    run(scenario)
