"""A vehicle's inbox: what it has to know now, by long-poll or as a stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.http.conditional import unchanged
from api.http.inbox_bell import Contents, contents
from api.http.inbox_stream import inbox_stream
from api.http.inbox_view import inbox_view
from api.http.operation import IF_NONE_MATCH, operation
from api.http.permissions import CREWS, GuardedRoute, allow, caller_of, must_be_own_unit
from api.http.responding import JSON, content_tag
from api.http.routes.units import find_unit
from api.http.views.plain import encode
from api.http.views.units import InboxView
from api.http.waiting import WAIT_MAX_S, Waiting
from api.service import Service, service_of
from dispatch.words import UnitId

router = APIRouter(route_class=GuardedRoute, tags=["units"])


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


@router.get(
    "/v1/units/{unit_id}/inbox/stream",
    **operation(
        "streamInbox",
        "Server-sent events: `event: inbox` with the whole inbox, at once and at each change",
        media="text/event-stream",
        problems=[404, 503],
        parameters=[
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "The id of the inbox that the client has: it is not sent again",
                "schema": {"type": "string"},
            }
        ],
    ),
)
@allow(CREWS, limited=False)
async def stream_inbox(request: Request, unit_id: str) -> Response:
    """A comment every 10 s; ends when the token is revoked."""
    service = service_of(request)
    must_be_own_unit(caller_of(request), unit_id)
    find_unit(service, unit_id)
    waiting = Waiting(service, request, wait_s=0)
    waiting.check_room()
    stream = inbox_stream(
        service, waiting, UnitId(unit_id), request.headers.get("last-event-id") or None
    )
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")


def _now(request: Request, service: Service, unit_id: str) -> tuple[Contents, Response]:
    """What the inbox is made of now, and how it is answered: 304 where the client has it."""
    seen = contents(service.runner.board, UnitId(unit_id))
    body = encode(inbox_view(service, find_unit(service, unit_id)))
    tag = content_tag(body)
    if unchanged(request, tag):
        return seen, Response(status_code=304, headers={"etag": tag})
    return seen, Response(body, 200, {"etag": tag}, JSON)
