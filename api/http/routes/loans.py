"""Loans: a unit serves another area for a while, at a dispatcher's word."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds, now_ms
from api.http.areas import check_area
from api.http.commanding import carry_out, stored
from api.http.conditional import required_if_match
from api.http.operation import operation
from api.http.permissions import DISPATCHERS, GuardedRoute, allow
from api.http.schemas.gate import read_body
from api.http.schemas.units import LoanRequest
from api.http.unit_views import unit_view
from api.http.views.units import UnitView
from api.service import Service, service_of
from dispatch.questions import EndLoan, LendUnit
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import UnitId

router = APIRouter(route_class=GuardedRoute, tags=["units"])


@router.post(
    "/v1/units/{unit_id}/loan",
    **operation(
        "lendUnit",
        "Lend a unit to another area",
        reply=UnitView,
        body=LoanRequest,
        example={"area_id": "shaodong", "reason": "邵东庙会增援"},
        problems=[404, 412, 428],
        writes=True,
    ),
)
@allow(DISPATCHERS)
async def lend_unit(request: Request, unit_id: str) -> Response:
    """It is sent there and there only, and serves what waits there at once."""
    service = service_of(request)
    asked = await read_body(request, LoanRequest)
    check_area(service.city, asked.area_id)
    question = LendUnit(
        unit_id=UnitId(unit_id),
        area_id=asked.area_id,
        until_ms=None if asked.until is None else milliseconds(asked.until),
        reason=asked.reason,
        if_version=required_if_match(request),
    )
    return await carry_out(request, question, lambda outcome: _shown(service, outcome))


@router.delete(
    "/v1/units/{unit_id}/loan",
    **operation(
        "endLoan",
        "Give a lent unit back to its own area",
        reply=UnitView,
        problems=[404, 409, 412, 428, 503],
    ),
)
@allow(DISPATCHERS)
async def end_loan(request: Request, unit_id: str) -> Response:
    """It serves what waits at home at once; a call that it is on it finishes first."""
    service = service_of(request)
    question = EndLoan(unit_id=UnitId(unit_id), if_version=required_if_match(request))
    return await carry_out(request, question, lambda outcome: _shown(service, outcome))


def _shown(service: Service, outcome: Outcome) -> StoredReply:
    unit = outcome.decision.unit
    assert unit is not None  # noqa: S101  # the question was about one
    view = unit_view(service, unit, now_ms())
    return stored(view, status=200, version=unit.version, **service.marks)
