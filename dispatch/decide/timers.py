"""What falls due with time: re-alerts, substitutes, overdue flags, missed targets, ended closures.

Nothing sleeps here: the shell asks `PassTime` when `next_due_ms` says, and again after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, assert_never

from dispatch.board import Board
from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft
from dispatch.decide.send import serve_queue
from dispatch.decide.substitutes import may_have_substitute, send_substitute
from dispatch.events import (
    AckRealerted,
    OverdueFlagged,
    RoadReopened,
    SpeedFactorLifted,
    TargetMissed,
)
from dispatch.resources import Assignment, Incident
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    Clock,
    ClosureId,
    IncidentId,
    Overdue,
    SpeedFactorId,
    UnixMs,
)


class _Task(StrEnum):
    REALERT = "realert"
    SUBSTITUTE = "substitute"
    FLAG_ACK = "flag_ack"
    FLAG_DEPARTED = "flag_departed"
    FLAG_WAITING = "flag_waiting"
    FLAG_FEEDBACK = "flag_feedback"
    MISS_TARGET = "miss_target"
    END_CLOSURE = "end_closure"
    END_FACTOR = "end_factor"
    END_LOAN = "end_loan"


class _Due(NamedTuple):
    """Something to do at a moment, about one thing."""

    at_ms: int
    about: str
    task: _Task


def next_due_ms(board: Board, rules: Rules) -> UnixMs | None:
    """When `PassTime` is next to be asked; None while nothing is waited for."""
    return min((UnixMs(due.at_ms) for due in _dues(board, rules)), default=None)


def pass_time(draft: Draft) -> Decision:
    """Does all that is due by now, the oldest first."""
    dues = sorted(
        due for due in _dues(draft.board, draft.context.rules) if due.at_ms <= draft.now_ms
    )
    for due in dues:
        _carry_out(draft, due)
    return draft.finish()


def _dues(board: Board, rules: Rules) -> Iterator[_Due]:
    for assignment in board.assignments.values():
        if assignment.state in (AssignmentState.DISPATCHED, AssignmentState.ACKED):
            yield from _of_assignment(board, assignment, rules)
    for incident in board.incidents.values():
        yield from _of_incident(incident, rules)
    for closure in board.closures.values():
        if closure.until_ms is not None:
            yield _Due(closure.until_ms, closure.closure_id, _Task.END_CLOSURE)
    for factor in board.speed_factors.values():
        if factor.until_ms is not None:
            yield _Due(factor.until_ms, factor.factor_id, _Task.END_FACTOR)
    for unit in board.units.values():
        # A unit that is bound finishes first: it is given back when it is free.
        if unit.loan is not None and unit.loan.until_ms is not None and not unit.assignment_id:
            yield _Due(unit.loan.until_ms, unit.unit_id, _Task.END_LOAN)


def _of_assignment(board: Board, assignment: Assignment, rules: Rules) -> Iterator[_Due]:
    start_ms, about = assignment.dispatched_at_ms, assignment.assignment_id
    if Overdue.DEPARTED not in assignment.overdue:
        yield _Due(_after(start_ms, rules.departed_band_s), about, _Task.FLAG_DEPARTED)
    if assignment.state is not AssignmentState.DISPATCHED:
        return
    if Overdue.ACK not in assignment.overdue:
        yield _Due(_after(start_ms, rules.ack_band_s), about, _Task.FLAG_ACK)
    priority = board.incidents[assignment.incident_id].priority
    if priority in rules.realert_s and not assignment.realerted:
        yield _Due(_after(start_ms, rules.realert_s[priority]), about, _Task.REALERT)
    if priority in rules.timeout_s and may_have_substitute(board, assignment, rules):
        yield _Due(_after(start_ms, rules.timeout_s[priority]), about, _Task.SUBSTITUTE)


def _of_incident(incident: Incident, rules: Rules) -> Iterator[_Due]:
    about = incident.incident_id
    if incident.arrived_at_ms is None:
        if not incident.required and not incident.assignment_ids:
            return  # nobody is to come
        deadline_ms, target_s = incident.deadline_ms, incident.location.target_s
        if deadline_ms is not None and not incident.target_missed:
            yield _Due(deadline_ms + 1, about, _Task.MISS_TARGET)
        unserved = incident.clock is Clock.DISPATCHED and incident.dispatched_at_ms is None
        if unserved and target_s is not None and Overdue.ARRIVAL not in incident.overdue:
            yield _Due(_after(incident.received_at_ms, target_s) + 1, about, _Task.FLAG_WAITING)
    elif incident.feedback_at_ms is None and Overdue.FEEDBACK not in incident.overdue:
        yield _Due(
            _after(incident.arrived_at_ms, rules.feedback_band_s), about, _Task.FLAG_FEEDBACK
        )


def _carry_out(draft: Draft, due: _Due) -> None:
    assignments, incidents = draft.board.assignments, draft.board.incidents
    match due.task:
        case _Task.REALERT:
            _realert(draft, assignments[AssignmentId(due.about)])
        case _Task.SUBSTITUTE:
            send_substitute(draft, assignments[AssignmentId(due.about)])
        case _Task.FLAG_ACK:
            _flag_assignment(draft, Overdue.ACK, assignments[AssignmentId(due.about)])
        case _Task.FLAG_DEPARTED:
            _flag_assignment(draft, Overdue.DEPARTED, assignments[AssignmentId(due.about)])
        case _Task.MISS_TARGET:
            _miss_target(draft, incidents[IncidentId(due.about)])
        case _Task.FLAG_WAITING:
            _flag_incident(draft, Overdue.ARRIVAL, incidents[IncidentId(due.about)])
        case _Task.FLAG_FEEDBACK:
            _flag_incident(draft, Overdue.FEEDBACK, incidents[IncidentId(due.about)])
        case _Task.END_CLOSURE:
            closure_id = ClosureId(due.about)
            draft.record(RoadReopened(at_ms=draft.now_ms, closure_id=closure_id, expired=True))
        case _Task.END_FACTOR:
            factor_id = SpeedFactorId(due.about)
            draft.record(SpeedFactorLifted(at_ms=draft.now_ms, factor_id=factor_id, expired=True))
        case _Task.END_LOAN:
            # Which gives back who is due, if what fell due before has not done it.
            serve_queue(draft)
        case _:
            assert_never(due.task)


def _realert(draft: Draft, silent: Assignment) -> None:
    draft.record(
        AckRealerted(
            at_ms=draft.now_ms,
            assignment_id=silent.assignment_id,
            incident_id=silent.incident_id,
            unit_id=silent.unit_id,
            waited_s=(draft.now_ms - silent.dispatched_at_ms) / 1000,
        )
    )


def _miss_target(draft: Draft, incident: Incident) -> None:
    # A deadline implies a target: both are there whenever this falls due.
    draft.record(
        TargetMissed(
            at_ms=draft.now_ms,
            incident_id=incident.incident_id,
            target_s=incident.location.target_s or 0,
            deadline_ms=incident.deadline_ms or draft.now_ms,
        )
    )


def _flag_assignment(draft: Draft, flag: Overdue, slow: Assignment) -> None:
    draft.record(
        OverdueFlagged(
            at_ms=draft.now_ms,
            flag=flag,
            incident_id=slow.incident_id,
            assignment_id=slow.assignment_id,
            unit_id=slow.unit_id,
            limit_s=_band_s(draft, flag),
        )
    )


def _flag_incident(draft: Draft, flag: Overdue, slow: Incident) -> None:
    waits = flag is Overdue.ARRIVAL
    draft.record(
        OverdueFlagged(
            at_ms=draft.now_ms,
            flag=flag,
            incident_id=slow.incident_id,
            limit_s=(slow.location.target_s or 0) if waits else _band_s(draft, flag),
        )
    )


def _band_s(draft: Draft, flag: Overdue) -> float:
    rules = draft.context.rules
    bands_s = {
        Overdue.ACK: rules.ack_band_s,
        Overdue.DEPARTED: rules.departed_band_s,
        Overdue.FEEDBACK: rules.feedback_band_s,
    }
    return bands_s[flag]


def _after(start_ms: UnixMs, seconds: float) -> int:
    return start_ms + round(seconds * 1000)
