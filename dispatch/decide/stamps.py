"""A crew's steps: signed for, departed, arrived, fed back, cleared; or declined.

Steps are written once. A later step implies the earlier ones; one that comes after a later one, or
after the end, is kept in the log and changes nothing.
"""

from __future__ import annotations

from typing import assert_never

from dispatch.decide.context import Context, Decision
from dispatch.decide.draft import Draft
from dispatch.decide.late_steps import keep_late
from dispatch.decide.send import serve_queue
from dispatch.decide.substitutes import settle
from dispatch.errors import ClockSkew, StateConflict
from dispatch.events import (
    AssignmentAcked,
    AssignmentArrived,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentDeparted,
    FeedbackGiven,
)
from dispatch.facts import Feedback
from dispatch.questions import DeclineAssignment, StampAssignment
from dispatch.resources import Assignment
from dispatch.words import AssignmentState, ChosenBy, Stamp, UnixMs

_IMPLIED = (Stamp.ACKED, Stamp.DEPARTED, Stamp.ARRIVED)
"""Steps that a later one implies; nobody infers a scene report."""

STEP_ORDER = tuple(Stamp)
"""The steps from the order to the end."""

_RANK = {
    AssignmentState.DISPATCHED: 0,
    AssignmentState.ACKED: 1,
    AssignmentState.EN_ROUTE: 2,
    AssignmentState.ON_SCENE: 3,
}

_RANK_AFTER = {Stamp.ACKED: 1, Stamp.DEPARTED: 2, Stamp.ARRIVED: 3, Stamp.CLEARED: 4}


def stamp(draft: Draft, question: StampAssignment) -> Decision:
    """Records a step, those it implies, and what follows: withdrawn orders, freed units.

    Raises:
        AssignmentUnknown: No such assignment.
        ClockSkew: The device's time is out of bounds.
        StateConflict: It ended undone and has as many late reports as may be.
    """
    given_ms = device_time(draft.context, question.at_ms)
    assignment = draft.assignment(question.assignment_id)
    if not draft.is_on_board(assignment) or not _counts(assignment, question):
        keep_late(draft, assignment, question, given_ms)
    else:
        _apply(draft, assignment, question, given_ms)
    return draft.finish_assignment(question.assignment_id)


def decline(draft: Draft, question: DeclineAssignment) -> Decision:
    """Ends the assignment undone and sends the next best at once.

    Raises:
        AssignmentUnknown: No such assignment.
        ClockSkew: The device's time is out of bounds.
        StateConflict: The crew is on scene already.
    """
    given_ms = device_time(draft.context, question.at_ms)
    assignment = draft.assignment(question.assignment_id)
    if not assignment.state.is_active:
        draft.applied = False
        return draft.finish_assignment(question.assignment_id)
    if assignment.state is AssignmentState.ON_SCENE:
        raise StateConflict(
            question.assignment_id,
            state=assignment.state,
            why="a crew on scene cannot decline; clear it instead",
        )
    draft.record(
        AssignmentDeclined(
            at_ms=_happened_ms(draft, assignment, given_ms),
            assignment_id=assignment.assignment_id,
            incident_id=assignment.incident_id,
            unit_id=assignment.unit_id,
            device_seq=question.device_seq,
            reason=question.reason,
        )
    )
    serve_queue(draft, asked=assignment.incident_id, by=ChosenBy.SUBSTITUTE)
    return draft.finish_assignment(question.assignment_id)


def device_time(context: Context, at_ms: UnixMs | None) -> UnixMs:
    """The device's time, or the service's where none is given; never in the future.

    Raises:
        ClockSkew: It is too old, or runs too far ahead.
    """
    if at_ms is None:
        return context.now_ms
    ahead_s = (at_ms - context.now_ms) / 1000
    rules = context.rules
    if ahead_s > rules.device_future_max_s:
        raise ClockSkew(skew_s=ahead_s, limit_s=rules.device_future_max_s)
    if -ahead_s > rules.device_past_max_s:
        raise ClockSkew(skew_s=ahead_s, limit_s=rules.device_past_max_s)
    return UnixMs(min(at_ms, context.now_ms))


def _counts(assignment: Assignment, question: StampAssignment) -> bool:
    """Whether the step moves the assignment on."""
    if question.stamp is Stamp.FEEDBACK:
        # A crew may write its report after it cleared, and supplement it (补充反馈).
        reports = assignment.state.is_active or assignment.state is AssignmentState.CLEARED
        news = assignment.feedback != (question.feedback or Feedback())
        return reports and news
    if not assignment.state.is_active:
        return False
    return _RANK_AFTER[question.stamp] > _RANK[assignment.state]


