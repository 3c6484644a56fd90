"""A unit says what it does."""

from __future__ import annotations

from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft
from dispatch.decide.send import serve_queue
from dispatch.decide.stamps import device_time
from dispatch.errors import BadUnitStatus, UnitBusy
from dispatch.events import UnitStatusChanged, UnitStatusIgnored
from dispatch.questions import SetUnitStatus
from dispatch.resources import UnitOnBoard
from dispatch.words import UnitStatus, UnixMs

SETTABLE = frozenset(
    {
        UnitStatus.STANDBY,
        UnitStatus.PATROLLING,
        UnitStatus.POSTED,
        UnitStatus.RETURNING,
        UnitStatus.OFF_DUTY,
    }
)
"""Statuses that may be set; the others follow from assignments and positions."""

_ON_A_CALL = frozenset({UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE})


def set_status(draft: Draft, question: SetUnitStatus) -> Decision:
    """Records the status; a unit that becomes free serves the queue.

    A status older than the unit's last one, or given while it drives to or works at a scene, is
    kept in the log and changes nothing.

    Raises:
        UnitUnknown: No such unit.
        BadUnitStatus: Nobody may set this status.
        UnitBusy: It is bound and cannot go off duty.
        ClockSkew: The device's time is out of bounds.
    """
    unit = draft.unit(question.unit_id)
    if question.status not in SETTABLE:
        raise BadUnitStatus(question.unit_id, status=question.status)
    at_ms = device_time(draft.context, question.at_ms)
    why = _why_ignored(unit, question, at_ms)
    if why:
        draft.applied = False
        draft.record(
            UnitStatusIgnored(
                at_ms=at_ms,
                unit_id=unit.unit_id,
                status=question.status,
                device_seq=question.device_seq,
                why=why,
            )
        )
    elif question.status is not unit.status:
        _change(draft, unit, question, at_ms)
    return draft.finish(unit_id=unit.unit_id)


def _why_ignored(unit: UnitOnBoard, question: SetUnitStatus, at_ms: UnixMs) -> str:
    """Why the status cannot count, "" where it can."""
    # A dispatcher's word has no device time and is never older than the crew's.
    known_ms = unit.status_at_ms
    if question.at_ms is not None and known_ms is not None and at_ms < known_ms:
        return f"it is older than {unit.status}, which was set at {known_ms} ms"
    if question.status is UnitStatus.OFF_DUTY and unit.assignment_id is not None:
        raise UnitBusy(unit.unit_id, assignment_id=unit.assignment_id)
    if unit.status in _ON_A_CALL:
        return f"{unit.assignment_id} says what it does: clear that first"
    return ""


def _change(draft: Draft, unit: UnitOnBoard, question: SetUnitStatus, at_ms: UnixMs) -> None:
    on_duty = question.status is not UnitStatus.OFF_DUTY
    draft.record(
        UnitStatusChanged(
            at_ms=at_ms,
            unit_id=unit.unit_id,
            status=question.status,
            on_duty=on_duty,
            device_seq=question.device_seq,
        )
    )
    if on_duty and not unit.on_duty:
        serve_queue(draft)
