"""How events change incidents on the board."""

from __future__ import annotations

from dispatch.board import Board
from dispatch.changed import changed
from dispatch.derived import derive, unmet_of
from dispatch.events import (
    IncidentAmended,
    IncidentCancelled,
    IncidentClosed,
    IncidentEnded,
    IncidentMerged,
    IncidentNudged,
    IncidentReceived,
    IncidentReopened,
    NoteAdded,
    OverdueFlagged,
    Recorded,
    TargetMissed,
    UnitsChosen,
)
from dispatch.facts import Note, Recommendation
from dispatch.resources import Assignment, ClosedIncident, Incident
from dispatch.words import IncidentStatus, Overdue

_END_STATUS: dict[type, IncidentStatus] = {
    IncidentClosed: IncidentStatus.CLOSED,
    IncidentCancelled: IncidentStatus.CANCELLED,
    IncidentMerged: IncidentStatus.MERGED,
}

_ENDS = (IncidentClosed, IncidentCancelled, IncidentMerged)

DAY_OF_NUMBER = slice(2, 10)
"""Where in an incident number the day stands: after "JQ", before the count."""


def put_incident(board: Board, incident: Incident, *assignments: Assignment) -> Board:
    """The board with this incident and these of its assignments in place of the old ones."""
    incidents = {**board.incidents, incident.incident_id: incident}
    if not assignments:
        return changed(board, incidents=incidents)
    together = dict(board.assignments)
    for assignment in assignments:
        together[assignment.assignment_id] = assignment
    return changed(board, incidents=incidents, assignments=together)


def received(board: Board, event: IncidentReceived, recorded: Recorded) -> Board:
    """A new incident stands at the end of the board."""
    incident = Incident(
        incident_id=event.incident_id,
        incident_no=event.incident_no,
        location=event.location,
        category_initial=event.category,
        priority=event.priority,
        description=event.description,
        source=event.source,
        mode=event.mode,
        required=event.required,
        unmet=event.required,
        clock=event.clock,
        occurred_at_ms=event.occurred_at_ms,
        reported_at_ms=event.reported_at_ms,
        received_at_ms=event.at_ms,
        received_recorded_ms=recorded.recorded_at_ms,
    )
    day = event.incident_no[DAY_OF_NUMBER]
    return changed(
        board,
        incidents={**board.incidents, incident.incident_id: incident},
        incidents_made=board.incidents_made + 1,
        numbered_day=day,
        numbered=board.numbered + 1 if day == board.numbered_day else 1,
    )


def amended(board: Board, event: IncidentAmended) -> Board:
    """What is known of it changes; a later deadline withdraws "missed"."""
    old = board.incidents[event.incident_id]
    new = changed(
        old,
        location=event.location or old.location,
        category_initial=event.category or old.category_initial,
        priority=event.priority or old.priority,
        description=old.description if event.description is None else event.description,
        required=old.required if event.required is None else event.required,
    )
    deadline_ms = new.deadline_ms
    still_missed = deadline_ms is not None and deadline_ms < event.at_ms
    new = changed(new, target_missed=new.target_missed and still_missed)
    return put_incident(board, derive(new, board.assignments_of(new)))


def nudged(board: Board, event: IncidentNudged) -> Board:
    """It was urged once more."""
    old = board.incidents[event.incident_id]
    return put_incident(
        board,
        changed(old, version=old.version + 1, nudges=old.nudges + 1, nudged_at_ms=event.at_ms),
    )


def note_added(board: Board, event: NoteAdded) -> Board:
    """One remark more."""
    old = board.incidents[event.incident_id]
    note = Note(at_ms=event.at_ms, author=event.author, text=event.text)
    return put_incident(board, changed(old, version=old.version + 1, notes=(*old.notes, note)))


