"""A vehicle's inbox: what it has to know now, by long-poll."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.clock import now_ms
from api.http.conditional import unchanged
from api.http.inbox_bell import Contents, contents
from api.http.notices import realerted
from api.http.operation import IF_NONE_MATCH, operation
from api.http.permissions import CREWS, GuardedRoute, allow, caller_of, must_be_own_unit
from api.http.responding import JSON, content_tag
from api.http.routes.units import find_unit
from api.http.views.incidents import incident_view
from api.http.views.plain import encode
from api.http.views.units import InboxAssignmentView, InboxView
from api.http.waiting import WAIT_MAX_S, Waiting
from api.service import Service, service_of
from dispatch.board import Board
from dispatch.resources import Assignment, UnitOnBoard
from dispatch.words import UnitId

router = APIRouter(route_class=GuardedRoute, tags=["units"])

POLL_AFTER_MS = 1_000
"""When a client that does not long-poll should ask again."""


@router.get(
    "/v1/units/{unit_id}/inbox",
    **operation(
        "getInbox",
        "Active assignments with route, patrol task, notices; long-poll with If-None-Match",
        reply=InboxView,
        problems=[404, 503],
        more={304: "Nothing changed within `wait` seconds"},
        parameters=[IF_NONE_MATCH],
    ),
)
@allow(CREWS, limited=False)
async def get_inbox(
    request: Request,
    unit_id: str,
    wait: Annotated[
        float, Query(ge=0, le=WAIT_MAX_S, description="Seconds to wait for a change")
    ] = 0,
) -> Response:
    """304 after `wait` seconds when the client's ETag still holds."""
    service = service_of(request)
    must_be_own_unit(caller_of(request), unit_id)
    seen, reply = _now(request, service, unit_id)
    if reply.status_code != 304 or wait <= 0:
        # Who need not wait takes no place among the waiters.
        return reply
    with Waiting(service, request, wait) as waiting:
        while reply.status_code == 304 and await waiting.for_inbox(UnitId(unit_id), seen):
            seen, reply = _now(request, service, unit_id)
    return reply


def _now(request: Request, service: Service, unit_id: str) -> tuple[Contents, Response]:
    """What the inbox is made of now, and how it is answered: 304 where the client has it."""
    seen = contents(service.runner.board, UnitId(unit_id))
    body = encode(inbox_view(service, find_unit(service, unit_id)))
    tag = content_tag(body)
    if unchanged(request, tag):
        return seen, Response(status_code=304, headers={"etag": tag})
    return seen, Response(body, 200, {"etag": tag}, JSON)


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
