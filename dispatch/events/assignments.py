"""What happens to assignments: orders, steps, ends, flags."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.changed import quickly_made
from dispatch.facts import Feedback
from dispatch.words import AssignmentId, ChosenBy, IncidentId, Stamp, UnitId, UnixMs


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDispatched:
    """A unit was ordered to an incident, with what was known when it was chosen.

    Attributes are those of `dispatch.resources.Assignment`.
    """

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    by: ChosenBy
    fills: str
    replaces: AssignmentId | None = None
    travel_s: float
    turnout_s: float
    eta_s: float
    eta_at_ms: UnixMs
    distance_m: float
    target_s: int | None
    deadline_ms: UnixMs | None
    margin_s: float | None
    on_target_predicted: bool | None
    arcs: tuple[int, ...]
    start_offset_m: float
    end_offset_m: float
    road_version: str
    conditions_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentAcked:
    """The crew signed for it (签收)."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    device_at_ms: UnixMs | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDeparted:
    """The crew set out (出警)."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    device_at_ms: UnixMs | None = None
    inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentArrived:
    """Police were seen on scene (到场), with the time it took by both clocks.

    Attributes:
        from_dispatch_s: Seconds since this unit's order.
        from_received_s: Seconds since the call was received.
        on_target: Whether the incident's promise was kept by this unit; None without a target.
    """

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    device_at_ms: UnixMs | None = None
    inferred: bool = False
    from_dispatch_s: float
    from_received_s: float
    target_s: int | None
    on_target: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackGiven:
    """The crew reported from the scene (反馈)."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    device_at_ms: UnixMs | None = None
    feedback: Feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentCleared:
    """The crew is done (办结) and free."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    device_at_ms: UnixMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDeclined:
    """The crew cannot go."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    device_seq: int | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentTimedOut:
    """The crew never signed for it and another has: the order is withdrawn."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentPreempted:
    """The unit was taken off for a graver incident."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentCancelled:
    """The incident was cancelled under way."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReleased:
    """The unit was let go: it is not needed there any more."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStampRecorded:
    """A crew's step came when it could not count any more; it is kept and changes nothing."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    stamp: Stamp
    device_seq: int | None = None
    feedback: Feedback | None = None
    applied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StampCorrected:
    """A step's time was corrected; the first one stays beside it.

    Attributes:
        at_ms: When the correction was made.
        stamp: Which step.
        stamp_at_ms: Its time as now believed.
        was_ms: Its time as believed before.
        reason: Why.
    """

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    stamp: Stamp
    stamp_at_ms: UnixMs
    was_ms: UnixMs
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AckRealerted:
    """A crew that had not signed for an urgent order was alerted again."""

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRechecked:
    """A way was found anew because roads or the place changed.

    Attributes:
        cause: `roads_changed` or `incident_moved`.
        travel_s: Seconds from where the unit is now; None where no open road leads there.
        newly_late: True where the unit was to be on time before and is not now.
    """

    at_ms: UnixMs
    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    cause: str
    travel_s: float | None
    turnout_s: float
    eta_s: float | None
    eta_at_ms: UnixMs | None
    distance_m: float | None
    target_s: int | None
    deadline_ms: UnixMs | None
    margin_s: float | None
    on_target_predicted: bool | None
    newly_late: bool
    arcs: tuple[int, ...]
    start_offset_m: float
    end_offset_m: float
    road_version: str
    conditions_version: int
