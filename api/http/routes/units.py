"""Units: where they are, what they do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds, now_ms
from api.http.commanding import carry_out, stored
from api.http.operation import operation
from api.http.pages import LIMIT_DEFAULT, Cursor, Limit, page_by_id
from api.http.permissions import (
    ALL_ROLES,
    CREWS,
    READERS,
    GuardedRoute,
    allow,
    caller_of,
    must_be_own_unit,
)
from api.http.query import words
from api.http.responding import answer
from api.http.schemas.gate import read_body
from api.http.schemas.units import UnitStatusRequest
from api.http.unit_views import shown_status, unit_status_view, unit_view
from api.http.views.lists import UnitList
from api.http.views.units import UnitStatusView, UnitView
from api.service import Service, service_of
from dispatch.errors import UnitUnknown
from dispatch.questions import SetUnitStatus
from dispatch.resources import UnitOnBoard
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import UnitId, UnitStatus

router = APIRouter(route_class=GuardedRoute, tags=["units"])


@router.get(
    "/v1/units",
    **operation("listUnits", "Units with position and status, by id", reply=UnitList),
)
@allow(READERS)
async def list_units(
    request: Request,
    status: Annotated[
        str | None, Query(max_length=200, description="One or several, as standby,patrolling")
    ] = None,
    platform: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """All units of the city."""
    service = service_of(request)
    wanted = words(status, UnitStatus, "status")
    at_ms = now_ms()
    positions = service.runner.positions
    matching = [
        unit
        for unit in service.runner.board.units.values()
        if platform in (None, unit.platform_id)
        and (not wanted or shown_status(unit, positions, at_ms) in wanted)
    ]
    items = sorted(matching, key=_id_of)
    page, more = page_by_id(items, kind="units", id_of=_id_of, limit=limit, cursor=cursor)
    view = UnitList(
        items=[unit_view(service, unit, at_ms) for unit in page],
        next_cursor=more,
        synthetic=service.is_synthetic,
    )
    return answer(view, headers=service.marks)


@router.get(
    "/v1/units/{unit_id}",
    **operation("getUnit", "One unit", reply=UnitView, problems=[404]),
)
@allow(ALL_ROLES)
async def get_unit(request: Request, unit_id: str) -> Response:
    """A vehicle reads its own only."""
    service = service_of(request)
    must_be_own_unit(caller_of(request), unit_id)
    unit = find_unit(service, unit_id)
    # No 304: the position changes without the version.
    return answer(unit_view(service, unit, now_ms()), version=unit.version, headers=service.marks)


@router.post(
    "/v1/units/{unit_id}/status",
    **operation(
        "setUnitStatus",
        "What the unit does from now on",
        reply=UnitStatusView,
        body=UnitStatusRequest,
        example={"status": "patrolling"},
        problems=[404],
        writes=True,
    ),
)
@allow(CREWS, limited=False)
async def set_unit_status(request: Request, unit_id: str) -> Response:
    """Going off duty with an active assignment is refused; a late status changes nothing."""
    service = service_of(request)
    must_be_own_unit(caller_of(request), unit_id)
    asked = await read_body(request, UnitStatusRequest)
    question = SetUnitStatus(
        unit_id=UnitId(unit_id),
        status=UnitStatus(asked.status),
        at_ms=None if asked.at is None else milliseconds(asked.at),
        device_seq=asked.seq,
    )

    def present(outcome: Outcome) -> StoredReply:
        unit = outcome.decision.unit
        assert unit is not None  # noqa: S101  # the question was about one
        view = unit_status_view(service, unit, now_ms())
        view.applied = outcome.decision.applied
        return stored(view, version=unit.version)

    return await carry_out(request, question, present)


def find_unit(service: Service, unit_id: str) -> UnitOnBoard:
    """A unit of the board.

    Raises:
        UnitUnknown: No unit has this id.
    """
    unit = service.runner.board.units.get(UnitId(unit_id))
    if unit is None:
        raise UnitUnknown(unit_id)
    return unit


def _id_of(unit: UnitOnBoard) -> str:
    return unit.unit_id
