"""The queue and the history: incidents by status, category, platform and time."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.clock import now_ms
from api.errors import BadCursor
from api.http.cursors import read_cursor, write_cursor
from api.http.operation import operation
from api.http.pages import LIMIT_DEFAULT, Cursor, Limit
from api.http.permissions import READERS, GuardedRoute, allow
from api.http.query import InstantQuery, as_ms, words
from api.http.responding import answer
from api.http.views.incidents import incident_view
from api.http.views.lists import IncidentList
from api.service import Service, service_of
from dispatch.board import queue_place
from dispatch.errors import StoreUnavailable
from dispatch.resources import Incident
from dispatch.store import ClosedQuery
from dispatch.words import IncidentStatus, UnixMs

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

ENDED = frozenset({IncidentStatus.CLOSED, IncidentStatus.CANCELLED, IncidentStatus.MERGED})
OPEN_CURSOR = "open"
HISTORY_CURSOR = "history"

MOMENT_MAX_MS = 2**53
"""Beyond it no time of ours lies, and the store's numbers end not far behind."""
Position = list[str | int | float | None]
"""Where a page ended: a queue place and its moment, or a time and an id of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which incidents are asked for; None and empty mean all."""

    statuses: frozenset[IncidentStatus]
    category: str | None
    platform_id: str | None
    since_ms: UnixMs | None
    until_ms: UnixMs | None

    def holds(self, incident: Incident) -> bool:
        """Whether an incident is among them."""
        categories = (incident.category_final or incident.category_initial,)
        return (
            (not self.statuses or incident.status in self.statuses)
            and (self.category is None or self.category in categories)
            and self.platform_id in (None, incident.location.platform_id)
            and (self.since_ms is None or incident.received_at_ms >= self.since_ms)
            and (self.until_ms is None or incident.received_at_ms < self.until_ms)
        )


@router.get(
    "/v1/incidents",
    **operation(
        "listIncidents",
        "Open incidents in queue order, then the ended ones, newest first",
        reply=IncidentList,
    ),
)
@allow(READERS)
async def list_incidents(
    request: Request,
    *,
    status: Annotated[
        str | None, Query(max_length=200, description="One or several, as pending,dispatched")
    ] = None,
    category: Annotated[str | None, Query(max_length=64)] = None,
    platform: Annotated[str | None, Query(max_length=64)] = None,
    since: InstantQuery = None,
    until: InstantQuery = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """Queue order: priority, then least time left to target."""
    service = service_of(request)
    wanted = Wanted(
        statuses=words(status, IncidentStatus, "status"),
        category=category,
        platform_id=platform,
        since_ms=as_ms(since),
        until_ms=as_ms(until),
    )
    shown, next_cursor = await _page(service, wanted, limit, cursor)
    return answer(
        IncidentList(
            items=[incident_view(one) for one in shown],
            next_cursor=next_cursor,
            degraded=service.degraded.causes,
        )
    )


async def _page(
    service: Service, wanted: Wanted, limit: int, cursor: str | None
) -> tuple[list[Incident], str | None]:
    """One page: first what is open, then history."""
    stage, position = (OPEN_CURSOR, []) if cursor is None else _position(cursor)
    found: list[Incident] = []
    if stage == OPEN_CURSOR:
        found, more = _open_page(service, wanted, limit, position)
        if more is not None:
            return found, more
        position = []
    if wanted.statuses and not wanted.statuses & ENDED:
        return found, None
    try:
        older, more = await _history_page(service, wanted, limit - len(found), position)
    except StoreUnavailable:
        if not found:
            raise
        # What is open is in memory and must be seen; history goes on from here when it is back.
        return found, write_cursor("incidents", [HISTORY_CURSOR])
    return found + older, more


def _open_page(
    service: Service, wanted: Wanted, limit: int, position: Position
) -> tuple[list[Incident], str | None]:
    """Open incidents in the order of the moment the first page was asked for.

    The order depends on the time; the cursor keeps that moment, so that pages do not overlap, and
    the last place that was shown, so that none is skipped when one before it ends meanwhile.
    """
    at_ms, *after = position or [now_ms()]
    moment = UnixMs(int(at_ms or 0))
    matching = [one for one in service.runner.board.incidents.values() if wanted.holds(one)]
    places = sorted(((queue_place(one, moment), one) for one in matching), key=itemgetter(0))
    rest = [(place, one) for place, one in places if not after or place > _place_in(after)]
    page = rest[:limit]
    if len(page) < len(rest):
        priority, left_s, incident_id = page[-1][0]
        last = [priority, left_s if isfinite(left_s) else None, incident_id]
        return [one for _, one in page], write_cursor("incidents", [OPEN_CURSOR, moment, *last])
    return [one for _, one in page], None


def _place_in(position: Position) -> tuple[int, float, str]:
    priority, left_s, incident_id = position
    return int(priority or 0), inf if left_s is None else float(left_s), str(incident_id)


async def _history_page(
    service: Service, wanted: Wanted, limit: int, position: Position
) -> tuple[list[Incident], str | None]:
    statuses = tuple(sorted(status.value for status in wanted.statuses & ENDED))
    query = ClosedQuery(
        statuses=statuses,
        category=wanted.category,
        platform_id=wanted.platform_id,
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms,
        before=(UnixMs(int(position[0] or 0)), str(position[1])) if position else None,
        limit=limit + 1,
    )
    found = [closed.incident for closed in await service.runner.history.find(query)]
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    if not page:
        return page, write_cursor("incidents", [HISTORY_CURSOR])
    last = page[-1]
    return page, write_cursor("incidents", [HISTORY_CURSOR, last.received_at_ms, last.incident_id])


def _position(cursor: str) -> tuple[str, Position]:
    match read_cursor(cursor, "incidents", Position):
        case ["open", int(), int(), int() | float() | None, str()] as found:
            return OPEN_CURSOR, found[1:]
        case ["history"] as found:
            return HISTORY_CURSOR, found[1:]
        case ["history", int(at_ms), str()] as found if 0 <= at_ms <= MOMENT_MAX_MS:
            return HISTORY_CURSOR, found[1:]
        case _:
            raise BadCursor(
                f"cursor {cursor[:40]!r} is damaged; leave it out to begin at the start"
            )
