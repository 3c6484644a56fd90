"""What comes after an incident's end is no fault of the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dispatch.codec import decode_closed, encode_closed
from dispatch.questions import CloseIncident, StampAssignment
from dispatch.store.row_digests import CLOSED_COLUMNS, row_digest
from dispatch.verifying import verify
from dispatch.words import AssignmentId, IncidentId, Stamp
from tests.shell_town import TestClock, a_call, make_city, ok, open_runner, run
from tests.unit.dispatch.test_verifying import harming

A1 = AssignmentId("A000001")


def lived(folder: Path) -> None:
    async def scenario() -> None:
        clock = TestClock()
        runner = await open_runner(folder, clock)
        reply = await runner.ask(a_call(), actor="t", answer=ok)
        ended = CloseIncident(
            incident_id=IncidentId(reply.body.decode()), reason="x", release_units=True
        )
        await runner.ask(ended, actor="t", answer=ok)
        clock.pass_s(60)
        for step in (Stamp.ARRIVED, Stamp.FEEDBACK):
            await runner.ask(StampAssignment(assignment_id=A1, stamp=step), actor="t", answer=ok)
        await runner.close()

    run(scenario)


def test_a_step_after_the_end_leaves_the_log_whole(tmp_path: Path) -> None:
    lived(tmp_path)
    found = verify(tmp_path, city=make_city())
    assert (found.faults, found.counts["closed"]) == ((), 1)


def test_a_step_that_the_log_does_not_tell_is_found(tmp_path: Path) -> None:
    lived(tmp_path)
    with harming(tmp_path) as connection:
        *values, body = connection.execute(
            f"SELECT {CLOSED_COLUMNS} FROM closed_incidents"
        ).fetchone()
        closed = decode_closed(body)
        step = replace(closed.late_steps[0], stamp=Stamp.DEPARTED)
        values.append(encode_closed(replace(closed, late_steps=(step,))))
        connection.execute(
            "UPDATE closed_incidents SET body = ?, digest = ?", (values[-1], row_digest(values))
        )
    [fault] = verify(tmp_path, city=make_city()).faults
    assert (fault.where, "disagrees with the log" in fault.text) == ("closed", True)
