"""Who called about an incident: read one at a time, and never without a record of who read."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from api.callers.caller_file import CalledAbout
from api.errors import Forbidden
from api.http.operation import operation
from api.http.permissions import CREWS, GuardedRoute, allow, caller_of
from api.http.responding import answer
from api.http.routes.incidents import find_incident
from api.service import service_of
from api.tokens import Caller, Role
from dispatch.resources import Assignment

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])


class CallerView(Struct):
    """Who called (报警人)."""

    incident_id: str
    name: str
    phone: str
    note: str


@router.get(
    "/v1/incidents/{incident_id}/caller",
    **operation(
        "readCaller",
        "Who called (报警人); the reading is recorded before it is answered",
        reply=CallerView,
        problems=[404, 503],
    ),
)
@allow(CREWS)
async def read_caller(request: Request, incident_id: str) -> Response:
    """A vehicle reads it while an order for this incident binds it, and no longer."""
    service, reader = service_of(request), caller_of(request)
    incident, assignments = await find_incident(service, incident_id)
    _must_be_bound_there(reader, incident_id, assignments)
    about = CalledAbout(incident_id=incident.incident_id, received_at_ms=incident.received_at_ms)
    details = await service.callers.read(about, actor=reader.actor, token_id=reader.token_id)
    # A second trace, which operators may send elsewhere.
    structlog.get_logger("callers").info(
        "caller_read", actor=reader.actor, incident_id=incident.incident_id
    )
    view = CallerView(
        incident_id=incident.incident_id,
        name=details.name,
        phone=details.phone,
        note=details.note,
    )
    return answer(view, headers={"cache-control": "no-store"})


def _must_be_bound_there(
    reader: Caller, incident_id: str, assignments: tuple[Assignment, ...]
) -> None:
    if reader.role is not Role.VEHICLE:
        return
    if not any(one.unit_id == reader.unit_id and one.state.is_active for one in assignments):
        raise Forbidden(
            f"unit {reader.unit_id} has no active order for {incident_id}; a vehicle's token reads"
            " who called while one binds it"
        )
