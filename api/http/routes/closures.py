"""Closures of roads: they take effect on the next decision, and active ways are found anew."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds, now_ms
from api.http.commanding import carry_out, stored
from api.http.conditional import if_match
from api.http.daily_hours import daily_hours
from api.http.operation import operation
from api.http.pages import LIMIT_DEFAULT, Cursor, Limit, page_by_id
from api.http.permissions import ALL_ROLES, DISPATCHERS, GuardedRoute, allow
from api.http.responding import answer
from api.http.road_choice import (
    arcs_of_edges,
    arcs_of_shape,
    arcs_of_ways,
    shape_rings,
    stretches_of,
)
from api.http.schemas.gate import read_body
from api.http.schemas.roads import ClosureRequest
from api.http.views.conditions import ClosureList, ClosureView, closure_view
from api.service import Service, service_of
from dispatch.facts import Stretch
from dispatch.questions import CloseRoad, ReopenRoad
from dispatch.resources import Closure
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import ClosureId, Direction

router = APIRouter(route_class=GuardedRoute, tags=["roads"])


@router.get(
    "/v1/roads/closures", **operation("listClosures", "Closures not lifted", reply=ClosureList)
)
@allow(ALL_ROLES)
async def list_closures(
    request: Request, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """By id."""
    service = service_of(request)
    items = sorted(service.runner.board.closures.values(), key=_id_of)
    page, more = page_by_id(items, kind="closures", id_of=_id_of, limit=limit, cursor=cursor)
    return answer(
        ClosureList(
            items=[closure_view(one, service.runner.conditions) for one in page], next_cursor=more
        )
    )


@router.post(
    "/v1/roads/closures",
    **operation(
        "closeRoad",
        "Shut roads by way ids, edge ids or geometry",
        reply=ClosureView,
        status=201,
        body=ClosureRequest,
        example={
            "way_ids": ["25434234"],
            "direction": "forward",
            "daily": [{"from": "07:00", "until": "09:00"}, {"from": "17:00", "until": "19:00"}],
            "reason": "早晚高峰禁行",
        },
        writes=True,
    ),
)
@allow(DISPATCHERS)
async def close_road(request: Request) -> Response:
    """The roads are found at the gate: what names no road of the network is refused."""
    service = service_of(request)
    asked = await read_body(request, ClosureRequest)
    # An area may mean half a city, and how each of its roads lies is drawn: not on the event loop.
    arcs, stretches = await asyncio.to_thread(_roads_meant, service, asked)
    shape, *holes = [()] if asked.geometry is None else shape_rings(asked.geometry)
    question = CloseRoad(
        arcs=arcs,
        way_ids=tuple(int(way_id) for way_id in asked.way_ids or ()),
        geometry=shape,
        is_area=None if asked.geometry is None else asked.geometry.type == "Polygon",
        holes=tuple(holes),
        stretches=stretches,
        direction=Direction(asked.direction),
        from_ms=None if asked.from_ is None else milliseconds(asked.from_),
        until_ms=None if asked.until is None else milliseconds(asked.until),
        daily=daily_hours(asked, timezone=service.city.timezone, now_ms=now_ms()),
        emergency_exempt=asked.emergency_exempt,
        reason=asked.reason,
    )
    return await carry_out(request, question, lambda outcome: _shown(service, outcome, 201))


@router.delete(
    "/v1/roads/closures/{closure_id}",
    **operation(
        "reopenRoad",
        "Lift a closure; answers what was lifted",
        reply=ClosureView,
        problems=[404, 409, 412, 503],
    ),
)
@allow(DISPATCHERS)
async def reopen_road(request: Request, closure_id: str) -> Response:
    """Open again at once."""
    service = service_of(request)
    question = ReopenRoad(closure_id=ClosureId(closure_id), if_version=if_match(request))
    return await carry_out(request, question, lambda outcome: _shown(service, outcome, 200))


def _roads_meant(
    service: Service, asked: ClosureRequest
) -> tuple[tuple[int, ...], tuple[Stretch, ...]]:
    """The arcs, and how their roads lie where they were named."""
    arcs = _arcs(service, asked)
    # What was drawn is found again as it was drawn; roads that were named, as they lie.
    return arcs, stretches_of(service.roads, arcs) if asked.geometry is None else ()


def _arcs(service: Service, asked: ClosureRequest) -> tuple[int, ...]:
    direction = Direction(asked.direction)
    if asked.way_ids is not None:
        return arcs_of_ways(service.roads, asked.way_ids, direction)
    if asked.edge_ids is not None:
        return arcs_of_edges(service.roads, asked.edge_ids, direction)
    return arcs_of_shape(service.shapes, asked.geometry, direction)


def _shown(service: Service, outcome: Outcome, status: int) -> StoredReply:
    assert outcome.decision.closure is not None  # noqa: S101  # the question was about one
    view = closure_view(outcome.decision.closure, service.runner.conditions)
    return stored(view, status=status, version=view.version, **service.marks)


def _id_of(closure: Closure) -> str:
    return closure.closure_id
