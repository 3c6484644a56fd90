"""How closures and speed factors are shown."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from api.http.views.geojson import line_geometry
from api.http.views.plain import Instant, rfc3339, rfc3339_or_none
from dispatch.facts import DailyHours
from dispatch.resources import Closure, SpeedFactor
from dispatch.whereabouts.road_conditions import RoadConditions


class DailyView(Struct, rename={"from_": "from"}):
    """Hours of every day, HH:MM by the city's local clock."""

    from_: str
    until: str


class ClosureView(Struct, rename={"from_": "from"}):
    """A road that is shut."""

    id: str
    version: int
    way_ids: list[str]
    edge_ids: list[str]
    geometry: dict[str, Any] | None
    direction: str
    from_: Instant
    until: Instant | None
    daily: list[DailyView] | None
    emergency_exempt: bool
    reason: str
    road_version: str
    problem: str | None


class ClosureList(Struct):
    """Closures that are not lifted."""

    items: list[ClosureView]
    next_cursor: str | None


class SpeedView(Struct, rename={"from_": "from"}):
    """Roads that are slower or faster than usual."""

    id: str
    version: int
    factor: float
    road_class: str | None
    area_id: str | None
    edge_ids: list[str]
    from_: Instant
    until: Instant | None
    reason: str
    road_version: str
    problem: str | None


class SpeedList(Struct):
    """Speed factors that are not lifted."""

    items: list[SpeedView]
    next_cursor: str | None


def closure_view(closure: Closure, conditions: RoadConditions) -> ClosureView:
    """A closure as the API shows it, with its edges in the network of today."""
    return ClosureView(
        id=closure.closure_id,
        version=closure.version,
        way_ids=[str(way_id) for way_id in closure.way_ids],
        edge_ids=[str(arc) for arc in conditions.arcs_of(closure)],
        geometry=_geometry(closure),
        direction=closure.direction,
        from_=rfc3339(closure.from_ms),
        until=rfc3339_or_none(closure.until_ms),
        daily=[_daily(one) for one in closure.daily] or None,
        emergency_exempt=closure.emergency_exempt,
        reason=closure.reason,
        road_version=conditions.road_version,
        problem=conditions.unfit.get(closure.closure_id),
    )


def speed_view(factor: SpeedFactor, conditions: RoadConditions) -> SpeedView:
    """A speed factor as the API shows it, with its edges in the network of today."""
    return SpeedView(
        id=factor.factor_id,
        version=factor.version,
        factor=factor.factor,
        road_class=factor.road_class,
        area_id=factor.area_id,
        edge_ids=[str(arc) for arc in conditions.arcs_of(factor)],
        from_=rfc3339(factor.from_ms),
        until=rfc3339_or_none(factor.until_ms),
        reason=factor.reason,
        road_version=conditions.road_version,
        problem=conditions.unfit.get(factor.factor_id),
    )


def _daily(hours: DailyHours) -> DailyView:
    return DailyView(from_=_clock(hours.from_minute), until=_clock(hours.until_minute))


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _geometry(closure: Closure) -> dict[str, Any] | None:
    """The line or area that was asked for."""
    if not closure.geometry:
        return None
    if closure.encloses:
        rings = [[list(point) for point in ring] for ring in (closure.geometry, *closure.holes)]
        return {"type": "Polygon", "coordinates": rings}
    return line_geometry(closure.geometry)
