"""Points on streets as a device reports them: degrees, heading, speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from api.bench.scenario import PointDraw
from platforms.city import City
from platforms.promise import Promise
from routing.graph import RoadGraph
from routing.stands import Stand

_DRAWS_PER_UNIT = 40
_PATROL_MPS = 8.0
"""About 30 km/h: fast enough that the heading counts."""


@dataclass(frozen=True, slots=True)
class StreetPoint:
    """Where a vehicle is and where it goes.

    Attributes:
        lon: WGS-84 degrees.
        lat: WGS-84 degrees.
        heading_deg: Compass heading along the street.
        speed_mps: Metres per second.
    """

    lon: float
    lat: float
    heading_deg: float
    speed_mps: float = _PATROL_MPS


def street_points(graph: RoadGraph, draw: PointDraw, count: int) -> list[StreetPoint]:
    """Draw points on the roads, each with the heading of its arc there."""
    return [_point(graph, draw.heading_stand()) for _ in range(count)]


def points_on_beat(graph: RoadGraph, draw: PointDraw, city: City) -> dict[str, StreetPoint]:
    """A place under way for each unit, in its own area, where it can be sent to incidents.

    Returns:
        By unit id, in the city's order. A unit for whose area no place comes up stands anywhere.
    """
    promise = Promise(city)
    waiting: dict[str, list[str]] = {}
    for unit in city.units:
        waiting.setdefault(unit.area_id, []).append(unit.unit_id)
    placed: dict[str, StreetPoint] = {}
    spare = street_points(graph, draw, _DRAWS_PER_UNIT * len(city.units))
    for point in spare:
        area = promise.area_at(point.lon, point.lat)
        units = waiting.get(area.area_id) if area is not None else None
        if units:
            placed[units.pop()] = point
    left = [unit_id for units in waiting.values() for unit_id in units]
    placed.update(zip(left, spare, strict=False))
    return {unit.unit_id: placed[unit.unit_id] for unit in city.units}


def _point(graph: RoadGraph, stand: Stand) -> StreetPoint:
    line = graph.arc_line(stand.arc)
    squeeze = math.cos(math.radians(float(line[0, 1])))
    east, north = np.diff(line[:, 0]) * squeeze, np.diff(line[:, 1])
    steps = np.hypot(east, north)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = stand.offset_m / float(graph.arc_length_m[stand.arc]) * along[-1]
    piece = min(int(np.searchsorted(along, at, side="right")) - 1, len(steps) - 1)
    heading_deg = math.degrees(math.atan2(east[piece], north[piece])) % 360.0
    lon = float(np.interp(at, along, line[:, 0]))
    lat = float(np.interp(at, along, line[:, 1]))
    return StreetPoint(lon, lat, heading_deg)
