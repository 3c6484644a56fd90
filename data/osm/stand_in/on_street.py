"""Puts invented sites onto streets of the stand-in, and reads the tables that list them."""

from __future__ import annotations

import csv
from pathlib import Path

from stand_in.facts import Point, to_lonlat
from stand_in.planar import Plane
from stand_in.rules import RANK


def table(name: str) -> list[dict[str, str]]:
    """The lines of a CSV file beside this module."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def km_point(row: dict[str, str]) -> Point:
    """The point of a line, local metres."""
    return float(row["x_km"]) * 1000, float(row["y_km"]) * 1000


def on_street(plane: Plane, point: Point, *, least_rank: int, name: str = "") -> Point:
    """The nearest point on a street of at least this class, or of this name."""
    return min(
        _nearest_on(plane, edge.start, edge.end, point)
        for edge in plane.edges.values()
        if _fits(plane, edge.street, least_rank, name)
    )[1]


def _fits(plane: Plane, number: int, least_rank: int, name: str) -> bool:
    street = plane.streets[number]
    if name:
        return street.name == name
    rank = RANK[street.road_class]
    return least_rank <= rank <= 5 and not {"bridge", "tunnel"} & {key for key, _ in street.tags}


def _nearest_on(plane: Plane, start: int, end: int, point: Point) -> tuple[float, Point]:
    (x1, y1), (x2, y2) = plane.points[start], plane.points[end]
    dx, dy = x2 - x1, y2 - y1
    share = ((point[0] - x1) * dx + (point[1] - y1) * dy) / max(dx * dx + dy * dy, 1e-9)
    share = max(0.0, min(1.0, share))
    x, y = x1 + share * dx, y1 + share * dy
    return (x - point[0]) ** 2 + (y - point[1]) ** 2, (x, y)


def street_at(plane: Plane, point: Point) -> str:
    """Name of the nearest main street."""
    return min(
        (_nearest_on(plane, edge.start, edge.end, point)[0], plane.streets[edge.street].name)
        for edge in plane.edges.values()
        if _fits(plane, edge.street, 3, "")
    )[1]


def kept_lonlat(point: Point) -> tuple[float, float]:
    """Degrees of a local point, rounded as city files keep them."""
    lon, lat = to_lonlat(point)
    return round(lon, 6), round(lat, 6)