def units_chosen(board: Board, event: UnitsChosen) -> Board:
    """The receipt stands on the incident; an unanswered order serves no more."""
    old = board.incidents[event.incident_id]
    assignments = board.assignments_of(old)
    silent: tuple[Assignment, ...] = ()
    if event.unanswered is not None:
        asked = board.assignments[event.unanswered]
        silent = (changed(asked, version=asked.version + 1, substitute_sought=True),)
        assignments = tuple(silent[0] if one is asked else one for one in assignments)
    incident = changed(
        old,
        version=old.version + 1,
        required=event.required,
        unmet=unmet_of(event.required, assignments[old.earlier_assignments :]),
        recommendation=Recommendation(
            incident_id=event.incident_id,
            decided_at_ms=event.at_ms,
            target_s=event.target_s,
            clock=event.clock,
            candidates=event.candidates,
            chosen=event.chosen,
            why=event.why,
            shortfall=event.shortfall,
            road_version=event.road_version,
            conditions_version=event.conditions_version,
        ),
    )
    return put_incident(board, incident, *silent)


def target_missed(board: Board, event: TargetMissed) -> Board:
    """The promise's time ran out."""
    old = board.incidents[event.incident_id]
    missed = changed(old, target_missed=True, overdue=with_flag(old.overdue, Overdue.ARRIVAL))
    return put_incident(board, derive(missed, board.assignments_of(missed)))


def overdue_flagged(board: Board, event: OverdueFlagged) -> Board:
    """A band was outrun; the flag stands on the incident and on the assignment, if one is named."""
    old = board.incidents[event.incident_id]
    incident = changed(old, version=old.version + 1, overdue=with_flag(old.overdue, event.flag))
    if event.assignment_id is None:
        return put_incident(board, incident)
    slow = board.assignments[event.assignment_id]
    return put_incident(
        board,
        incident,
        changed(slow, version=slow.version + 1, overdue=with_flag(slow.overdue, event.flag)),
    )


def reopened(board: Board, event: IncidentReopened) -> Board:
    """It comes back with its history; what was done before does not fill what it needs now."""
    back = changed(
        event.incident,
        earlier_assignments=len(event.assignments),
        linked_to=None,
        closed_at_ms=None,
        closed_recorded_ms=None,
        closed_reason="",
    )
    return put_incident(board, derive(back, event.assignments), *event.assignments)


def ended(board: Board, event: IncidentEnded) -> Board:
    """It leaves the board with its assignments; a merge links the other one to it."""
    incident = board.incidents[event.incident_id]
    incidents = dict(board.incidents)
    del incidents[event.incident_id]
    assignments = dict(board.assignments)
    for key in incident.assignment_ids:
        del assignments[key]
    if isinstance(event, IncidentMerged):
        kept = incidents[event.into]
        incidents[event.into] = changed(
            kept, version=kept.version + 1, duplicates=(*kept.duplicates, event.incident_id)
        )
    return changed(board, incidents=incidents, assignments=assignments)


def closed_by(before: Board, recorded: Recorded) -> ClosedIncident | None:
    """The incident that this event takes off the board, in its last state; None for other events.

    Args:
        before: The board before the event.
        recorded: The event.
    """
    event = recorded.event
    if not isinstance(event, _ENDS):
        return None
    incident = before.incidents[event.incident_id]
    into = event.into if isinstance(event, IncidentMerged) else None
    final = changed(
        incident,
        version=incident.version + 1,
        status=_END_STATUS[type(event)],
        closed_at_ms=event.at_ms,
        closed_recorded_ms=recorded.recorded_at_ms,
        closed_reason="" if isinstance(event, IncidentMerged) else event.reason,
        linked_to=into,
    )
    return ClosedIncident(incident=final, assignments=before.assignments_of(incident))


def with_flag(flags: tuple[Overdue, ...], flag: Overdue) -> tuple[Overdue, ...]:
    """The flags with this one, each once, in the order they were raised."""
    return flags if flag in flags else (*flags, flag)
