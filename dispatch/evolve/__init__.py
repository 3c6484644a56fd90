"""How the board follows from the log: `evolve(board, recorded) -> board`, one kind at a time.

Each event makes new values of the few things it touches, one version higher; all else is shared
with the board before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, assert_never

from dispatch.alarms import Alarm, alarm_id
from dispatch.board import Board
from dispatch.changed import changed
from dispatch.errors import LogDamaged
from dispatch.events import (
    AckRealerted,
    AlarmCleared,
    AlarmRaised,
    AssignmentAcked,
    AssignmentArrived,
    AssignmentCancelled,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentDeparted,
    AssignmentPreempted,
    AssignmentRechecked,
    AssignmentReleased,
    AssignmentTimedOut,
    Event,
    FeedbackGiven,
    IncidentAmended,
    IncidentCancelled,
    IncidentClosed,
    IncidentMerged,
    IncidentNudged,
    IncidentReceived,
    IncidentReopened,
    LateStampRecorded,
    LoanEnded,
    NoteAdded,
    OverdueFlagged,
    Recorded,
    RoadClosed,
    RoadReopened,
    SpeedFactorLifted,
    SpeedFactorSet,
    StampCorrected,
    TargetMissed,
    UnitDispatched,
    UnitLent,
    UnitsChosen,
    UnitStatusChanged,
    UnitStatusIgnored,
)
from dispatch.evolve import assignments as on_assignments
from dispatch.evolve import incidents as on_incidents
from dispatch.evolve import units as on_units

Key = TypeVar("Key")
Value = TypeVar("Value")


def evolve(board: Board, recorded: Recorded) -> Board:
    """The board after one more entry of the log.

    Raises:
        LogDamaged: The entry is not the next one, or names what the board does not have.
    """
    if recorded.seq != board.seq + 1:
        raise LogDamaged(recorded.seq, why=f"entry {board.seq + 1} was due")
    try:
        after = _apply(board, recorded, recorded.event)
    except KeyError as missing:
        raise LogDamaged(recorded.seq, why=f"{missing} is not on the board") from missing
    return changed(after, seq=recorded.seq)


def _apply(board: Board, recorded: Recorded, event: Event) -> Board:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    match event:
        case IncidentReceived():
            return on_incidents.received(board, event, recorded)
        case IncidentAmended():
            return on_incidents.amended(board, event)
        case IncidentNudged():
            return on_incidents.nudged(board, event)
        case NoteAdded():
            return on_incidents.note_added(board, event)
        case UnitsChosen():
            return on_incidents.units_chosen(board, event)
        case TargetMissed():
            return on_incidents.target_missed(board, event)
        case OverdueFlagged():
            return on_incidents.overdue_flagged(board, event)
        case IncidentReopened():
            return on_incidents.reopened(board, event)
        case IncidentClosed() | IncidentCancelled() | IncidentMerged():
            return on_incidents.ended(board, event)
        case UnitDispatched():
            return on_assignments.dispatched(board, event, recorded)
        case AssignmentAcked() | AssignmentDeparted() | AssignmentArrived():
            return on_assignments.stepped(board, event, recorded)
        case FeedbackGiven():
            return on_assignments.feedback_given(board, event, recorded)
        case AssignmentCleared():
            return on_assignments.cleared(board, event, recorded)
        case (
            AssignmentDeclined()
            | AssignmentTimedOut()
            | AssignmentPreempted()
            | AssignmentCancelled()
            | AssignmentReleased()
        ):
            return on_assignments.ended(board, event)
        case LateStampRecorded():
            return on_assignments.late_stamp(board, event)
        case StampCorrected():
            return on_assignments.stamp_corrected(board, event)
        case AckRealerted():
            return on_assignments.realerted(board, event)
        case AssignmentRechecked():
            return on_assignments.rechecked(board, event)
        case UnitStatusChanged():
            return on_units.status_changed(board, event)
        case UnitStatusIgnored():
            return board
        case UnitLent():
            return on_units.lent(board, event)
        case LoanEnded():
            return on_units.loan_ended(board, event)
        case RoadClosed():
            shut = event.closure
            return changed(
                board,
                closures={**board.closures, shut.closure_id: shut},
                closures_made=board.closures_made + 1,
            )
        case RoadReopened():
            return changed(board, closures=_without(board.closures, event.closure_id))
        case SpeedFactorSet():
            factor = event.speed_factor
            return changed(
                board,
                speed_factors={**board.speed_factors, factor.factor_id: factor},
                factors_made=board.factors_made + 1,
            )
        case SpeedFactorLifted():
            return changed(board, speed_factors=_without(board.speed_factors, event.factor_id))
        case AlarmRaised():
            return _alarm_raised(board, event)
        case AlarmCleared():
            return changed(board, alarms=_without(board.alarms, alarm_id(event.kind, event.about)))
        case _:
            assert_never(event)


def _alarm_raised(board: Board, event: AlarmRaised) -> Board:
    alarm = Alarm(kind=event.kind, about=event.about, why=event.why, raised_at_ms=event.at_ms)
    return changed(board, alarms={**board.alarms, alarm_id(event.kind, event.about): alarm})


def _without(values: Mapping[Key, Value], key: Key) -> dict[Key, Value]:
    rest = dict(values)
    del rest[key]
    return rest
