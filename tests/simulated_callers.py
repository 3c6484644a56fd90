"""Dispatchers and crews of a simulation: each asks again, with its key, until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dispatch.board import Board
from dispatch.questions import (
    AddNote,
    AssignUnit,
    CloseIncident,
    DeclineAssignment,
    Question,
    ReopenIncident,
    SetUnitStatus,
    StampAssignment,
)
from dispatch.words import AssignmentId, IncidentId, Stamp, UnitStatus
from tests.simulated_network import Network
from tests.simulated_worker import Answer, Request, Worker
from tests.toy_town import call

OPEN_MAX = 5
"""Open incidents above which a dispatcher rather closes one: a large board only takes time."""


class Caller:
    """Asks one thing after the other, at whichever worker.

    Attributes:
        heard: All that it was told, also again and late: what was asked, and the answer.
        keeps_key: False plants the defect that each repetition comes with a key of its own.
    """

    def __init__(
        self, name: str, network: Network, workers: list[Worker], may_begin: Callable[[], bool]
    ) -> None:
        self.name = name
        self.heard: list[tuple[str, Answer]] = []
        self.keeps_key = True
        self._network, self._workers, self._may_begin = network, workers, may_begin
        self._asked = self._tries = 0
        self.waits_for = ""

    def begin(self) -> None:
        """Asks the next thing, unless enough was asked."""
        if not self._may_begin():
            return
        self._asked += 1
        self.waits_for = f"{self.name}-{self._asked}"
        board = self._network.chance.choice(self._workers).durable
        question = self._crew(board) if self.name.startswith("crew") else self._dispatcher(board)
        self._network.note(self.waits_for, "asks", question)
        self._ask(self.waits_for, question)

    def _ask(self, name: str, question: Question) -> None:
        if self.waits_for != name:
            return
        self._tries += 1
        request = Request(name, name if self.keeps_key else f"{name}/{self._tries}", question)
        worker = self._network.chance.choice(self._workers)
        back = partial(self._network.send, worker.name, self.name, self._hear, name)
        self._network.send(self.name, worker.name, worker.ask, request, back)
        self._network.at(self._network.chance.randint(600, 2_500), self._ask, name, question)

    def _hear(self, name: str, answer: Answer) -> None:
        if answer.kind == "not_now":
            return
        self._network.note(name, "is told", answer.kind, answer.body)
        self.heard.append((name, answer))
        if self.waits_for == name:
            self.waits_for = ""
            self._network.at(self._network.chance.randint(1, 600), self.begin)

    def _dispatcher(self, board: Board) -> Question:
        chance = self._network.chance
        draw = chance.random()
        if draw < 0.04 and board.incidents_made:
            number = chance.randint(1, board.incidents_made)
            return ReopenIncident(incident_id=IncidentId(f"I{number:06d}"))
        if not board.incidents or (draw < 0.45 and len(board.incidents) < OPEN_MAX):
            at = chance.randrange(4), chance.randrange(4)
            return call(*at, priority=chance.randint(1, 4), required={"any": chance.randint(0, 2)})
        incident_id = chance.choice(list(board.incidents))
        if draw < 0.65:
            unit_id = chance.choice([None, *board.units])
            return AssignUnit(incident_id=incident_id, unit_id=unit_id)
        if draw < 0.75:
            return AddNote(incident_id=incident_id, text="synthetic")
        return CloseIncident(incident_id=incident_id, release_units=chance.random() < 0.7)

    def _crew(self, board: Board) -> Question:
        chance = self._network.chance
        draw = chance.random()
        if draw < 0.15 or not board.assignments_made:
            unit_id = chance.choice(list(board.units))
            status = chance.choice([UnitStatus.STANDBY, UnitStatus.PATROLLING])
            return SetUnitStatus(unit_id=unit_id, status=status)
        bound = [unit.assignment_id for unit in board.units.values() if unit.assignment_id]
        number = chance.randint(1, board.assignments_made)
        # Sometimes of an order that is long over: a tap that was made offline.
        any_of_all = AssignmentId(f"A{number:06d}")
        assignment_id = chance.choice(bound) if bound and draw < 0.9 else any_of_all
        if draw < 0.3:
            return DeclineAssignment(assignment_id=assignment_id, reason="synthetic")
        return StampAssignment(assignment_id=assignment_id, stamp=chance.choice(list(Stamp)))
