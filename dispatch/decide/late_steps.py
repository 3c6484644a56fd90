"""Steps that come too late to count: each is in the log, once, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

from dispatch.decide.draft import Draft
from dispatch.errors import StateConflict
from dispatch.events import LateStampRecorded
from dispatch.facts import Feedback, LateStep
from dispatch.questions import StampAssignment
from dispatch.resources import Assignment
from dispatch.words import Stamp, UnixMs

LATE_STEPS_MAX = 20
"""Late reports kept of an assignment, and times of another step after its incident has ended."""


def keep_late(draft: Draft, known: Assignment, question: StampAssignment, given_ms: UnixMs) -> None:
    """Logs a step that cannot count, once; a plain repeat is not logged.

    Reports are all logged, because each has words of its own.

    Raises:
        StateConflict: There are as many late reports as may be.
    """
    draft.applied = False
    stamped = known.stamps.get(question.stamp)
    repeated = stamped is not None and not stamped.inferred
    if repeated and question.stamp is Stamp.FEEDBACK:
        repeated = known.feedback == (question.feedback or Feedback())
    if repeated:
        return
    is_news = _is_news if draft.is_on_board(known) else _is_news_after_the_end
    if not is_news(draft, known, question):
        return
    draft.record(
        LateStampRecorded(
            at_ms=given_ms,
            assignment_id=known.assignment_id,
            incident_id=known.incident_id,
            unit_id=known.unit_id,
            stamp=question.stamp,
            device_seq=question.device_seq,
            feedback=question.feedback,
        )
    )


def _is_news(_draft: Draft, known: Assignment, question: StampAssignment) -> bool:
    """Whether a late step of an open incident is to be logged: each once, reports all."""
    before = known.late_stamps.count(question.stamp)
    if question.stamp is not Stamp.FEEDBACK:
        return not before
    _check_late_reports(known, before)
    return True


def _is_news_after_the_end(draft: Draft, known: Assignment, question: StampAssignment) -> bool:
    """Whether a step of an incident that has ended is to be logged; if so, history keeps it.

    The board does not have it any more, so that history alone can tell a repeat: the same step, at
    the same time by the device and in the same words.
    """
    closed = draft.context.closed
    assert closed is not None  # noqa: S101  # the assignment was found in it
    step = LateStep(
        assignment_id=known.assignment_id,
        stamp=question.stamp,
        device_at_ms=question.at_ms,
        feedback=question.feedback,
    )
    is_report = question.stamp is Stamp.FEEDBACK
    late_before_the_end = not is_report and question.stamp in known.late_stamps
    if late_before_the_end or step in closed.late_steps:
        return False
    before = sum(
        (one.assignment_id, one.stamp) == (step.assignment_id, step.stamp)
        for one in closed.late_steps
    )
    if is_report:
        _check_late_reports(known, before)
    elif before >= LATE_STEPS_MAX:
        return False
    draft.remember(replace(closed, late_steps=(*closed.late_steps, step)))
    return True


def _check_late_reports(known: Assignment, before: int) -> None:
    if before >= LATE_STEPS_MAX:
        raise StateConflict(
            known.assignment_id,
            state=known.state,
            why=f"it has {before} late reports, the most held; add a note to its incident",
        )
