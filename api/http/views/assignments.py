"""How an assignment is shown, with its way drawn on the roads."""

from __future__ import annotations

from msgspec import Struct

from api.http.views.plain import Instant, LineString, rfc3339, rfc3339_or_none, rounded
from dispatch.resources import Assignment, Stamped
from dispatch.words import Stamp


class StepView(Struct):
    """One stretch of a way."""

    road: str
    distance_m: float
    travel_s: float
    turn: str


class RouteView(Struct):
    """A way by road.

    It begins with `closed_first_m` and ends with `closed_last_m` on a closed road, because the unit
    or the incident is on it.
    """

    geometry: LineString | None
    distance_m: float | None
    steps: list[StepView]
    closed_first_m: float = 0.0
    closed_last_m: float = 0.0


class StampView(Struct):
    """One step of a crew: when it happened, when it was recorded."""

    at: Instant
    recorded_at: Instant
    first_at: Instant
    inferred: bool


class FeedbackView(Struct):
    """A scene report."""

    category_final: str | None
    valid: bool | None
    text: str
    counts: dict[str, int]


class AssignmentView(Struct):
    """A dispatch order (派警单)."""

    id: str
    incident_id: str
    unit_id: str
    state: str
    version: int
    by: str
    replaces: str | None
    travel_s: float | None
    turnout_s: float
    eta_s: float | None
    eta_at: Instant | None
    distance_m: float | None
    target_s: int | None
    target_deadline: Instant | None
    margin_s: float | None
    on_target_predicted: bool | None
    on_target: bool | None
    route: RouteView | None
    road_version: str
    conditions_version: int
    dispatched_at: Instant
    acked_at: Instant | None
    departed_at: Instant | None
    arrived_at: Instant | None
    feedback_at: Instant | None
    cleared_at: Instant | None
    stamps: dict[str, StampView]
    feedback: FeedbackView | None
    realerted: bool
    overdue: list[str]
    ended_at: Instant | None
    ended_reason: str | None


class StampedAssignmentView(AssignmentView):
    """An assignment after a crew's command; `applied` is false where it came too late."""

    applied: bool = True


def assignment_view(
    assignment: Assignment,
    route: RouteView | None,
    *,
    shape: type[AssignmentView] = AssignmentView,
) -> AssignmentView:
    """An assignment as the API shows it.

    Args:
        assignment: The assignment.
        route: Its way, drawn; None where it is not to be shown.
        shape: The view to build, one that adds optional fields.
    """
    stamps = assignment.stamps
    return shape(
        id=assignment.assignment_id,
        incident_id=assignment.incident_id,
        unit_id=assignment.unit_id,
        state=assignment.state,
        version=assignment.version,
        by=assignment.by,
        replaces=assignment.replaces,
        travel_s=rounded(assignment.travel_s),
        turnout_s=round(assignment.turnout_s, 3),
        eta_s=rounded(assignment.eta_s),
        eta_at=rfc3339_or_none(assignment.eta_at_ms),
        distance_m=rounded(assignment.distance_m, 1),
        target_s=assignment.target_s,
        target_deadline=rfc3339_or_none(assignment.deadline_ms),
        margin_s=rounded(assignment.margin_s),
        on_target_predicted=assignment.on_target_predicted,
        on_target=assignment.on_target,
        route=route,
        road_version=assignment.road_version,
        conditions_version=assignment.conditions_version,
        dispatched_at=rfc3339(assignment.dispatched_at_ms),
        acked_at=rfc3339_or_none(assignment.stamp_ms(Stamp.ACKED)),
        departed_at=rfc3339_or_none(assignment.stamp_ms(Stamp.DEPARTED)),
        arrived_at=rfc3339_or_none(assignment.stamp_ms(Stamp.ARRIVED)),
        feedback_at=rfc3339_or_none(assignment.stamp_ms(Stamp.FEEDBACK)),
        cleared_at=rfc3339_or_none(assignment.stamp_ms(Stamp.CLEARED)),
        stamps={stamp.value: _stamp_view(stamped) for stamp, stamped in stamps.items()},
        feedback=_feedback_view(assignment),
        realerted=assignment.realerted,
        overdue=list(assignment.overdue),
        ended_at=rfc3339_or_none(assignment.ended_at_ms),
        ended_reason=assignment.ended_reason or None,
    )


def _stamp_view(stamped: Stamped) -> StampView:
    return StampView(
        at=rfc3339(stamped.at_ms),
        recorded_at=rfc3339(stamped.recorded_at_ms),
        first_at=rfc3339(stamped.first_at_ms),
        inferred=stamped.inferred,
    )


def _feedback_view(assignment: Assignment) -> FeedbackView | None:
    feedback = assignment.feedback
    if feedback is None:
        return None
    return FeedbackView(
        category_final=feedback.category_final,
        valid=feedback.valid,
        text=feedback.text,
        counts=dict(feedback.counts),
    )
