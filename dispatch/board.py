"""The board: all that is open now, as one immutable value.

It follows from the log alone (`dispatch.evolve.evolve`); closed incidents leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from dispatch.alarms import Alarm
from dispatch.resources import (
    Assignment,
    ClosedIncident,
    Closure,
    Incident,
    SpeedFactor,
    Stamped,
    UnitOnBoard,
)
from dispatch.words import (
    AssignmentId,
    ClosureId,
    DispatchMode,
    IncidentId,
    IncidentStatus,
    SpeedFactorId,
    UnitId,
    UnitStatus,
    UnixMs,
)
from platforms.city import City

__all__ = [
    "Assignment",
    "Board",
    "ClosedIncident",
    "Closure",
    "Incident",
    "SpeedFactor",
    "Stamped",
    "UnitOnBoard",
    "in_queue_order",
    "open_board",
    "queue",
    "queue_place",
    "time_left_s",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that is open now.

    Attributes:
        seq: The last event it contains, 0 before the first.
        units: Every unit of the city.
        incidents: Open incidents only.
        assignments: All assignments of open incidents, ended ones too.
        closures: Closures not lifted.
        speed_factors: Speed factors not lifted.
        incidents_made: Count of incidents so far, for the next id.
        assignments_made: Count of assignments so far.
        closures_made: Count of closures so far.
        factors_made: Count of speed factors so far.
        numbered_day: Day (UTC+8, yyyymmdd) of the last incident number.
        numbered: Count of incidents of that day.
        alarms: What is wrong now, by `alarm_id`. The last field: see `codec.board_hash`.
    """

    seq: int = 0
    units: Mapping[UnitId, UnitOnBoard] = field(default_factory=dict)
    incidents: Mapping[IncidentId, Incident] = field(default_factory=dict)
    assignments: Mapping[AssignmentId, Assignment] = field(default_factory=dict)
    closures: Mapping[ClosureId, Closure] = field(default_factory=dict)
    speed_factors: Mapping[SpeedFactorId, SpeedFactor] = field(default_factory=dict)
    incidents_made: int = 0
    assignments_made: int = 0
    closures_made: int = 0
    factors_made: int = 0
    numbered_day: str = ""
    numbered: int = 0
    alarms: Mapping[str, Alarm] = field(default_factory=dict)

    def assignments_of(self, incident: Incident) -> tuple[Assignment, ...]:
        """All assignments of an open incident, oldest first."""
        return tuple(self.assignments[key] for key in incident.assignment_ids)


def open_board(city: City) -> Board:
    """The board before the first event: the city's units, at their platforms."""
    return Board(
        units={
            UnitId(unit.unit_id): UnitOnBoard(
                unit_id=UnitId(unit.unit_id),
                call_sign=unit.call_sign,
                kind=unit.kind,
                platform_id=unit.platform_id,
                area_id=unit.area_id,
                status=UnitStatus.STANDBY if unit.on_duty else UnitStatus.OFF_DUTY,
                on_duty=unit.on_duty,
            )
            for unit in sorted(city.units, key=lambda unit: unit.unit_id)
        }
    )


def queue(board: Board, now_ms: UnixMs) -> tuple[Incident, ...]:
    """Incidents that wait for units, wholly or in part, most pressing first.

    Those in manual mode are among them (a dispatcher serves them); those whose scene report is in
    are not.
    """
    waiting = (
        incident
        for incident in board.incidents.values()
        if incident.unmet and incident.status is not IncidentStatus.FED_BACK
    )
    return in_queue_order(waiting, now_ms)


def served_by_itself(incident: Incident) -> bool:
    """True where the service sends units without being asked."""
    return incident.mode is DispatchMode.AUTO


def in_queue_order(incidents: Iterable[Incident], now_ms: UnixMs) -> tuple[Incident, ...]:
    """By priority, then least time left to the target, then id; no target comes last.

    Before its first order an incident's time runs from the call, whatever the clock.
    """
    return tuple(sorted(incidents, key=lambda one: queue_place(one, now_ms)))


def queue_place(incident: Incident, now_ms: UnixMs) -> tuple[int, float, str]:
    """Where it stands in the queue's order; smaller is more pressing."""
    return incident.priority, time_left_s(incident, now_ms), incident.incident_id


def time_left_s(incident: Incident, now_ms: UnixMs) -> float:
    """Seconds left to the target, negative when it is past, infinite without one."""
    if incident.location.target_s is None:
        return inf
    deadline_ms = incident.deadline_ms
    if deadline_ms is None:
        deadline_ms = UnixMs(incident.received_at_ms + incident.location.target_s * 1000)
    return (deadline_ms - now_ms) / 1000