def _apply(
    draft: Draft, assignment: Assignment, question: StampAssignment, given_ms: UnixMs
) -> None:
    at_ms = _happened_ms(draft, assignment, given_ms)
    for step in _IMPLIED:
        if (
            STEP_ORDER.index(step) < STEP_ORDER.index(question.stamp)
            and step not in assignment.stamps
        ):
            _record(draft, assignment, step, at_ms, inferred=True)
    _record(draft, assignment, question.stamp, at_ms, question=question)
    freed = assignment.state is AssignmentState.DISPATCHED and settle(draft, assignment)
    if freed or question.stamp is Stamp.CLEARED:
        serve_queue(draft)


def _record(
    draft: Draft,
    assignment: Assignment,
    step: Stamp,
    at_ms: UnixMs,
    *,
    question: StampAssignment | None = None,
    inferred: bool = False,
) -> None:
    given_ms = None if question is None else question.at_ms
    assignment_id, incident_id = assignment.assignment_id, assignment.incident_id
    unit_id = assignment.unit_id
    device_seq = None if question is None else question.device_seq
    device_at_ms = None if given_ms == at_ms else given_ms
    match step:
        case Stamp.ACKED | Stamp.DEPARTED:
            kind = AssignmentAcked if step is Stamp.ACKED else AssignmentDeparted
            draft.record(
                kind(
                    at_ms=at_ms,
                    assignment_id=assignment_id,
                    incident_id=incident_id,
                    unit_id=unit_id,
                    device_seq=device_seq,
                    device_at_ms=device_at_ms,
                    inferred=inferred,
                )
            )
        case Stamp.ARRIVED:
            draft.record(
                _arrived(
                    draft,
                    assignment,
                    at_ms,
                    device_seq=device_seq,
                    device_at_ms=device_at_ms,
                    inferred=inferred,
                )
            )
        case Stamp.FEEDBACK:
            report = None if question is None else question.feedback
            draft.record(
                FeedbackGiven(
                    at_ms=at_ms,
                    assignment_id=assignment_id,
                    incident_id=incident_id,
                    unit_id=unit_id,
                    device_seq=device_seq,
                    device_at_ms=device_at_ms,
                    feedback=report or Feedback(),
                )
            )
        case Stamp.CLEARED:
            draft.record(
                AssignmentCleared(
                    at_ms=at_ms,
                    assignment_id=assignment_id,
                    incident_id=incident_id,
                    unit_id=unit_id,
                    device_seq=device_seq,
                    device_at_ms=device_at_ms,
                )
            )
        case _:
            assert_never(step)


def _arrived(
    draft: Draft,
    assignment: Assignment,
    at_ms: UnixMs,
    *,
    device_seq: int | None,
    device_at_ms: UnixMs | None,
    inferred: bool,
) -> AssignmentArrived:
    """The arrival, with the time it took by both clocks."""
    received_ms = draft.board.incidents[assignment.incident_id].received_at_ms
    deadline_ms = assignment.deadline_ms
    return AssignmentArrived(
        at_ms=at_ms,
        assignment_id=assignment.assignment_id,
        incident_id=assignment.incident_id,
        unit_id=assignment.unit_id,
        device_seq=device_seq,
        device_at_ms=device_at_ms,
        inferred=inferred,
        from_dispatch_s=(at_ms - assignment.dispatched_at_ms) / 1000,
        from_received_s=(at_ms - received_ms) / 1000,
        target_s=assignment.target_s,
        on_target=None if deadline_ms is None else at_ms <= deadline_ms,
    )


def _happened_ms(draft: Draft, assignment: Assignment, given_ms: UnixMs) -> UnixMs:
    """When the step happened: never before the order or an earlier step.

    A clock a little slow is moved up to that; one far behind is not trusted at all, so that no
    arrival is counted as faster than it can have been.
    """
    steps = [stamped.at_ms for stamped in assignment.stamps.values()]
    floor_ms = max(assignment.dispatched_at_ms, *steps, 0)
    if given_ms >= floor_ms:
        return given_ms
    slow_s = (floor_ms - given_ms) / 1000
    if slow_s <= draft.context.rules.device_before_order_s:
        return UnixMs(floor_ms)
    return UnixMs(max(draft.now_ms, floor_ms))
