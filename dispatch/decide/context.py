"""What a decision is given beside board and question, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.board import Board
from dispatch.changed import quickly_made
from dispatch.events import Event, Recorded
from dispatch.facts import Recommendation
from dispatch.resources import (
    Assignment,
    ClosedIncident,
    Closure,
    Incident,
    SpeedFactor,
    UnitOnBoard,
)
from dispatch.road_times import RoadTimes
from dispatch.rules import Rules
from dispatch.words import UnixMs


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts that a decision may look at.

    Attributes:
        now_ms: The service's time; events are recorded with it.
        rules: Settings of the core.
        roads: Exact road seconds from where units are now.
        actor: Who asks: a token's id, or "system".
        closed: The incident in history that the question is about, with its assignments; needed by
            ReopenIncident, StampAssignment and DeclineAssignment when the board does not have it,
            and by MergeIncident when the board does not have the one that is to go on.
    """

    now_ms: UnixMs
    rules: Rules
    roads: RoadTimes
    actor: str = "system"
    closed: ClosedIncident | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What came of a question.

    Attributes:
        recorded: The events in their envelopes, seq following the board's; empty where nothing
            changed.
        board: The board after them: exactly what replaying `recorded` gives.
        closed: Incidents that left the board, or of which more was learnt after it, for history.
        incident: The incident concerned as it is now, also when it has left the board.
        assignments: The assignments that this decision made for that incident.
        assignment: The assignment concerned as it is now.
        unit: The unit concerned as it is now.
        closure: The closure concerned.
        speed_factor: The speed factor concerned.
        recommendation: What was weighed for the incident concerned.
        applied: False where a step or status came too late, or again, and changed nothing.
    """

    recorded: tuple[Recorded, ...]
    board: Board
    closed: tuple[ClosedIncident, ...] = ()
    incident: Incident | None = None
    assignments: tuple[Assignment, ...] = ()
    assignment: Assignment | None = None
    unit: UnitOnBoard | None = None
    closure: Closure | None = None
    speed_factor: SpeedFactor | None = None
    recommendation: Recommendation | None = None
    applied: bool = True

    @property
    def events(self) -> tuple[Event, ...]:
        """The events without their envelopes."""
        return tuple(recorded.event for recorded in self.recorded)
