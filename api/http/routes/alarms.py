"""What is wrong now."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.operation import operation
from api.http.permissions import READERS, GuardedRoute, allow
from api.http.responding import answer
from api.http.views.alarms import AlarmList, alarm_view
from api.service import service_of

router = APIRouter(route_class=GuardedRoute, tags=["operations"])


@router.get(
    "/v1/alarms",
    **operation("listAlarms", "What is wrong now, the oldest first", reply=AlarmList),
)
@allow(READERS)
async def list_alarms(request: Request) -> Response:
    """As of the last second; also what a failing disk could not record."""
    service = service_of(request)
    alarms = sorted(
        service.alarm_watch.alarms.values(), key=lambda one: (one.raised_at_ms, one.kind, one.about)
    )
    view = AlarmList(
        items=[alarm_view(one) for one in alarms],
        next_cursor=None,
        degraded=service.degraded.causes,
        synthetic=service.is_synthetic,
    )
    return answer(view, headers=service.marks)
