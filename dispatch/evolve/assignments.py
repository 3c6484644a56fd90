"""How events change assignments, and with them their incident and unit."""

from __future__ import annotations

from dispatch.board import Board
from dispatch.changed import changed
from dispatch.derived import derive
from dispatch.events import (
    AckRealerted,
    AssignmentAcked,
    AssignmentArrived,
    AssignmentCancelled,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentDeparted,
    AssignmentEnded,
    AssignmentPreempted,
    AssignmentRechecked,
    AssignmentReleased,
    AssignmentTimedOut,
    CrewStamp,
    FeedbackGiven,
    LateStampRecorded,
    Recorded,
    StampCorrected,
    UnitDispatched,
)
from dispatch.resources import Assignment, Incident, Stamped, UnitOnBoard
from dispatch.words import AssignmentId, AssignmentState, Stamp, UnitStatus, UnixMs

_STEPS: dict[type, tuple[Stamp, AssignmentState, UnitStatus | None]] = {
    AssignmentAcked: (Stamp.ACKED, AssignmentState.ACKED, None),
    AssignmentDeparted: (Stamp.DEPARTED, AssignmentState.EN_ROUTE, UnitStatus.EN_ROUTE),
    AssignmentArrived: (Stamp.ARRIVED, AssignmentState.ON_SCENE, UnitStatus.ON_SCENE),
}

_END_STATE: dict[type, AssignmentState] = {
    AssignmentDeclined: AssignmentState.DECLINED,
    AssignmentTimedOut: AssignmentState.TIMED_OUT,
    AssignmentPreempted: AssignmentState.PREEMPTED,
    AssignmentCancelled: AssignmentState.CANCELLED,
    AssignmentReleased: AssignmentState.RELEASED,
}

_ON_A_CALL = frozenset({UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE})


def dispatched(board: Board, event: UnitDispatched, recorded: Recorded) -> Board:
    """A new assignment binds the unit to the incident."""
    assignment = Assignment(
        assignment_id=event.assignment_id,
        incident_id=event.incident_id,
        unit_id=event.unit_id,
        by=event.by,
        fills=event.fills,
        replaces=event.replaces,
        dispatched_at_ms=event.at_ms,
        dispatched_recorded_ms=recorded.recorded_at_ms,
        travel_s=event.travel_s,
        turnout_s=event.turnout_s,
        eta_s=event.eta_s,
        eta_at_ms=event.eta_at_ms,
        distance_m=event.distance_m,
        target_s=event.target_s,
        deadline_ms=event.deadline_ms,
        margin_s=event.margin_s,
        on_target_predicted=event.on_target_predicted,
        arcs=event.arcs,
        start_offset_m=event.start_offset_m,
        end_offset_m=event.end_offset_m,
        road_version=event.road_version,
        conditions_version=event.conditions_version,
    )
    incident = board.incidents[event.incident_id]
    assignment_ids = (*incident.assignment_ids, event.assignment_id)
    unit = board.units[event.unit_id]
    bound = changed(unit, version=unit.version + 1, assignment_id=event.assignment_id)
    return _put(board, assignment, incident, bound, assignment_ids=assignment_ids)


def stepped(board: Board, event: CrewStamp, recorded: Recorded) -> Board:
    """The crew came one step further."""
    stamp, state, status = _STEPS[type(event)]
    old = board.assignments[event.assignment_id]
    new = _judged(
        changed(
            old,
            version=old.version + 1,
            state=state,
            stamps={**old.stamps, stamp: _stamped(event, recorded, inferred=event.inferred)},
        )
    )
    unit = board.units[old.unit_id]
    if status is not None:
        unit = _moved(unit, status, event.at_ms)
    return _put(board, new, board.incidents[old.incident_id], unit)


def feedback_given(board: Board, event: FeedbackGiven, recorded: Recorded) -> Board:
    """The scene report; a supplement replaces its words and keeps its first time."""
    old = board.assignments[event.assignment_id]
    stamps = {Stamp.FEEDBACK: _stamped(event, recorded), **old.stamps}
    new = changed(old, version=old.version + 1, stamps=stamps, feedback=event.feedback)
    incident = board.incidents[old.incident_id]
    report = event.feedback
    incident = changed(
        incident,
        category_final=report.category_final or incident.category_final,
        valid=incident.valid if report.valid is None else report.valid,
    )
    return _put(board, new, incident, board.units[old.unit_id])


def cleared(board: Board, event: AssignmentCleared, recorded: Recorded) -> Board:
    """The crew is done: it is on its way back and free."""
    old = board.assignments[event.assignment_id]
    new = changed(
        old,
        version=old.version + 1,
        state=AssignmentState.CLEARED,
        stamps={**old.stamps, Stamp.CLEARED: _stamped(event, recorded)},
        ended_at_ms=event.at_ms,
        ended_reason="cleared",
    )
    unit = _moved(board.units[old.unit_id], UnitStatus.RETURNING, event.at_ms)
    return _put(board, new, board.incidents[old.incident_id], changed(unit, assignment_id=None))


