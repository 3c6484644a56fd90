"""What follows from an incident's assignments: its status, first stamps and whether it kept time.

One place computes it, so that nobody ever sets it by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dispatch.resources import Assignment, Incident
from dispatch.words import AssignmentState, IncidentStatus, Stamp, UnixMs

ENDED = frozenset({IncidentStatus.CLOSED, IncidentStatus.CANCELLED, IncidentStatus.MERGED})
"""Statuses of incidents that have left the board; these alone are not derived."""

# A cleared assignment counts as "on scene": police were there, the incident waits for its report.
_REACHED = (
    (AssignmentState.CLEARED, IncidentStatus.ON_SCENE),
    (AssignmentState.ON_SCENE, IncidentStatus.ON_SCENE),
    (AssignmentState.EN_ROUTE, IncidentStatus.EN_ROUTE),
    (AssignmentState.ACKED, IncidentStatus.ACKED),
    (AssignmentState.DISPATCHED, IncidentStatus.DISPATCHED),
)


def status_of(assignments: Sequence[Assignment]) -> IncidentStatus:
    """How far an open incident has come: as far as its furthest assignment.

    Args:
        assignments: Those made since it was received or last reopened.
    """
    if any(Stamp.FEEDBACK in assignment.stamps for assignment in assignments):
        return IncidentStatus.FED_BACK
    states = {assignment.state for assignment in assignments}
    for state, status in _REACHED:
        if state in states:
            return status
    return IncidentStatus.PENDING


def kept_target(incident: Incident) -> bool | None:
    """Whether police were seen in time; None before arrival and deadline, or without a target."""
    deadline_ms = incident.deadline_ms
    if deadline_ms is None:
        return None
    if incident.arrived_at_ms is not None:
        return incident.arrived_at_ms <= deadline_ms
    return False if incident.target_missed else None


def derive(incident: Incident, assignments: Sequence[Assignment]) -> Incident:
    """The incident with all that follows from its assignments, oldest first."""
    known = replace(
        incident,
        status=status_of(assignments[incident.earlier_assignments :]),
        dispatched_at_ms=min((one.dispatched_at_ms for one in assignments), default=None),
        acked_at_ms=_first(assignments, Stamp.ACKED),
        departed_at_ms=_first(assignments, Stamp.DEPARTED),
        arrived_at_ms=_first(assignments, Stamp.ARRIVED),
        feedback_at_ms=_first(assignments, Stamp.FEEDBACK),
    )
    on_target = kept_target(known)
    return known if on_target is known.on_target else replace(known, on_target=on_target)


def _first(assignments: Sequence[Assignment], stamp: Stamp) -> UnixMs | None:
    return min(
        (one.stamps[stamp].at_ms for one in assignments if stamp in one.stamps), default=None
    )
