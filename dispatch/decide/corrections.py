"""A step's time was wrong: the right one is set beside the first, which is never lost."""

from __future__ import annotations

from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft, check_version
from dispatch.decide.stamps import STEP_ORDER
from dispatch.errors import BadStamp, ClockSkew, StateConflict
from dispatch.events import StampCorrected
from dispatch.questions import CorrectStamp
from dispatch.resources import Assignment
from dispatch.words import Stamp


def correct(draft: Draft, question: CorrectStamp) -> Decision:
    """Sets another time for a step; the first one stays beside it.

    Raises:
        AssignmentUnknown, VersionStale: The assignment cannot be changed so.
        StateConflict: Its incident is closed.
        BadStamp: The step has not happened, or the time breaks the order of steps.
        ClockSkew: The time lies in the future.
    """
    assignment = draft.assignment(question.assignment_id)
    if not draft.is_on_board(assignment):
        raise StateConflict(
            question.assignment_id, state="closed", why="reopen its incident before you correct it"
        )
    check_version(question.assignment_id, assignment, question.if_version)
    if question.at_ms > draft.now_ms:
        raise ClockSkew(skew_s=(question.at_ms - draft.now_ms) / 1000, limit_s=0)
    _check_order(assignment, question)
    for step in _moved_along(assignment, question):
        draft.record(
            StampCorrected(
                at_ms=draft.now_ms,
                assignment_id=assignment.assignment_id,
                incident_id=assignment.incident_id,
                unit_id=assignment.unit_id,
                stamp=step,
                stamp_at_ms=question.at_ms,
                was_ms=assignment.stamps[step].at_ms,
                reason=question.reason,
            )
        )
    return draft.finish_assignment(question.assignment_id)


def _check_order(assignment: Assignment, question: CorrectStamp) -> None:
    """Refuses a time that breaks the order; inferred steps before it move along."""
    stamps = assignment.stamps
    place = STEP_ORDER.index(question.stamp)
    if question.stamp not in stamps:
        raise BadStamp(
            assignment.assignment_id, stamp=question.stamp, why="it has not happened yet"
        )
    earlier = (step for step in _bound_before(place) if step in stamps)
    before = [stamps[step].at_ms for step in earlier if not stamps[step].inferred]
    after = [stamps[step].at_ms for step in _bound_after(place) if step in stamps]
    earliest_ms = max([assignment.dispatched_at_ms, *before])
    latest_ms = min(after, default=question.at_ms)
    if not earliest_ms <= question.at_ms <= latest_ms:
        raise BadStamp(
            assignment.assignment_id,
            stamp=question.stamp,
            why=f"{question.at_ms} ms lies outside {earliest_ms} to {latest_ms} ms, its"
            " neighbours' times; correct those first",
        )


def _bound_before(place: int) -> list[Stamp]:
    # A crew may write its report before or after it cleared: neither binds the other.
    return [step for step in STEP_ORDER[:place] if step is not Stamp.FEEDBACK]


def _bound_after(place: int) -> tuple[Stamp, ...]:
    return () if STEP_ORDER[place] is Stamp.FEEDBACK else STEP_ORDER[place + 1 :]


def _moved_along(assignment: Assignment, question: CorrectStamp) -> list[Stamp]:
    """The step itself, after the inferred ones that would else come after it."""
    place = STEP_ORDER.index(question.stamp)
    inferred = [
        step
        for step in STEP_ORDER[:place]
        if step in assignment.stamps
        and assignment.stamps[step].inferred
        and assignment.stamps[step].at_ms > question.at_ms
    ]
    return [*inferred, question.stamp]