def ended(board: Board, event: AssignmentEnded) -> Board:
    """The assignment ends undone: its unit is free, and goes back if it was under way."""
    old = board.assignments[event.assignment_id]
    new = changed(
        old,
        version=old.version + 1,
        state=_END_STATE[type(event)],
        ended_at_ms=event.at_ms,
        ended_reason=event.reason,
    )
    incident = board.incidents[old.incident_id]
    if isinstance(event, AssignmentDeclined | AssignmentTimedOut):
        others = tuple(unit_id for unit_id in incident.not_again if unit_id != old.unit_id)
        incident = changed(incident, not_again=(*others, old.unit_id))
    unit = board.units[old.unit_id]
    free = changed(
        unit,
        version=unit.version + 1,
        assignment_id=None,
        status=UnitStatus.RETURNING if unit.status in _ON_A_CALL else unit.status,
    )
    return _put(board, new, incident, free)


def late_stamp(board: Board, event: LateStampRecorded) -> Board:
    """A step that came too late is remembered, so that a repeat is not logged again."""
    old = board.assignments.get(event.assignment_id)
    if old is None:  # its incident has left the board: the log alone keeps it
        return board
    new = changed(old, version=old.version + 1, late_stamps=(*old.late_stamps, event.stamp))
    return changed(board, assignments={**board.assignments, old.assignment_id: new})


def stamp_corrected(board: Board, event: StampCorrected) -> Board:
    """The corrected time counts from now on; the first one stays."""
    old = board.assignments[event.assignment_id]
    stamped = changed(old.stamps[event.stamp], corrected_at_ms=event.stamp_at_ms)
    new = changed(old, version=old.version + 1, stamps={**old.stamps, event.stamp: stamped})
    return _put(board, _judged(new), board.incidents[old.incident_id], board.units[old.unit_id])


def realerted(board: Board, event: AckRealerted) -> Board:
    """The crew was alerted again."""
    old = board.assignments[event.assignment_id]
    new = changed(old, version=old.version + 1, realerted=True)
    return changed(board, assignments={**board.assignments, old.assignment_id: new})


def rechecked(board: Board, event: AssignmentRechecked) -> Board:
    """A new way, or the same one timed anew."""
    old = board.assignments[event.assignment_id]
    new = changed(
        old,
        version=old.version + 1,
        travel_s=event.travel_s,
        turnout_s=event.turnout_s,
        eta_s=event.eta_s,
        eta_at_ms=event.eta_at_ms,
        distance_m=event.distance_m,
        target_s=event.target_s,
        deadline_ms=event.deadline_ms,
        margin_s=event.margin_s,
        on_target_predicted=event.on_target_predicted,
        arcs=event.arcs,
        start_offset_m=event.start_offset_m,
        end_offset_m=event.end_offset_m,
        road_version=event.road_version,
        conditions_version=event.conditions_version,
    )
    return changed(board, assignments={**board.assignments, old.assignment_id: new})


def _put(
    board: Board,
    assignment: Assignment,
    incident: Incident,
    unit: UnitOnBoard,
    *,
    assignment_ids: tuple[AssignmentId, ...] | None = None,
) -> Board:
    """Puts all three in place; the incident gets what follows from its assignments.

    `assignment_ids` are given with a new assignment only.
    """
    assignments = {**board.assignments, assignment.assignment_id: assignment}
    keys = incident.assignment_ids if assignment_ids is None else assignment_ids
    derived = derive(incident, [assignments[key] for key in keys], assignment_ids=assignment_ids)
    units = board.units
    if units[unit.unit_id] is not unit:
        units = {**units, unit.unit_id: unit}
    return changed(
        board,
        assignments=assignments,
        incidents={**board.incidents, incident.incident_id: derived},
        units=units,
        assignments_made=board.assignments_made + (assignment_ids is not None),
    )


def _stamped(
    event: CrewStamp | FeedbackGiven | AssignmentCleared,
    recorded: Recorded,
    *,
    inferred: bool = False,
) -> Stamped:
    return Stamped(
        first_at_ms=event.at_ms,
        recorded_at_ms=recorded.recorded_at_ms,
        device_seq=event.device_seq,
        inferred=inferred,
    )


def _judged(assignment: Assignment) -> Assignment:
    """With `on_target` as its arrival says."""
    arrived_ms = assignment.stamp_ms(Stamp.ARRIVED)
    if arrived_ms is None or assignment.deadline_ms is None:
        return assignment
    return changed(assignment, on_target=arrived_ms <= assignment.deadline_ms)


def _moved(unit: UnitOnBoard, status: UnitStatus, at_ms: UnixMs) -> UnitOnBoard:
    return changed(unit, version=unit.version + 1, status=status, status_at_ms=at_ms)
