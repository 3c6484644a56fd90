"""What a unit has to know now, as its inbox shows it."""

from __future__ import annotations

from api.clock import now_ms
from api.http.notices import on_loan, realerted
from api.http.views.incidents import incident_view
from api.http.views.units import InboxAssignmentView, InboxView
from api.service import Service
from dispatch.board import Board
from dispatch.resources import Assignment, UnitOnBoard

POLL_AFTER_MS = 1_000
"""When a client that does not long-poll should ask again."""


def inbox_view(service: Service, unit: UnitOnBoard) -> InboxView:
    """What the unit has to know now. Holds no time of its own, so that its hash tells a change."""
    board = service.runner.board
    active = [] if unit.assignment_id is None else [board.assignments[unit.assignment_id]]
    return InboxView(
        unit_id=unit.unit_id,
        status=unit.status,
        assignments=[_assignment(service, board, unit, one) for one in active],
        patrol_task=None,
        notices=[
            *on_loan(unit, service.city),
            *(notice for one in active for notice in realerted(one)),
            *service.notices.of(unit.unit_id, unit.assignment_id, now_ms()),
        ],
        poll_after_ms=POLL_AFTER_MS,
        degraded=service.degraded.causes,
    )


def _assignment(
    service: Service, board: Board, unit: UnitOnBoard, assignment: Assignment
) -> InboxAssignmentView:
    view = service.artist.show(assignment, unit.kind, shape=InboxAssignmentView)
    assert isinstance(view, InboxAssignmentView)  # noqa: S101  # the shape asked for
    view.incident = incident_view(board.incidents[assignment.incident_id])
    return view
