"""The facts of the log: what happened, past tense, never changed once written.

Every event has `at_ms`, when it happened: the device's time for a crew's stamps, the service's for
all else. The envelope `Recorded` adds the place in the log, when it was recorded and by whom.
A kind keeps its name and its fields for ever; what must change becomes a new kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from dispatch.facts import Candidate, Feedback, Location, Shortfall
from dispatch.resources import Assignment, Closure, Incident, SpeedFactor
from dispatch.words import (
    AssignmentId,
    ChosenBy,
    Clock,
    ClosureId,
    DispatchMode,
    IncidentId,
    Overdue,
    SpeedFactorId,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReceived:
    """A call came in. `at_ms` is when it was received."""

    at_ms: UnixMs
    incident_id: IncidentId
    incident_no: str
    location: Location
    category: str
    priority: int
    description: str
    source: str
    occurred_at_ms: UnixMs | None
    reported_at_ms: UnixMs | None
    mode: DispatchMode
    required: Mapping[str, int]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAmended:
    """A dispatcher changed what is known; None means unchanged."""

    at_ms: UnixMs
    incident_id: IncidentId
    location: Location | None = None
    category: str | None = None
    priority: int | None = None
    description: str | None = None
    required: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed:
    """An incident was closed; it leaves the board."""

    at_ms: UnixMs
    incident_id: IncidentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCancelled:
    """An incident was cancelled; it leaves the board."""

    at_ms: UnixMs
    incident_id: IncidentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReopened:
    """An incident came back to the board, as it stood when it left."""

    at_ms: UnixMs
    incident_id: IncidentId
    reason: str
    incident: Incident
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNudged:
    """Somebody urged that it go faster (催促)."""

    at_ms: UnixMs
    incident_id: IncidentId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMerged:
    """An incident proved to be the same as another; it leaves the board."""

    at_ms: UnixMs
    incident_id: IncidentId
    into: IncidentId


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A remark was made on an incident."""

    at_ms: UnixMs
    incident_id: IncidentId
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsChosen:
    """The receipt of a choice: what was weighed, what was taken, why, and what is missing.

    Attributes:
        at_ms: When it was weighed.
        incident_id: For which incident.
        by: What led to the choice.
        candidates: Units weighed, best first, without their arcs.
        chosen: Units that go; empty where nobody can.
        why: One sentence for people.
        shortfall: What was wanted and not to be had.
        target_s: The promise at the place.
        clock: When it starts to count.
        required: Units wanted by kind from now on.
        unanswered: The assignment for which a substitute is sought, or None.
        road_version: Hash of the network.
        conditions_version: Count of changes by closures and speeds.
    """

    at_ms: UnixMs
    incident_id: IncidentId
    by: ChosenBy
    candidates: tuple[Candidate, ...]
    chosen: tuple[UnitId, ...]
    why: str
    shortfall: tuple[Shortfall, ...]
    target_s: int | None
    clock: Clock
    required: Mapping[str, int]
    unanswered: AssignmentId | None = None
    road_version: str
    conditions_version: int


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
class OverdueFlagged:
    """A band of practice was outrun; by the whole incident where no assignment is named."""

    at_ms: UnixMs
    flag: Overdue
    incident_id: IncidentId
    assignment_id: AssignmentId | None = None
    unit_id: UnitId | None = None
    limit_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMissed:
    """The promise's time ran out with nobody recorded on scene."""

    at_ms: UnixMs
    incident_id: IncidentId
    target_s: int
    deadline_ms: UnixMs


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatusChanged:
    """A unit said what it does now."""

    at_ms: UnixMs
    unit_id: UnitId
    status: UnitStatus
    on_duty: bool
    device_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatusIgnored:
    """A unit's status came later than a newer one; it is kept and changes nothing."""

    at_ms: UnixMs
    unit_id: UnitId
    status: UnitStatus
    device_seq: int | None = None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadClosed:
    """A road was shut."""

    at_ms: UnixMs
    closure: Closure


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadReopened:
    """A closure was lifted, or its time ran out."""

    at_ms: UnixMs
    closure_id: ClosureId
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactorSet:
    """Roads were said to be slower or faster than usual."""

    at_ms: UnixMs
    speed_factor: SpeedFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactorLifted:
    """A speed factor was lifted, or its time ran out."""

    at_ms: UnixMs
    factor_id: SpeedFactorId
    expired: bool = False


AssignmentEnded: TypeAlias = (
    AssignmentDeclined
    | AssignmentTimedOut
    | AssignmentPreempted
    | AssignmentCancelled
    | AssignmentReleased
)
"""The ends of an assignment that leave its work undone."""

CrewStamp: TypeAlias = AssignmentAcked | AssignmentDeparted | AssignmentArrived
"""The steps that a later one implies."""

IncidentEnded: TypeAlias = IncidentClosed | IncidentCancelled | IncidentMerged
"""The events by which an incident leaves the board."""

Event: TypeAlias = (
    IncidentReceived
    | IncidentAmended
    | IncidentClosed
    | IncidentCancelled
    | IncidentReopened
    | IncidentNudged
    | IncidentMerged
    | NoteAdded
    | UnitsChosen
    | UnitDispatched
    | AssignmentAcked
    | AssignmentDeparted
    | AssignmentArrived
    | FeedbackGiven
    | AssignmentCleared
    | AssignmentDeclined
    | AssignmentTimedOut
    | AssignmentPreempted
    | AssignmentCancelled
    | AssignmentReleased
    | LateStampRecorded
    | StampCorrected
    | AckRealerted
    | OverdueFlagged
    | TargetMissed
    | AssignmentRechecked
    | UnitStatusChanged
    | UnitStatusIgnored
    | RoadClosed
    | RoadReopened
    | SpeedFactorSet
    | SpeedFactorLifted
)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


EVENT_KINDS: Final[dict[str, type]] = {_snake(kind.__name__): kind for kind in get_args(Event)}
"""The name of each kind in log and feeds, as "unit_dispatched", and its class."""

KIND_NAMES: Final[dict[type, str]] = {kind: name for name, kind in EVENT_KINDS.items()}
"""The other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event in the log.

    Attributes:
        seq: Its place, 1 for the first, without gaps.
        recorded_at_ms: When the service recorded it.
        actor: Who caused it: a token's id, or "system" for timers.
        event: What happened.
    """

    seq: int
    recorded_at_ms: UnixMs
    actor: str
    event: Event
