"""Finds the incident in history that a question is about, when the board does not have it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from dispatch.board import Board
from dispatch.questions import (
    AddNote,
    AmendIncident,
    AssignUnit,
    CancelIncident,
    CloseIncident,
    CorrectStamp,
    DeclineAssignment,
    MergeIncident,
    NudgeIncident,
    Question,
    ReopenIncident,
    StampAssignment,
)
from dispatch.resources import ClosedIncident
from dispatch.store.history import History
from dispatch.words import AssignmentId, IncidentId

OF_AN_INCIDENT = (
    AddNote
    | AmendIncident
    | AssignUnit
    | CancelIncident
    | CloseIncident
    | MergeIncident
    | NudgeIncident
    | ReopenIncident
)
OF_AN_ASSIGNMENT = StampAssignment | DeclineAssignment | CorrectStamp

LATELY_CLOSED = 1_000
"""Closed incidents kept in memory: more than ever wait for one commit."""


class ClosedContext:
    """Closed incidents for decisions: from the store, and those whose commit is still under way."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lately: OrderedDict[IncidentId, ClosedIncident] = OrderedDict()
        self._of_assignment: dict[AssignmentId, IncidentId] = {}

    def note(self, closed: Iterable[ClosedIncident]) -> None:
        """Remember what a decision has just closed."""
        for one in closed:
            self._lately[one.incident.incident_id] = one
            self._lately.move_to_end(one.incident.incident_id)
            for assignment in one.assignments:
                self._of_assignment[assignment.assignment_id] = one.incident.incident_id
        while len(self._lately) > LATELY_CLOSED:
            _, gone = self._lately.popitem(last=False)
            for assignment in gone.assignments:
                self._of_assignment.pop(assignment.assignment_id, None)

    def forget(self) -> None:
        """Drop what is remembered: the decisions that closed it have been taken back."""
        self._lately.clear()
        self._of_assignment.clear()

    async def of(self, question: Question, board: Board) -> ClosedIncident | None:
        """The closed incident that a question needs; None where the board has it, or nobody.

        A merge is about two: the one that is to end, and where the board has that one, the other.
        """
        if isinstance(question, MergeIncident) and question.incident_id in board.incidents:
            return await self._incident(question.into, board)
        if isinstance(question, OF_AN_INCIDENT):
            return await self._incident(question.incident_id, board)
        if isinstance(question, OF_AN_ASSIGNMENT):
            return await self._of(question.assignment_id, board)
        return None

    async def _incident(self, incident_id: IncidentId, board: Board) -> ClosedIncident | None:
        if incident_id in board.incidents:
            return None
        lately = self._lately.get(incident_id)
        return lately if lately is not None else await self._history.incident(incident_id)

    async def _of(self, assignment_id: AssignmentId, board: Board) -> ClosedIncident | None:
        if assignment_id in board.assignments:
            return None
        incident_id = self._of_assignment.get(assignment_id)
        if incident_id is not None:
            return self._lately[incident_id]
        return await self._history.of_assignment(assignment_id)
