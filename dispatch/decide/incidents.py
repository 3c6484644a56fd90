"""What people do to incidents: amend, close, cancel, reopen, urge, merge, remark."""

from __future__ import annotations

from dispatch.changed import changed
from dispatch.decide.context import Decision
from dispatch.decide.draft import Draft, check_version
from dispatch.decide.recheck import INCIDENT_MOVED, recheck
from dispatch.decide.required import required_or_default
from dispatch.decide.send import serve_queue
from dispatch.errors import IncidentUnknown, QueueFull, StateConflict
from dispatch.events import (
    AssignmentCancelled,
    AssignmentReleased,
    IncidentAmended,
    IncidentCancelled,
    IncidentClosed,
    IncidentMerged,
    IncidentNudged,
    IncidentReopened,
    NoteAdded,
)
from dispatch.questions import (
    AddNote,
    AmendIncident,
    CancelIncident,
    CloseIncident,
    MergeIncident,
    NudgeIncident,
    ReopenIncident,
)
from dispatch.resources import Assignment, Incident
from dispatch.words import ChosenBy, IncidentId


def amend(draft: Draft, question: AmendIncident) -> Decision:
    """Changes what is known; a new place re-checks its units, a new need serves the queue."""
    incident = draft.incident(question.incident_id, question.if_version)
    required = question.required
    if required is not None:
        required = required_or_default(required, draft.context.rules)
    draft.record(
        IncidentAmended(
            at_ms=draft.now_ms,
            incident_id=incident.incident_id,
            location=question.location,
            category=question.category,
            priority=question.priority,
            description=question.description,
            required=required,
        )
    )
    if question.location is not None:
        for assignment in draft.board.assignments_of(incident):
            recheck(draft, assignment, cause=INCIDENT_MOVED)
    serve_queue(draft, asked=incident.incident_id)
    return draft.finish(incident_id=incident.incident_id)


def close(draft: Draft, question: CloseIncident) -> Decision:
    """Closes it, letting its units go where that is asked.

    Raises:
        StateConflict: Units are bound to it and `release_units` is not set.
    """
    incident = draft.incident(question.incident_id, question.if_version)
    active = _active(draft, incident)
    if active and not question.release_units:
        units = ", ".join(one.unit_id for one in active)
        raise StateConflict(
            incident.incident_id,
            state=incident.status,
            why=f"{units} still work on it; let them clear, or close it with release_units",
        )
    _release(draft, active, f"{incident.incident_id} was closed")
    draft.record(
        IncidentClosed(at_ms=draft.now_ms, incident_id=incident.incident_id, reason=question.reason)
    )
    if active:
        serve_queue(draft)
    return draft.finish(incident_id=incident.incident_id)


def cancel(draft: Draft, question: CancelIncident) -> Decision:
    """Cancels it and calls its units back (撤警)."""
    incident = draft.incident(question.incident_id, question.if_version)
    active = _active(draft, incident)
    for one in active:
        draft.record(
            AssignmentCancelled(
                at_ms=draft.now_ms,
                assignment_id=one.assignment_id,
                incident_id=one.incident_id,
                unit_id=one.unit_id,
                reason=question.reason or f"{incident.incident_id} was cancelled",
            )
        )
    draft.record(
        IncidentCancelled(
            at_ms=draft.now_ms, incident_id=incident.incident_id, reason=question.reason
        )
    )
    if active:
        serve_queue(draft)
    return draft.finish(incident_id=incident.incident_id)


def reopen(draft: Draft, question: ReopenIncident) -> Decision:
    """Brings it back from history; it needs units as if new.

    Raises:
        StateConflict: It is open.
        IncidentUnknown: History does not have it either.
        QueueFull: Too many incidents are open.
    """
    incident_id = question.incident_id
    on_board = draft.board.incidents.get(incident_id)
    if on_board is not None:
        raise StateConflict(incident_id, state=on_board.status, why="it is open already")
    closed = draft.context.closed
    if closed is None or closed.incident.incident_id != incident_id:
        raise IncidentUnknown(incident_id)
    check_version(incident_id, closed.incident, question.if_version)
    limit = draft.context.rules.open_incidents_max
    if len(draft.board.incidents) >= limit:
        raise QueueFull(what="open incidents", limit=limit)
    draft.record(
        IncidentReopened(
            at_ms=draft.now_ms,
            incident_id=incident_id,
            reason=question.reason,
            # In the event and not made of its time: what older logs replay to must stay the same.
            incident=changed(closed.incident, reopened_at_ms=draft.now_ms),
            assignments=closed.assignments,
        )
    )
    serve_queue(draft, asked=incident_id, by=ChosenBy.AUTO)
    return draft.finish(incident_id=incident_id)


def nudge(draft: Draft, question: NudgeIncident) -> Decision:
    """Urges that it go faster; nothing else changes."""
    incident = draft.incident(question.incident_id, question.if_version)
    draft.record(
        IncidentNudged(at_ms=draft.now_ms, incident_id=incident.incident_id, text=question.text)
    )
    return draft.finish(incident_id=incident.incident_id)


def merge(draft: Draft, question: MergeIncident) -> Decision:
    """Ends it as the same event as another; its units are let go and serve the queue.

    Raises:
        StateConflict: It would be merged into itself, or into one that has ended.
    """
    incident = draft.incident(question.incident_id, question.if_version)
    if question.into == question.incident_id:
        raise StateConflict(
            incident.incident_id, state=incident.status, why="name another incident to merge into"
        )
    into = _goes_on(draft, question.into)
    active = _active(draft, incident)
    _release(draft, active, f"{incident.incident_id} was merged into {into.incident_id}")
    draft.record(
        IncidentMerged(at_ms=draft.now_ms, incident_id=incident.incident_id, into=into.incident_id)
    )
    if active:
        serve_queue(draft)
    return draft.finish(incident_id=incident.incident_id)


def add_note(draft: Draft, question: AddNote) -> Decision:
    """Adds a remark.

    Raises:
        StateConflict: It has as many as it may have.
    """
    incident = draft.incident(question.incident_id, question.if_version)
    limit = draft.context.rules.notes_max
    if len(incident.notes) >= limit:
        raise StateConflict(
            incident.incident_id, state=incident.status, why=f"it has {limit} notes, the most held"
        )
    draft.record(
        NoteAdded(
            at_ms=draft.now_ms,
            incident_id=incident.incident_id,
            author=draft.context.actor,
            text=question.text,
        )
    )
    return draft.finish(incident_id=incident.incident_id)


def _goes_on(draft: Draft, incident_id: IncidentId) -> Incident:
    """The incident that another one is merged into.

    Raises:
        IncidentUnknown: There is none of this id.
        StateConflict: It has ended.
    """
    closed = draft.context.closed
    ended = None if closed is None else closed.incident
    if ended is None or ended.incident_id != incident_id or incident_id in draft.board.incidents:
        return draft.incident(incident_id)
    why = "reopen it, or merge into one that is open"
    if ended.linked_to is not None:
        why = f"it goes on as {ended.linked_to}, merge into that one"
    raise StateConflict(incident_id, state=ended.status, why=why)


def _active(draft: Draft, incident: Incident) -> tuple[Assignment, ...]:
    return tuple(one for one in draft.board.assignments_of(incident) if one.state.is_active)


def _release(draft: Draft, assignments: tuple[Assignment, ...], reason: str) -> None:
    for one in assignments:
        draft.record(
            AssignmentReleased(
                at_ms=draft.now_ms,
                assignment_id=one.assignment_id,
                incident_id=one.incident_id,
                unit_id=one.unit_id,
                reason=reason,
            )
        )
