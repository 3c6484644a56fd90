"""What can be asked of the dispatcher. A question is a wish; events are what came of it.

`if_version` is the version that a person had read (If-Match); None skips the check. Times given by
devices (`at_ms`) may be None: the service's own time stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from dispatch.alarms import AlarmRules, Surroundings
from dispatch.facts import DailyHours, Feedback, Location, Stretch
from dispatch.words import (
    AssignmentId,
    ClosureId,
    Direction,
    DispatchMode,
    IncidentId,
    SpeedFactorId,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIncident:
    """A call came in: record it and, in `auto` mode, send the units it needs.

    Attributes:
        location: Where, checked and snapped at the gate.
        category: Code of the category.
        priority: 1 (most urgent) to 4.
        required: Units by kind ("any" or a unit kind, alternatives joined by "|"); None takes
            the rules' default; empty sends nobody.
        received_at_ms: When the call was received; None is now.
    """

    location: Location
    category: str
    priority: int
    description: str = ""
    source: str = "110"
    occurred_at_ms: UnixMs | None = None
    reported_at_ms: UnixMs | None = None
    received_at_ms: UnixMs | None = None
    required: Mapping[str, int] | None = None
    mode: DispatchMode = DispatchMode.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommend:
    """Who would go? Changes nothing. `k` candidates at most for each kind."""

    location: Location
    priority: int = 3
    required: Mapping[str, int] | None = None
    k: int | None = None
    incident_id: IncidentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendIncident:
    """Change what is known of an incident; None leaves a field as it is."""

    incident_id: IncidentId
    location: Location | None = None
    category: str | None = None
    priority: int | None = None
    description: str | None = None
    required: Mapping[str, int] | None = None
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignUnit:
    """Send this unit, or the next best one (`unit_id` None)."""

    incident_id: IncidentId
    unit_id: UnitId | None = None
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident:
    """Close it; refused while a unit is bound to it unless `release_units`."""

    incident_id: IncidentId
    reason: str = ""
    release_units: bool = False
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIncident:
    """Cancel it; units on their way are called back."""

    incident_id: IncidentId
    reason: str = ""
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIncident:
    """Bring a closed, cancelled or merged incident back (needs `Context.closed`)."""

    incident_id: IncidentId
    reason: str = ""
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgeIncident:
    """Urge that it go faster (催促)."""

    incident_id: IncidentId
    text: str = ""
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeIncident:
    """It is the same event as another: its units are let go, it ends as `merged`."""

    incident_id: IncidentId
    into: IncidentId
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Add a remark; the author is the context's actor."""

    incident_id: IncidentId
    text: str
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StampAssignment:
    """A crew's step. On an incident that is closed it needs `Context.closed`."""

    assignment_id: AssignmentId
    stamp: Stamp
    at_ms: UnixMs | None = None
    device_seq: int | None = None
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineAssignment:
    """A crew cannot go. On an incident that is closed it needs `Context.closed`."""

    assignment_id: AssignmentId
    reason: str
    at_ms: UnixMs | None = None
    device_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectStamp:
    """A step's time was wrong; the first one is kept beside the new one."""

    assignment_id: AssignmentId
    stamp: Stamp
    at_ms: UnixMs
    reason: str
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUnitStatus:
    """A unit says what it does: standby, patrolling, posted, returning or off_duty."""

    unit_id: UnitId
    status: UnitStatus
    at_ms: UnixMs | None = None
    device_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LendUnit:
    """Let a unit be sent in another area than its own; the area is known at the gate."""

    unit_id: UnitId
    area_id: str
    until_ms: UnixMs | None = None
    reason: str = ""
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLoan:
    """Give a lent unit back to its own area."""

    unit_id: UnitId
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRoad:
    """Shut roads; `arcs` are resolved at the gate. The shell asks `RecheckRoutes` afterwards."""

    arcs: tuple[int, ...]
    way_ids: tuple[int, ...] = ()
    geometry: tuple[tuple[float, float], ...] = ()
    is_area: bool | None = None
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()
    stretches: tuple[Stretch, ...] = ()
    direction: Direction = Direction.BOTH
    from_ms: UnixMs | None = None
    until_ms: UnixMs | None = None
    daily: tuple[DailyHours, ...] = ()
    emergency_exempt: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenRoad:
    """Lift a closure. The shell asks `RecheckRoutes` afterwards."""

    closure_id: ClosureId
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSpeedFactor:
    """Make roads slower or faster. The shell asks `RecheckRoutes` afterwards."""

    factor: float
    road_class: str | None = None
    area_id: str | None = None
    arcs: tuple[int, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    from_ms: UnixMs | None = None
    until_ms: UnixMs | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSpeedFactor:
    """Lift a speed factor. The shell asks `RecheckRoutes` afterwards."""

    factor_id: SpeedFactorId
    if_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTime:
    """What is due by now? Re-alerts, substitutes, overdue flags, expired closures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckRoutes:
    """Roads changed: find the ways of units on the road anew.

    Attributes:
        arcs: Arcs whose state changed; a way over one of them is always found anew. None where
            it is not known: then every way that became faster or slower is.
    """

    arcs: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForAlarms:
    """What is wrong now, and what is right again?

    Attributes:
        around: What the board does not know.
        limits: When it is wrong.
    """

    around: Surroundings
    limits: AlarmRules


Question: TypeAlias = (
    ReportIncident
    | Recommend
    | AmendIncident
    | AssignUnit
    | CloseIncident
    | CancelIncident
    | ReopenIncident
    | NudgeIncident
    | MergeIncident
    | AddNote
    | StampAssignment
    | DeclineAssignment
    | CorrectStamp
    | SetUnitStatus
    | LendUnit
    | EndLoan
    | CloseRoad
    | ReopenRoad
    | SetSpeedFactor
    | LiftSpeedFactor
    | PassTime
    | RecheckRoutes
    | LookForAlarms
)
