"""The feed: one totally ordered log, by long-poll or as a stream, and the snapshot before it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.clock import now_ms
from api.errors import BadCursor
from api.http.catching_up import events_after
from api.http.operation import operation
from api.http.pages import LIMIT_DEFAULT, Limit
from api.http.permissions import READERS, GuardedRoute, allow
from api.http.responding import JSON, answer
from api.http.stream import event_stream
from api.http.unit_views import unit_view
from api.http.views.alarms import AlarmView, alarm_view
from api.http.views.assignments import AssignmentView, assignment_view
from api.http.views.conditions import ClosureView, SpeedView, closure_view, speed_view
from api.http.views.events import FeedPage
from api.http.views.incidents import IncidentView, incident_view
from api.http.views.plain import Instant, rfc3339
from api.http.views.units import UnitView
from api.http.waiting import WAIT_MAX_S, Waiting
from api.service import service_of
from dispatch.board import in_queue_order

router = APIRouter(route_class=GuardedRoute, tags=["feed"])

SEQ_MAX = 2**53


class SnapshotView(Struct):
    """All that is open now, and the event after which it is so."""

    seq: int
    at: Instant
    incidents: list[IncidentView]
    assignments: list[AssignmentView]
    units: list[UnitView]
    closures: list[ClosureView]
    speeds: list[SpeedView]
    road_version: str
    conditions_version: int
    alarms: list[AlarmView]
    degraded: list[str]
    synthetic: bool


@router.get(
    "/v1/events",
    **operation(
        "listEvents",
        "Events after a seq, in order; waits up to `wait` seconds for the first",
        reply=FeedPage,
        problems=[410, 503],
    ),
)
@allow(READERS, limited=False)
async def list_events(
    request: Request,
    after: Annotated[int, Query(ge=0, le=SEQ_MAX, description="The last seq that is known")] = 0,
    wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0,
    limit: Limit = LIMIT_DEFAULT,
) -> Response:
    """An empty list when nothing came in time. 410 `cursor_expired`: take a new snapshot."""
    service = service_of(request)
    events = await events_after(service, after, limit)
    if not events and wait > 0:
        with Waiting(service, request, wait) as waiting:
            if await waiting.for_event_after(after):
                events = await events_after(service, after, limit)
    last_seq = events[-1].seq if events else after
    body = b'{"items":[%b],"last_seq":%d}' % (b",".join(one.body for one in events), last_seq)
    return Response(body, 200, None, JSON)


@router.get(
    "/v1/events/stream",
    **operation(
        "streamEvents",
        "Server-sent events: the log after Last-Event-ID, `event: positions`, `event: degraded`",
        media="text/event-stream",
        problems=[410, 503],
        parameters=[
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "The last seq that is known; wins over `after`",
                "schema": {"type": "string"},
            }
        ],
    ),
)
@allow(READERS, limited=False)
async def stream_events(
    request: Request,
    after: Annotated[
        int | None, Query(ge=0, le=SEQ_MAX, description="Default: from now on")
    ] = None,
) -> Response:
    """A comment every 10 s; positions at most once a second, changed units only."""
    service = service_of(request)
    start = _last_event_id(request, after, service.runner.durable_seq)
    # Refuses a cursor that is too old before the stream begins: a 410, not a broken stream.
    await service.runner.read_events(start, 1)
    waiting = Waiting(service, request, wait_s=0)
    waiting.check_room()
    headers = {"cache-control": "no-store", "x-accel-buffering": "no", **service.marks}
    return StreamingResponse(
        event_stream(service, waiting, start), headers=headers, media_type="text/event-stream"
    )


@router.get(
    "/v1/snapshot",
    **operation(
        "getSnapshot", "All that is open now and its seq; go on with the feed", reply=SnapshotView
    ),
)
@allow(READERS)
async def get_snapshot(request: Request) -> Response:
    """Durable state only."""
    service = service_of(request)
    board, at_ms = service.runner.board, now_ms()
    conditions = service.runner.conditions
    queue = in_queue_order(board.incidents.values(), at_ms)
    view = SnapshotView(
        seq=board.seq,
        at=rfc3339(at_ms),
        incidents=[incident_view(one) for one in queue],
        # Ways are left out: a wall of them is drawn from GET /v1/assignments/{id}.
        assignments=[assignment_view(one, None) for one in board.assignments.values()],
        units=[unit_view(service, unit, at_ms) for unit in board.units.values()],
        closures=[closure_view(one, conditions) for one in board.closures.values()],
        speeds=[speed_view(one, conditions) for one in board.speed_factors.values()],
        road_version=service.roads.road_version,
        conditions_version=service.roads.conditions_version,
        alarms=[alarm_view(one) for one in board.alarms.values()],
        degraded=service.degraded.causes,
        synthetic=service.is_synthetic,
    )
    return answer(view, headers=service.marks)


def _last_event_id(request: Request, after: int | None, head: int) -> int:
    header = request.headers.get("last-event-id")
    if header is None:
        return head if after is None else after
    # Python refuses to read numbers of thousands of digits.
    short = header.isascii() and header.isdigit() and len(header) <= len(str(SEQ_MAX))
    if not short or int(header) > SEQ_MAX:
        raise BadCursor(
            f"Last-Event-ID {header[:40]!r} is no seq of this feed; leave it out to begin now"
        )
    return int(header)
