"""What follows from an incident's assignments: its status, first stamps and whether it kept time.

One place computes it, so that nobody ever sets it by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from dispatch.changed import changed
from dispatch.resources import Assignment, Incident
from dispatch.words import AssignmentId, AssignmentState, IncidentStatus, Stamp, UnixMs

ENDED = frozenset({IncidentStatus.CLOSED, IncidentStatus.CANCELLED, IncidentStatus.MERGED})
"""Statuses of incidents that have left the board; these alone are not derived."""

# A cleared assignment counts as "on scene": police were there, the incident waits for its report.
# Assignments that ended undone count as nothing.
_REACHED = {
    AssignmentState.DISPATCHED: IncidentStatus.DISPATCHED,
    AssignmentState.ACKED: IncidentStatus.ACKED,
    AssignmentState.EN_ROUTE: IncidentStatus.EN_ROUTE,
    AssignmentState.ON_SCENE: IncidentStatus.ON_SCENE,
    AssignmentState.CLEARED: IncidentStatus.ON_SCENE,
}

_RANK = {status: rank for rank, status in enumerate(IncidentStatus)}


def status_of(assignments: Sequence[Assignment]) -> IncidentStatus:
    """How far an open incident has come: as far as its furthest assignment.

    Args:
        assignments: Those made since it was received or last reopened.
    """
    furthest = IncidentStatus.PENDING
    for assignment in assignments:
        if Stamp.FEEDBACK in assignment.stamps:
            return IncidentStatus.FED_BACK
        reached = _REACHED.get(assignment.state, IncidentStatus.PENDING)
        if _RANK[reached] > _RANK[furthest]:
            furthest = reached
    return furthest


def unmet_of(required: Mapping[str, int], assignments: Sequence[Assignment]) -> Mapping[str, int]:
    """Units still wanted by kind.

    Args:
        required: Units wanted in all.
        assignments: Those made since it was received or last reopened.
    """
    wanted = dict(required)
    for assignment in assignments:
        if assignment.fills in wanted and assignment.is_serving:
            wanted[assignment.fills] -= 1
    return {kind: count for kind, count in wanted.items() if count > 0}


def derive(
    incident: Incident,
    assignments: Sequence[Assignment],
    *,
    assignment_ids: tuple[AssignmentId, ...] | None = None,
) -> Incident:
    """The incident one version on, with all that follows from its assignments.

    Args:
        incident: The incident, changed or not.
        assignments: All its assignments, oldest first.
        assignment_ids: Their ids, where they changed.
    """
    current = assignments[incident.earlier_assignments :]
    dispatched_at_ms = min((one.dispatched_at_ms for one in assignments), default=None)
    first_ms = _first_stamps(assignments)
    arrived_at_ms = first_ms.get(Stamp.ARRIVED)
    return changed(
        incident,
        version=incident.version + 1,
        assignment_ids=incident.assignment_ids if assignment_ids is None else assignment_ids,
        status=status_of(current),
        unmet=unmet_of(incident.required, current),
        dispatched_at_ms=dispatched_at_ms,
        acked_at_ms=first_ms.get(Stamp.ACKED),
        departed_at_ms=first_ms.get(Stamp.DEPARTED),
        arrived_at_ms=arrived_at_ms,
        feedback_at_ms=first_ms.get(Stamp.FEEDBACK),
        on_target=_kept_target(incident, dispatched_at_ms, arrived_at_ms),
    )


def _kept_target(
    incident: Incident, dispatched_at_ms: UnixMs | None, arrived_at_ms: UnixMs | None
) -> bool | None:
    """Whether police were seen in time; None before arrival and deadline, or without a target."""
    deadline_ms = incident.deadline_from(dispatched_at_ms)
    if deadline_ms is None:
        return None
    if arrived_at_ms is not None:
        return arrived_at_ms <= deadline_ms
    return False if incident.target_missed else None


def _first_stamps(assignments: Sequence[Assignment]) -> dict[Stamp, UnixMs]:
    """When each step was first taken by any of them."""
    first_ms: dict[Stamp, UnixMs] = {}
    for assignment in assignments:
        for stamp, stamped in assignment.stamps.items():
            at_ms = stamped.at_ms
            if at_ms < first_ms.get(stamp, inf):
                first_ms[stamp] = at_ms
    return first_ms
