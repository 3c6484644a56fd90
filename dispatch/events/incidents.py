"""What happens to incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.changed import quickly_made
from dispatch.facts import Candidate, Location, Shortfall
from dispatch.resources import Assignment, Incident
from dispatch.words import (
    AssignmentId,
    ChosenBy,
    Clock,
    DispatchMode,
    IncidentId,
    Overdue,
    UnitId,
    UnixMs,
)


@quickly_made
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


@quickly_made
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
