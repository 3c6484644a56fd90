"""Ways found anew, because roads changed or the incident is somewhere else."""

from __future__ import annotations

from collections.abc import Collection

from dispatch.decide.draft import Draft
from dispatch.events import AssignmentRechecked
from dispatch.resources import Assignment
from dispatch.road_times import Reach
from dispatch.words import AssignmentState, UnixMs

ROADS_CHANGED = "roads_changed"
INCIDENT_MOVED = "incident_moved"

_ON_THE_WAY = frozenset(
    {AssignmentState.DISPATCHED, AssignmentState.ACKED, AssignmentState.EN_ROUTE}
)


def recheck(
    draft: Draft, assignment: Assignment, *, cause: str, arcs: Collection[int] | None = None
) -> None:
    """Finds the way of a unit that has not arrived anew and records it where it matters.

    After a change of roads it matters when the way used a changed arc or belongs to another
    network, or the expected arrival moves by the rules' gain; after a move of the incident always.
    """
    if assignment.state not in _ON_THE_WAY:
        return
    incident = draft.board.incidents[assignment.incident_id]
    reach = draft.context.roads.travel(assignment.unit_id, incident.location)
    turnout_s = _turnout_left_s(draft, assignment)
    eta_s = None if reach is None else turnout_s + reach.travel_s
    eta_at_ms = None if eta_s is None else UnixMs(draft.now_ms + round(eta_s * 1000))
    touched = arcs is not None and not set(arcs).isdisjoint(assignment.arcs)
    # After a change of network the numbers of the way's arcs mean other roads.
    touched = touched or assignment.road_version != draft.context.roads.road_state.road_version
    if cause == INCIDENT_MOVED or touched or _moved(draft, assignment, eta_at_ms):
        draft.record(_rechecked(draft, assignment, reach, cause=cause, turnout_s=turnout_s))


def _rechecked(
    draft: Draft, assignment: Assignment, reach: Reach | None, *, cause: str, turnout_s: float
) -> AssignmentRechecked:
    incident = draft.board.incidents[assignment.incident_id]
    deadline_ms = incident.deadline_ms if cause == INCIDENT_MOVED else assignment.deadline_ms
    eta_s = None if reach is None else turnout_s + reach.travel_s
    eta_at_ms = None if eta_s is None else UnixMs(draft.now_ms + round(eta_s * 1000))
    margin_s = None
    if deadline_ms is not None and eta_at_ms is not None:
        margin_s = (deadline_ms - eta_at_ms) / 1000
    in_time = None if deadline_ms is None else margin_s is not None and margin_s >= 0
    roads = draft.context.roads.road_state
    return AssignmentRechecked(
        at_ms=draft.now_ms,
        assignment_id=assignment.assignment_id,
        incident_id=assignment.incident_id,
        unit_id=assignment.unit_id,
        cause=cause,
        travel_s=None if reach is None else reach.travel_s,
        turnout_s=turnout_s,
        eta_s=eta_s,
        eta_at_ms=eta_at_ms,
        distance_m=None if reach is None else reach.distance_m,
        target_s=incident.location.target_s,
        deadline_ms=deadline_ms,
        margin_s=margin_s,
        on_target_predicted=in_time,
        newly_late=assignment.on_target_predicted is True and in_time is False,
        arcs=() if reach is None else reach.arcs,
        start_offset_m=0.0 if reach is None else reach.start_offset_m,
        end_offset_m=0.0 if reach is None else reach.end_offset_m,
        road_version=roads.road_version,
        conditions_version=roads.conditions_version,
    )


def _turnout_left_s(draft: Draft, assignment: Assignment) -> float:
    """Seconds until it rolls: none once it departed, less what has passed before."""
    if assignment.state is AssignmentState.EN_ROUTE:
        return 0.0
    passed_s = (draft.now_ms - assignment.dispatched_at_ms) / 1000
    return max(0.0, assignment.turnout_s - max(0.0, passed_s))


def _moved(draft: Draft, assignment: Assignment, eta_at_ms: UnixMs | None) -> bool:
    """Whether the expected arrival changed enough to tell the crew."""
    if eta_at_ms is None or assignment.eta_at_ms is None:
        return eta_at_ms is not assignment.eta_at_ms
    gain_ms = draft.context.rules.recheck_gain_s * 1000
    return abs(eta_at_ms - assignment.eta_at_ms) >= gain_ms
