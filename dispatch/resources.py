"""The things that the board holds: incidents, assignments, units, closures, speed factors.

All are immutable; an event makes a new one with `version` one higher. What the board derives
(status, first stamps, deadline) is computed in one place, `dispatch.derived`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dispatch.changed import quickly_made
from dispatch.facts import (
    DailyHours,
    Feedback,
    LateStep,
    Loan,
    Location,
    Note,
    Recommendation,
    Stretch,
)
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    ChosenBy,
    Clock,
    ClosureId,
    Direction,
    DispatchMode,
    IncidentId,
    IncidentStatus,
    Overdue,
    SpeedFactorId,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)
from platforms.categories import UnitKind


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """One step of an assignment, written once; a correction stands beside it.

    Attributes:
        first_at_ms: When it happened, as first recorded.
        recorded_at_ms: When the service recorded it.
        device_seq: The device's own count, None without one.
        inferred: True where a later step implied it.
        corrected_at_ms: The corrected time; None where the first one stands.
    """

    first_at_ms: UnixMs
    recorded_at_ms: UnixMs
    device_seq: int | None = None
    inferred: bool = False
    corrected_at_ms: UnixMs | None = None

    @property
    def at_ms(self) -> UnixMs:
        """When it happened, as now believed."""
        return self.first_at_ms if self.corrected_at_ms is None else self.corrected_at_ms


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A dispatch order (派警单): one unit sent to one incident.

    Attributes:
        assignment_id: As "A000001".
        incident_id: Where it goes.
        unit_id: Who goes.
        version: Grows by one with each event.
        state: Where it stands.
        by: What led to it.
        fills: Key of the incident's `required` that it serves.
        replaces: The unanswered assignment that it stands in for, or None.
        dispatched_at_ms: When the order was given.
        dispatched_recorded_ms: When that was recorded.
        travel_s: Seconds on the road; None where no open road leads there any more.
        turnout_s: Seconds until it rolls.
        eta_s: Seconds from the last weighing to arrival; None where there is no way.
        eta_at_ms: When it should arrive; None where there is no way.
        distance_m: Metres by road; None where there is no way.
        target_s: The promise; None outside the city.
        deadline_ms: When the promise ends, by the incident's clock; None without a target.
        margin_s: deadline minus expected arrival; negative is late; None without either.
        on_target_predicted: Whether it should keep the promise; None without a target.
        on_target: Whether it kept the promise; None until it arrived.
        arcs: The arcs of its way, in the numbering of `road_version`.
        start_offset_m: Where on the first arc it stood.
        end_offset_m: Where on the last arc the incident is.
        road_version: Network on which the way was found.
        conditions_version: State of closures and speeds then.
        stamps: Its steps, each written once.
        late_stamps: Steps that came too late to count and are in the log only.
        feedback: The scene report, None until given.
        realerted: True once the crew was alerted again.
        substitute_sought: True once it went unanswered for too long: it serves no more until acked.
        overdue: Bands that it outran, in the order of their flags.
        ended_at_ms: When it ended, None while active.
        ended_reason: Why it ended, "" while active.
    """

    assignment_id: AssignmentId
    incident_id: IncidentId
    unit_id: UnitId
    version: int = 1
    state: AssignmentState = AssignmentState.DISPATCHED
    by: ChosenBy
    fills: str
    replaces: AssignmentId | None = None
    dispatched_at_ms: UnixMs
    dispatched_recorded_ms: UnixMs
    travel_s: float | None
    turnout_s: float
    eta_s: float | None
    eta_at_ms: UnixMs | None
    distance_m: float | None
    target_s: int | None
    deadline_ms: UnixMs | None
    margin_s: float | None
    on_target_predicted: bool | None
    on_target: bool | None = None
    arcs: tuple[int, ...]
    start_offset_m: float
    end_offset_m: float
    road_version: str
    conditions_version: int
    stamps: Mapping[Stamp, Stamped] = field(default_factory=dict)
    late_stamps: tuple[Stamp, ...] = ()
    feedback: Feedback | None = None
    realerted: bool = False
    substitute_sought: bool = False
    overdue: tuple[Overdue, ...] = ()
    ended_at_ms: UnixMs | None = None
    ended_reason: str = ""

    def stamp_ms(self, stamp: Stamp) -> UnixMs | None:
        """When the step happened, None where it has not."""
        stamped = self.stamps.get(stamp)
        return None if stamped is None else stamped.at_ms

    @property
    def is_serving(self) -> bool:
        """True where it fills its place: answered in time, or done; not unanswered or ended."""
        if self.state is AssignmentState.DISPATCHED:
            return not self.substitute_sought
        return self.state.is_active or self.state is AssignmentState.CLEARED


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident (警情) and what the board derives for it.

    Attributes:
        incident_id: As "I000001".
        incident_no: As "JQ2026010100001": day in UTC+8 and count of the day.
        version: Grows by one with each event that touches it, its assignments' too.
        status: Derived from its assignments until it ends.
        location: Where it is.
        category_initial: As called in.
        category_final: As found on scene, None until then.
        priority: 1 (most urgent) to 4.
        description: In the caller's words.
        source: `110`, `platform`, `patrol`, `app`.
        valid: False for nuisance calls; None until the scene report says.
        mode: Whether the service sends units itself.
        required: Units wanted by kind; "any" is a response car or a motorcycle.
        unmet: Those of them that nobody serves now, derived; empty where all are served.
        clock: When its promise starts to count.
        occurred_at_ms: When it happened, None where not known.
        reported_at_ms: When it was reported, None where not known.
        received_at_ms: When the call was received.
        received_recorded_ms: When that was recorded.
        dispatched_at_ms: First order given, derived; None before.
        acked_at_ms: First crew that signed for it, derived.
        departed_at_ms: First crew that departed, derived.
        arrived_at_ms: First crew on scene, derived.
        feedback_at_ms: First scene report, derived.
        closed_at_ms: When it was closed, cancelled or merged; None while open.
        closed_recorded_ms: When that was recorded.
        closed_reason: Why, "" while open.
        target_missed: True once the deadline passed with nobody recorded on scene.
        on_target: Whether the promise was kept; None until arrival or deadline.
        overdue: Bands that it outran, in the order of their flags.
        assignment_ids: All its assignments, oldest first.
        earlier_assignments: How many of those ended before it was reopened.
        not_again: Units that declined or did not answer, not asked again by the service.
        linked_to: The incident it was merged into, or None.
        duplicates: Incidents merged into this one.
        notes: Remarks, oldest first.
        nudges: How often it was urged (催促).
        nudged_at_ms: When last, None where never.
        recommendation: The last receipt, None before the first.
        reopened_at_ms: When it was last reopened; None where never, or by a version that did not
            note it.
    """

    incident_id: IncidentId
    incident_no: str
    version: int = 1
    status: IncidentStatus = IncidentStatus.PENDING
    location: Location
    category_initial: str
    category_final: str | None = None
    priority: int
    description: str = ""
    source: str = "110"
    valid: bool | None = None
    mode: DispatchMode
    required: Mapping[str, int]
    unmet: Mapping[str, int]
    clock: Clock
    occurred_at_ms: UnixMs | None = None
    reported_at_ms: UnixMs | None = None
    received_at_ms: UnixMs
    received_recorded_ms: UnixMs
    dispatched_at_ms: UnixMs | None = None
    acked_at_ms: UnixMs | None = None
    departed_at_ms: UnixMs | None = None
    arrived_at_ms: UnixMs | None = None
    feedback_at_ms: UnixMs | None = None
    closed_at_ms: UnixMs | None = None
    closed_recorded_ms: UnixMs | None = None
    closed_reason: str = ""
    target_missed: bool = False
    on_target: bool | None = None
    overdue: tuple[Overdue, ...] = ()
    assignment_ids: tuple[AssignmentId, ...] = ()
    earlier_assignments: int = 0
    not_again: tuple[UnitId, ...] = ()
    linked_to: IncidentId | None = None
    duplicates: tuple[IncidentId, ...] = ()
    notes: tuple[Note, ...] = ()
    nudges: int = 0
    nudged_at_ms: UnixMs | None = None
    recommendation: Recommendation | None = None
    reopened_at_ms: UnixMs | None = None

    @property
    def deadline_ms(self) -> UnixMs | None:
        """When police must be seen; None without a target or before the clock starts."""
        return self.deadline_from(self.dispatched_at_ms)

    def deadline_from(self, dispatched_at_ms: UnixMs | None) -> UnixMs | None:
        """When police must be seen if the first order was given then."""
        start_ms = self.received_at_ms if self.clock is Clock.RECEIVED else dispatched_at_ms
        if start_ms is None or self.location.target_s is None:
            return None
        return UnixMs(start_ms + self.location.target_s * 1000)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOnBoard:
    """A unit (警力) as the dispatcher sees it; its position is not a fact of the log.

    Attributes:
        unit_id: As "P01-C1".
        call_sign: As "北塔1号-车1".
        kind: What it drives.
        platform_id: Its platform.
        area_id: The area it is sent within: its own, or the one it is lent to.
        status: What it does; `offline` is never stored.
        status_at_ms: Device time of the last status it set; None before the first.
        on_duty: Whether it has a crew.
        assignment_id: What it is bound by, None while free.
        loan: Set while it serves another area than its own.
        version: Grows by one with each event that touches it.
    """

    unit_id: UnitId
    call_sign: str
    kind: UnitKind
    platform_id: str
    area_id: str
    status: UnitStatus = UnitStatus.STANDBY
    status_at_ms: UnixMs | None = None
    on_duty: bool = True
    assignment_id: AssignmentId | None = None
    loan: Loan | None = None
    version: int = 1

    @property
    def is_free(self) -> bool:
        """True where it can be sent: on duty and bound to nothing."""
        return self.on_duty and self.assignment_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A road that is shut.

    Attributes:
        closure_id: As "C000001".
        version: Always 1: a closure is lifted and set again, never changed.
        arcs: Arcs shut, in the numbering of `road_version`, resolved at the gate.
        way_ids: Ways of the source that are shut, as asked for.
        geometry: Line or ring (lon, lat) that was asked for; empty where ways or edges were given.
        is_area: True where `geometry` is the outline of an area, False where it is a line; None in
            old logs, where a closed one is an outline.
        holes: Rings (lon, lat) that the area leaves out.
        stretches: How its roads lay, where ways or edges were given; empty in old logs.
        direction: Which way is shut.
        from_ms: When it begins.
        until_ms: When it ends by itself; None until lifted.
        daily: Hours of the day when it holds between the two; empty is all day.
        emergency_exempt: True where units on a call may still pass.
        reason: For people.
        road_version: Network to which `arcs` belong.
    """

    closure_id: ClosureId
    version: int = 1
    arcs: tuple[int, ...]
    way_ids: tuple[int, ...] = ()
    geometry: tuple[tuple[float, float], ...] = ()
    is_area: bool | None = None
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()
    stretches: tuple[Stretch, ...] = ()
    direction: Direction = Direction.BOTH
    from_ms: UnixMs
    until_ms: UnixMs | None = None
    daily: tuple[DailyHours, ...] = ()
    emergency_exempt: bool = False
    reason: str = ""
    road_version: str

    @property
    def encloses(self) -> bool:
        """True where `geometry` is the outline of an area, not a line."""
        if self.is_area is not None:
            return self.is_area
        return len(self.geometry) > 3 and self.geometry[0] == self.geometry[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactor:
    """Roads that are slower or faster than usual.

    Attributes:
        factor_id: As "F000001".
        version: Always 1: a factor is lifted and set again, never changed.
        factor: Speed is multiplied by it: 0.5 is half as fast.
        road_class: Class of roads; None where arcs are given or all roads are meant.
        area_id: Area whose roads are meant, None for all.
        arcs: Arcs meant, in the numbering of `road_version`; empty for a whole class or area.
        stretches: How the roads of `arcs` lay; empty in old logs.
        from_ms: When it begins.
        until_ms: When it ends by itself; None until lifted.
        reason: For people.
        road_version: Network to which `arcs` belong.
    """

    factor_id: SpeedFactorId
    version: int = 1
    factor: float
    road_class: str | None = None
    area_id: str | None = None
    arcs: tuple[int, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    from_ms: UnixMs
    until_ms: UnixMs | None = None
    reason: str = ""
    road_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedIncident:
    """An incident that left the board, with all its assignments, as history keeps it.

    Attributes:
        incident: As it ended.
        assignments: As they ended, oldest first.
        late_steps: What came after that, each once.
    """

    incident: Incident
    assignments: tuple[Assignment, ...]
    late_steps: tuple[LateStep, ...] = ()


Resource: TypeAlias = Incident | Assignment | UnitOnBoard | Closure | SpeedFactor
"""Anything with a version."""
