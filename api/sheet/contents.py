"""What stands on the sheet: every open incident with its orders, and who is free where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from api.clock import rfc3339
from api.http.views.plain import Instant
from dispatch.board import Assignment, Board, Incident, in_queue_order
from dispatch.resources import UnitOnBoard
from dispatch.words import UnitId, UnixMs
from platforms.city import City

INCIDENTS_MAX = 1_000
"""Most incidents on a sheet: some hundred pages."""


class SheetOrder(Struct):
    """A unit that is bound to an incident, or was."""

    unit_id: str
    call_sign: str
    state: str
    dispatched_at: Instant
    eta_at: Instant | None
    link_lost: bool


class SheetIncident(Struct):
    """An open incident."""

    id: str
    incident_no: str
    status: str
    priority: int
    category: str
    category_name: str
    place: str
    lon: float
    lat: float
    zone_class: str
    target_s: int | None
    received_at: Instant
    deadline_at: Instant | None
    description: str
    unmet: dict[str, int]
    units: list[SheetOrder]


class SheetPlatform(Struct):
    """The free units of a platform."""

    platform_id: str
    name: str
    free: list[str]


class OpenIncidentsSheet(Struct):
    """All that is open, most pressing first, and the free units by platform."""

    city: str
    at: Instant
    seq: int
    timezone: str
    incidents: list[SheetIncident]
    left_out: int
    platforms: list[SheetPlatform]
    synthetic: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMoment:
    """When a sheet is drawn up and what is known beside the board.

    Attributes:
        at_ms: Of which moment it is.
        synthetic: What is invented, as `city`.
        lost: Units whose position is lost; empty where no positions are known.
    """

    at_ms: UnixMs
    synthetic: tuple[str, ...]
    lost: Collection[UnitId] = ()


def sheet_of(board: Board, city: City, moment: SheetMoment) -> OpenIncidentsSheet:
    """Draws up the sheet of a board."""
    names = {one.code: one.name for one in city.categories}
    queue = in_queue_order(board.incidents.values(), moment.at_ms)
    shown = queue[:INCIDENTS_MAX]
    return OpenIncidentsSheet(
        city=city.name,
        at=rfc3339(moment.at_ms),
        seq=board.seq,
        timezone=city.timezone,
        incidents=[_incident(board, one, names.get, moment.lost) for one in shown],
        left_out=len(queue) - len(shown),
        platforms=_platforms(board.units.values(), city),
        synthetic=list(moment.synthetic),
    )


def local_time(at: Instant | None, timezone: str, form: str = "%H:%M:%S") -> str:
    """An instant by the city's clock; "" for none."""
    if at is None:
        return ""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(timezone)).strftime(form)


def _incident(
    board: Board,
    incident: Incident,
    name_of: Callable[[str], str | None],
    lost: Collection[UnitId],
) -> SheetIncident:
    where = incident.location
    category = incident.category_final or incident.category_initial
    deadline_ms = incident.deadline_ms
    return SheetIncident(
        id=incident.incident_id,
        incident_no=incident.incident_no,
        status=incident.status,
        priority=incident.priority,
        category=category,
        category_name=name_of(category) or category,
        place=where.address or where.road,
        lon=round(where.lon, 6),
        lat=round(where.lat, 6),
        zone_class=where.zone_class,
        target_s=where.target_s,
        received_at=rfc3339(incident.received_at_ms),
        deadline_at=None if deadline_ms is None else rfc3339(deadline_ms),
        description=incident.description,
        unmet=dict(incident.unmet),
        units=[_order(board, one, lost) for one in board.assignments_of(incident)],
    )


def _order(board: Board, one: Assignment, lost: Collection[UnitId]) -> SheetOrder:
    unit = board.units.get(one.unit_id)
    return SheetOrder(
        unit_id=one.unit_id,
        call_sign=one.unit_id if unit is None else unit.call_sign,
        state=one.state,
        dispatched_at=rfc3339(one.dispatched_at_ms),
        eta_at=None if one.eta_at_ms is None else rfc3339(one.eta_at_ms),
        link_lost=one.unit_id in lost,
    )


def _platforms(units: Iterable[UnitOnBoard], city: City) -> list[SheetPlatform]:
    free: dict[str, list[str]] = {one.platform_id: [] for one in city.platforms}
    for unit in units:
        if unit.is_free:
            # A unit that left the city's files while it was bound has no platform any more.
            free.setdefault(unit.platform_id, []).append(unit.call_sign)
    names = {one.platform_id: one.name for one in city.platforms}
    return [
        SheetPlatform(platform_id=key, name=names.get(key, key), free=sorted(call_signs))
        for key, call_signs in free.items()
    ]
