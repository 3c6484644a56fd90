"""Speed factors: roads that are slower or faster than usual, by class, area or edge."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds
from api.http.areas import check_area
from api.http.commanding import carry_out, stored
from api.http.conditional import if_match
from api.http.operation import operation
from api.http.pages import LIMIT_DEFAULT, Cursor, Limit, page_by_id
from api.http.permissions import ALL_ROLES, DISPATCHERS, GuardedRoute, allow
from api.http.responding import answer
from api.http.road_choice import arcs_of_edges, arcs_of_ways, stretches_of
from api.http.schemas.gate import read_body
from api.http.schemas.roads import SpeedRequest
from api.http.views.conditions import SpeedList, SpeedView, speed_view
from api.service import Service, service_of
from dispatch.questions import LiftSpeedFactor, SetSpeedFactor
from dispatch.resources import SpeedFactor
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import Direction, SpeedFactorId

router = APIRouter(route_class=GuardedRoute, tags=["roads"])


@router.get(
    "/v1/roads/speeds", **operation("listSpeeds", "Speed factors not lifted", reply=SpeedList)
)
@allow(ALL_ROLES)
async def list_speeds(
    request: Request, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """By id."""
    service = service_of(request)
    items = sorted(service.runner.board.speed_factors.values(), key=_id_of)
    page, more = page_by_id(items, kind="speeds", id_of=_id_of, limit=limit, cursor=cursor)
    return answer(
        SpeedList(
            items=[speed_view(one, service.runner.conditions) for one in page], next_cursor=more
        )
    )


@router.post(
    "/v1/roads/speeds",
    **operation(
        "setSpeed",
        "Make roads slower or faster: all, of one class, in one area, or by way or edge",
        reply=SpeedView,
        status=201,
        body=SpeedRequest,
        example={"factor": 0.6, "road_class": "primary", "reason": "大雨"},
        writes=True,
    ),
)
@allow(DISPATCHERS)
async def set_speed(request: Request) -> Response:
    """Takes effect on the next decision."""
    service = service_of(request)
    asked = await read_body(request, SpeedRequest)
    arcs = _arcs(service, asked)
    stretches = await asyncio.to_thread(stretches_of, service.roads, arcs)
    if asked.area_id is not None:
        check_area(service.city, asked.area_id)
    question = SetSpeedFactor(
        factor=asked.factor,
        road_class=asked.road_class,
        area_id=asked.area_id,
        arcs=arcs,
        stretches=stretches,
        from_ms=None if asked.from_ is None else milliseconds(asked.from_),
        until_ms=None if asked.until is None else milliseconds(asked.until),
        reason=asked.reason,
    )
    return await carry_out(request, question, lambda outcome: _shown(service, outcome, 201))


@router.delete(
    "/v1/roads/speeds/{factor_id}",
    **operation(
        "liftSpeed",
        "Lift a speed factor; answers what was lifted",
        reply=SpeedView,
        problems=[404, 409, 412, 503],
    ),
)
@allow(DISPATCHERS)
async def lift_speed(request: Request, factor_id: str) -> Response:
    """The usual speed holds again at once."""
    service = service_of(request)
    question = LiftSpeedFactor(factor_id=SpeedFactorId(factor_id), if_version=if_match(request))
    return await carry_out(request, question, lambda outcome: _shown(service, outcome, 200))


def _arcs(service: Service, asked: SpeedRequest) -> tuple[int, ...]:
    if asked.way_ids is not None:
        return arcs_of_ways(service.roads, asked.way_ids, Direction.BOTH)
    if asked.edge_ids is not None:
        return arcs_of_edges(service.roads, asked.edge_ids, Direction.FORWARD)
    return ()


def _shown(service: Service, outcome: Outcome, status: int) -> StoredReply:
    assert outcome.decision.speed_factor is not None  # noqa: S101  # the question was about one
    view = speed_view(outcome.decision.speed_factor, service.runner.conditions)
    return stored(view, status=status, version=view.version, **service.marks)


def _id_of(factor: SpeedFactor) -> str:
    return factor.factor_id
