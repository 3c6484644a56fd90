"""When a crew does not answer: another is sent, and whoever signs first goes.

An unanswered order and those sent in its stead are a chain. The first of them to be signed for
ends the others: earlier ones as timed out, later ones as released.
"""

from __future__ import annotations

from dispatch.board import Board, served_by_itself
from dispatch.decide.draft import Draft
from dispatch.decide.send import Order, send
from dispatch.events import AssignmentReleased, AssignmentTimedOut
from dispatch.resources import Assignment
from dispatch.rules import Rules
from dispatch.words import AssignmentId, AssignmentState, ChosenBy


def settle(draft: Draft, answered: Assignment) -> bool:
    """One of a chain was signed for: the others are let go. True where any was.

    Args:
        draft: The decision so far.
        answered: The assignment, as it was before it was signed for.
    """
    incident = draft.board.incidents[answered.incident_id]
    assignments = draft.board.assignments_of(incident)
    roots = roots_of(assignments)
    root = roots[answered.assignment_id]
    place = incident.assignment_ids.index(answered.assignment_id)
    freed = False
    for index, other in enumerate(assignments):
        if other.state is not AssignmentState.DISPATCHED or roots[other.assignment_id] != root:
            continue
        kind = AssignmentTimedOut if index < place else AssignmentReleased
        draft.record(
            kind(
                at_ms=draft.now_ms,
                assignment_id=other.assignment_id,
                incident_id=other.incident_id,
                unit_id=other.unit_id,
                reason=f"{answered.unit_id} signed for it first",
            )
        )
        freed = True
    return freed


def may_have_substitute(board: Board, silent: Assignment, rules: Rules) -> bool:
    """Whether one more unit may be sent for this unanswered order."""
    incident = board.incidents[silent.incident_id]
    if silent.substitute_sought or not served_by_itself(incident):
        return False
    if len(incident.assignment_ids) <= rules.substitutes_max:
        return True  # no chain of its orders can be too long
    roots = roots_of(board.assignments_of(incident))
    root = roots[silent.assignment_id]
    chain = sum(one == root for one in roots.values())
    return chain <= rules.substitutes_max


def send_substitute(draft: Draft, silent: Assignment) -> None:
    """Sends the next best in its stead; where nobody is free, the queue brings one later."""
    order = Order(by=ChosenBy.SUBSTITUTE, wanted={silent.fills: 1}, unanswered=silent.assignment_id)
    send(draft, draft.board.incidents[silent.incident_id], order)


def roots_of(assignments: tuple[Assignment, ...]) -> dict[AssignmentId, AssignmentId]:
    """For each assignment of an incident, oldest first, the first order of its chain."""
    roots: dict[AssignmentId, AssignmentId] = {}
    for one in assignments:
        roots[one.assignment_id] = (
            one.assignment_id if one.replaces is None else roots[one.replaces]
        )
    return roots
