"""A small town with real shortest paths, for the dispatcher's tests.

Streets form a square grid, 100 m between crossings; a crossing `(x, y)` stands at lon x/1000,
lat y/1000. Units stand at crossings; an arc is one block in one direction. A closed arc cannot be
used; as nobody stands on one here, a story says itself what is closed at the `ends` of ways.
Nothing is mocked: every way is found by Dijkstra's algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from dispatch.board import Board, UnitOnBoard
from dispatch.decide import Context, Decision, decide
from dispatch.events import Event, Recorded
from dispatch.evolve import evolve
from dispatch.facts import Location, RoadState
from dispatch.questions import MergeIncident, Question, ReportIncident
from dispatch.resources import Assignment, ClosedIncident, Incident
from dispatch.road_times import ClosedStretch, Reach
from dispatch.rules import Rules
from dispatch.words import AssignmentId, IncidentId, UnitId, UnitStatus, UnixMs
from platforms.categories import UnitKind

BLOCK_M = 100.0
BLOCK_S = 10.0
T0 = UnixMs(1_767_225_600_000)
"""2026-01-01T00:00:00Z, 08:00 in Shaoyang."""

Crossing = tuple[int, int]


@dataclass
class ToyRoads:
    """Implements `RoadTimes` on the grid."""

    size: int = 12
    stands: dict[UnitId, Crossing] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    slow: dict[int, float] = field(default_factory=dict)
    ends: tuple[ClosedStretch | None, ClosedStretch | None] = (None, None)
    conditions_version: int = 0

    @property
    def road_state(self) -> RoadState:
        return RoadState(road_version="toy", conditions_version=self.conditions_version)

    def arc(self, start: Crossing, end: Crossing) -> int:
        direction = [(1, 0), (0, 1), (-1, 0), (0, -1)].index((end[0] - start[0], end[1] - start[1]))
        return (start[1] * self.size + start[0]) * 4 + direction

    def shut(self, start: Crossing, end: Crossing) -> tuple[int, int]:
        """Shuts a block in both directions."""
        arcs = (self.arc(start, end), self.arc(end, start))
        self.closed.update(arcs)
        self.conditions_version += 1
        return arcs

    def nearest(
        self, location: Location, turnout_s: Mapping[UnitId, float], *, k: int
    ) -> list[Reach]:
        ways = self._ways_to(crossing_of(location))
        reaches = [
            reach
            for unit_id in turnout_s
            if (reach := self._reach(unit_id, location, ways)) is not None
        ]
        reaches.sort(key=lambda one: (turnout_s[one.unit_id] + one.travel_s, one.unit_id))
        return reaches[:k]

    def travel(self, unit_id: UnitId, location: Location) -> Reach | None:
        return self._reach(unit_id, location, self._ways_to(crossing_of(location)))

    def _reach(
        self, unit_id: UnitId, location: Location, ways: Mapping[Crossing, tuple[float, int]]
    ) -> Reach | None:
        here = self.stands[unit_id]
        if here not in ways:
            return None
        there = crossing_of(location)
        seconds, arcs, at = ways[here][0], [], here
        while at != there:
            arc = ways[at][1]
            arcs.append(arc)
            step = [(1, 0), (0, 1), (-1, 0), (0, -1)][arc % 4]
            at = (at[0] + step[0], at[1] + step[1])
        straight = ((here[0] - there[0]) ** 2 + (here[1] - there[1]) ** 2) ** 0.5
        return Reach(
            unit_id=unit_id,
            travel_s=seconds,
            distance_m=len(arcs) * BLOCK_M,
            straight_line_m=straight * BLOCK_M,
            position_age_s=0.0,
            arcs=tuple(arcs),
            closed_first=self.ends[0],
            closed_last=self.ends[1],
        )

    def _ways_to(self, there: Crossing) -> dict[Crossing, tuple[float, int]]:
        """From every crossing that can reach `there`: its seconds and its first arc."""
        best: dict[Crossing, tuple[float, int]] = {}
        heap: list[tuple[float, Crossing, int]] = [(0.0, there, -1)]
        while heap:
            seconds, at, arc = heappop(heap)
            if at in best:
                continue
            best[at] = (seconds, arc)
            for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
                before = (at[0] + dx, at[1] + dy)
                if min(before) < 0 or max(before) >= self.size or before in best:
                    continue
                towards = self.arc(before, at)
                if towards not in self.closed:
                    cost = BLOCK_S * self.slow.get(towards, 1.0)
                    heappush(heap, (seconds + cost, before, towards))
        return best


def crossing_of(location: Location) -> Crossing:
    return round(location.lon * 1000), round(location.lat * 1000)


def place(x: int, y: int, *, target_s: int | None = 180, area_id: str | None = "city") -> Location:
    """A place at a crossing of the toy town."""
    return Location(
        lon=x / 1000,
        lat=y / 1000,
        given_lon=x / 1000,
        given_lat=y / 1000,
        snapped_lon=x / 1000,
        snapped_lat=y / 1000,
        zone_class="outside" if target_s is None else "core",
        target_s=target_s,
        platform_id="P01",
        area_id=area_id,
    )


def call(
    x: int, y: int, *, priority: int = 2, target_s: int | None = 180, **more: object
) -> ReportIncident:
    """A call from a crossing."""
    area_id = more.pop("area_id", "city")
    return ReportIncident(
        location=place(x, y, target_s=target_s, area_id=area_id),  # type: ignore[arg-type]
        category="help",
        priority=priority,
        **more,  # type: ignore[arg-type]
    )


@dataclass
class Town:
    """A story's stage: a board, roads, a clock, and every event so far."""

    rules: Rules = field(default_factory=Rules)
    roads: ToyRoads = field(default_factory=ToyRoads)
    now_ms: UnixMs = T0
    board: Board = field(default_factory=Board)
    log: list[Recorded] = field(default_factory=list)
    history: dict[IncidentId, ClosedIncident] = field(default_factory=dict)
    first_board: Board = field(default_factory=Board)

    def with_unit(
        self,
        unit_id: str,
        at: Crossing,
        *,
        kind: UnitKind = UnitKind.RESPONSE_CAR,
        status: UnitStatus = UnitStatus.PATROLLING,
        area_id: str = "city",
    ) -> Town:
        """Adds a unit before the story begins."""
        unit = UnitOnBoard(
            unit_id=UnitId(unit_id),
            call_sign=f"{unit_id}号",
            kind=kind,
            platform_id="P01",
            area_id=area_id,
            status=status,
            on_duty=status is not UnitStatus.OFF_DUTY,
        )
        units = {**self.board.units, unit.unit_id: unit}
        self.board = self.first_board = Board(units=dict(sorted(units.items())))
        self.roads.stands[unit.unit_id] = at
        return self

    def ask(self, question: Question, *, after_s: float = 0.0, actor: str = "test") -> Decision:
        """Asks after some seconds; the town goes on from what came of it."""
        self.now_ms = UnixMs(self.now_ms + round(after_s * 1000))
        decision = decide(self.board, question, self.context(question, actor=actor))
        for recorded in decision.recorded:
            self.log.append(recorded)
        for closed in decision.closed:
            self.history[closed.incident.incident_id] = closed
        for incident_id in decision.board.incidents:
            self.history.pop(incident_id, None)
        self.board = decision.board
        return decision

    def context(self, question: Question, *, actor: str = "test") -> Context:
        return Context(
            now_ms=self.now_ms,
            rules=self.rules,
            roads=self.roads,
            actor=actor,
            closed=self._closed_for(question),
        )

    def _closed_for(self, question: Question) -> ClosedIncident | None:
        incident_id = getattr(question, "incident_id", None)
        if isinstance(question, MergeIncident) and incident_id in self.board.incidents:
            incident_id = question.into
        assignment_id = getattr(question, "assignment_id", None)
        for closed in self.history.values():
            if closed.incident.incident_id == incident_id:
                return closed
            if any(one.assignment_id == assignment_id for one in closed.assignments):
                return closed
        return None

    def incident(self, number: int = 1) -> Incident:
        return self.board.incidents[IncidentId(f"I{number:06d}")]

    def assignment(self, number: int = 1) -> Assignment:
        return self.board.assignments[AssignmentId(f"A{number:06d}")]

    def unit(self, unit_id: str) -> UnitOnBoard:
        return self.board.units[UnitId(unit_id)]

    def replayed(self) -> Board:
        """The board as it follows from the log alone."""
        board = self.first_board
        for recorded in self.log:
            board = evolve(board, recorded)
        return board


def kinds(events: tuple[Event, ...]) -> list[str]:
    """The names of the events, in order."""
    return [type(event).__name__ for event in events]
