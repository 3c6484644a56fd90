"""Whether the process is up, whether it can work, and its figures."""

from __future__ import annotations

from fastapi import APIRouter
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from api.http.operation import operation
from api.http.permissions import READERS, GuardedRoute, allow, open_to_all
from api.http.responding import answer
from api.service import service_of
from api.vitals import check_ready, conditions_in_words, read_vitals, role_of

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

PROMETHEUS = "text/plain; version=1.0.0; charset=utf-8"


class Health(Struct):
    """The process is up."""

    status: str


class Readiness(Struct):
    """What the service needs to work, one by one."""

    status: str
    network: str
    store: str
    log: str
    tokens: str
    road_conditions: str
    synthetic: bool
    role: str


@router.get("/healthz", **operation("getHealth", "The process is up", reply=Health, guarded=False))
@open_to_all
async def get_health(request: Request) -> Response:  # noqa: ARG001
    """Says nothing about the store; see /readyz."""
    return answer(Health("ok"))


@router.get(
    "/readyz",
    **operation(
        "getReadiness",
        "Network loaded, store writable, log caught up",
        reply=Readiness,
        problems=[503],
        guarded=False,
    ),
)
@open_to_all
async def get_readiness(request: Request) -> Response:
    """503 with the reason while it cannot work."""
    service = service_of(request)
    await check_ready(service)
    service.tokens.refresh()
    # Damage there refuses nobody who could come in before, so that the service stays ready.
    tokens = "readable" if service.tokens.damage is None else "damaged: those last read hold"
    # Nor does a closure without its road: who is sent over it must be told, not turned away.
    conditions = conditions_in_words(service.runner.conditions.unfit)
    ready = Readiness(
        status="ready",
        network="loaded",
        store="writable",
        log="caught_up",
        tokens=tokens,
        road_conditions=conditions,
        synthetic=service.is_synthetic,
        role=role_of(service),
    )
    return answer(ready, headers=service.marks)


@router.get(
    "/metrics",
    **operation("getMetrics", "Figures for Prometheus", media="text/plain"),
)
@allow(READERS, limited=False)
async def get_metrics(request: Request) -> Response:
    """All named kuaijing_*."""
    service = service_of(request)
    await read_vitals(service)
    return Response(service.metrics.text(), 200, None, PROMETHEUS)
