"""The board as it becomes while a decision is made: each event is applied as it is recorded."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from dispatch.board import Board
from dispatch.decide.context import Context, Decision
from dispatch.errors import (
    AssignmentUnknown,
    IncidentUnknown,
    StateConflict,
    UnitUnknown,
    VersionStale,
)
from dispatch.events import Event, Recorded
from dispatch.evolve import evolve
from dispatch.evolve.incidents import closed_by
from dispatch.facts import Recommendation
from dispatch.resources import (
    Assignment,
    ClosedIncident,
    Closure,
    Incident,
    Resource,
    SpeedFactor,
    UnitOnBoard,
)
from dispatch.words import AssignmentId, ClosureId, IncidentId, SpeedFactorId, UnitId, UnixMs

CHINA_AHEAD_MS = 8 * 3_600_000
"""Incident numbers count by the day of Asia/Shanghai, which has had no summer time since 1991."""

DAY_MS = 24 * 3_600_000


class Draft:
    """Events so far, and the board that follows from them.

    Attributes:
        board: The board after the events so far.
        context: What the decision was given.
        recommendation: The last receipt for the incident concerned.
        applied: False once a step or status proves to change nothing.
    """

    __slots__ = (
        "_before",
        "_closed",
        "_recorded",
        "applied",
        "board",
        "context",
        "recommendation",
    )

    def __init__(self, board: Board, context: Context) -> None:
        self._before = board
        self._recorded: list[Recorded] = []
        self._closed: list[ClosedIncident] = []
        self.board = board
        self.context = context
        self.recommendation: Recommendation | None = None
        self.applied = True

    @property
    def now_ms(self) -> UnixMs:
        """The service's time."""
        return self.context.now_ms

    def record(self, event: Event) -> None:
        """Puts the event into the log to be and applies it to the board."""
        recorded = Recorded(
            seq=self.board.seq + 1,
            recorded_at_ms=self.context.now_ms,
            actor=self.context.actor,
            event=event,
        )
        closed = closed_by(self.board, recorded)
        if closed is not None:
            self._closed.append(closed)
        self.board = evolve(self.board, recorded)
        self._recorded.append(recorded)

    def remember(self, closed: ClosedIncident) -> None:
        """Keeps more of an incident that has ended: something came after its end."""
        self._closed.append(closed)

    def incident(self, incident_id: IncidentId, if_version: int | None = None) -> Incident:
        """An open incident.

        Raises:
            IncidentUnknown: No open incident has this id.
            StateConflict: It is closed.
            VersionStale: It is not at `if_version`.
        """
        incident = self.board.incidents.get(incident_id)
        if incident is None:
            closed = self.context.closed
            if closed is None or closed.incident.incident_id != incident_id:
                raise IncidentUnknown(incident_id)
            raise StateConflict(
                incident_id, state=closed.incident.status, why="reopen it before you change it"
            )
        check_version(incident_id, incident, if_version)
        return incident

    def assignment(self, assignment_id: AssignmentId) -> Assignment:
        """An assignment on the board, or as history has it.

        Raises:
            AssignmentUnknown: Neither board nor `context.closed` has it.
        """
        on_board = self.board.assignments.get(assignment_id)
        if on_board is not None:
            return on_board
        closed = self.context.closed
        for one in () if closed is None else closed.assignments:
            if one.assignment_id == assignment_id:
                return one
        raise AssignmentUnknown(assignment_id)

    def is_on_board(self, assignment: Assignment) -> bool:
        """False where its incident has left the board."""
        return assignment.assignment_id in self.board.assignments

    def unit(self, unit_id: UnitId) -> UnitOnBoard:
        """A unit.

        Raises:
            UnitUnknown: The city has none of this id.
        """
        unit = self.board.units.get(unit_id)
        if unit is None:
            raise UnitUnknown(unit_id)
        return unit

    def next_incident_id(self) -> IncidentId:
        """The id of the next incident."""
        return IncidentId(f"I{self.board.incidents_made + 1:06d}")

    def next_incident_no(self) -> str:
        """The number of the next incident: day and count; a clock set back keeps the later day."""
        today = _written_day((self.now_ms + CHINA_AHEAD_MS) // DAY_MS)
        day = max(today, self.board.numbered_day)
        count = self.board.numbered + 1 if day == self.board.numbered_day else 1
        return f"JQ{day}{count:05d}"

    def next_assignment_id(self) -> AssignmentId:
        """The id of the next assignment."""
        return AssignmentId(f"A{self.board.assignments_made + 1:06d}")

    def next_closure_id(self) -> ClosureId:
        """The id of the next closure."""
        return ClosureId(f"C{self.board.closures_made + 1:06d}")

    def next_factor_id(self) -> SpeedFactorId:
        """The id of the next speed factor."""
        return SpeedFactorId(f"F{self.board.factors_made + 1:06d}")

    def finish(
        self,
        *,
        incident_id: IncidentId | None = None,
        assignment: Assignment | None = None,
        unit_id: UnitId | None = None,
        closure: Closure | None = None,
        speed_factor: SpeedFactor | None = None,
    ) -> Decision:
        """The decision, with the things concerned as they are after it."""
        return Decision(
            recorded=tuple(self._recorded),
            board=self.board,
            closed=tuple(self._closed),
            incident=None if incident_id is None else self._incident_now(incident_id),
            assignments=() if incident_id is None else self._made_for(incident_id),
            assignment=assignment,
            unit=None if unit_id is None else self.board.units[unit_id],
            closure=closure,
            speed_factor=speed_factor,
            recommendation=self.recommendation,
            applied=self.applied,
        )

    def finish_assignment(self, assignment_id: AssignmentId) -> Decision:
        """The decision about an assignment, with its incident and unit."""
        assignment = self.assignment(assignment_id)
        return self.finish(
            incident_id=assignment.incident_id, assignment=assignment, unit_id=assignment.unit_id
        )

    def _incident_now(self, incident_id: IncidentId) -> Incident | None:
        if incident_id in self.board.incidents:
            return self.board.incidents[incident_id]
        known = (*self._closed, self.context.closed)
        return next(
            (one.incident for one in known if one and one.incident.incident_id == incident_id), None
        )

    def _made_for(self, incident_id: IncidentId) -> tuple[Assignment, ...]:
        incident = self.board.incidents.get(incident_id)
        if incident is None:
            return ()
        before = self._before.assignments
        known = (
            {one.assignment_id for one in self.context.closed.assignments}
            if (self.context.closed)
            else set()
        )
        return tuple(
            self.board.assignments[key]
            for key in incident.assignment_ids
            if key not in before and key not in known
        )


@lru_cache(maxsize=4)
def _written_day(since_1970: int) -> str:
    """A day as incident numbers write it, as "20260101"."""
    return f"{date(1970, 1, 1) + timedelta(days=since_1970):%Y%m%d}"


def check_version(resource_id: str, current: Resource, if_version: int | None) -> None:
    """Refuses a change by somebody who had read another version.

    Raises:
        VersionStale: The resource is not at `if_version`.
    """
    if if_version is not None and current.version != if_version:
        raise VersionStale(resource_id, given=if_version, current=current)
