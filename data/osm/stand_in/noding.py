"""Joins drawn lines into a plane network: crossings become nodes, loose ends are tied on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot

from shapely import LineString
from shapely import Point as ShapelyPoint

from stand_in.facts import Point
from stand_in.planar import Plane, Street, distance

MERGE_M = 28.0
"""Crossings nearer to each other than this become one junction."""
CLEAR_M = 16.0
"""Shape points nearer to a junction than this are dropped."""


@dataclass(slots=True)
class Drawn:
    """A line as drawn, in local metres; a bridge's own name replaces the street's over water."""

    street: Street
    points: list[Point]
    junctions: list[tuple[float, Point]] = field(default_factory=list)


class LooseEndError(ValueError):
    """A drawn line ends where no other line is near."""


def join(drawn: Sequence[Drawn], *, tie_m: float = 260.0) -> Plane:
    """The plane network of drawn lines.

    Args:
        drawn: The lines.
        tie_m: An end is led to the nearest other line up to this far away.

    Raises:
        LooseEndError: An end has no other line within `tie_m`.
    """
    for number, line in enumerate(drawn):
        _tie_ends(line, [other for k, other in enumerate(drawn) if k != number], tie_m)
    shapes = [LineString(line.points) for line in drawn]
    spots: list[Point] = []
    for i, first in enumerate(drawn):
        for j in range(i + 1, len(drawn)):
            for point in _meetings(shapes[i], shapes[j]):
                spot = _merged(spots, point)
                first.junctions.append((shapes[i].project(ShapelyPoint(point)), spot))
                drawn[j].junctions.append((shapes[j].project(ShapelyPoint(point)), spot))
    return _assemble(drawn, shapes)


def _tie_ends(line: Drawn, others: Sequence[Drawn], tie_m: float) -> None:
    if line.points[0] == line.points[-1]:
        return
    for end, before in ((0, 1), (-1, -2)):
        tip = ShapelyPoint(line.points[end])
        nearest = min(others, key=lambda other: LineString(other.points).distance(tip))
        shape = LineString(nearest.points)
        away = shape.distance(tip)
        if away > tie_m:
            raise LooseEndError(
                f"{line.street.name} ends loose at {line.points[end]}, {away:.0f} m away"
            )
        if _crosses_near(LineString(line.points), shape, tip, 1.8 * away + 1.0):
            continue
        tied = shape.interpolate(shape.project(tip))
        # One metre beyond, so that the two lines cross whatever the rounding.
        dx, dy = tied.x - line.points[before][0], tied.y - line.points[before][1]
        length = max(hypot(dx, dy), 1e-9)
        line.points[end] = (tied.x + dx / length, tied.y + dy / length)


def _crosses_near(line: LineString, shape: LineString, tip: ShapelyPoint, near_m: float) -> bool:
    """Whether the line runs over the shape just before its tip: then the tail is cut off."""
    return any(tip.distance(ShapelyPoint(point)) < near_m for point in _meetings(line, shape))


def _meetings(one: LineString, two: LineString) -> list[Point]:
    shared = one.intersection(two)
    parts = getattr(shared, "geoms", [shared])
    return sorted((p.x, p.y) for p in parts if p.geom_type == "Point")


def _merged(spots: list[Point], point: Point) -> Point:
    for spot in spots:
        if distance(spot, point) < MERGE_M:
            return spot
    spots.append(point)
    return point


def _measured(points: Sequence[Point]) -> list[tuple[float, Point]]:
    at, out = 0.0, [(0.0, points[0])]
    for before, point in itertools.pairwise(points):
        at += distance(before, point)
        out.append((at, point))
    return out


def _assemble(drawn: Sequence[Drawn], shapes: Sequence[LineString]) -> Plane:
    plane = Plane()
    nodes: dict[Point, int] = {}
    for line, shape in zip(drawn, shapes, strict=True):
        junctions = sorted(line.junctions)
        closed = line.points[0] == line.points[-1]
        along = _measured(line.points)[: -1 if closed else None]
        stops = [(at, spot, True) for at, spot in junctions]
        first, last = (0.0, shape.length) if closed else (junctions[0][0], junctions[-1][0])
        for at, point in along:
            if first <= at <= last and all(distance(point, s) > CLEAR_M for _, s in junctions):
                stops.append((at, point, False))
        path: list[int] = []
        for _, point, joint in sorted(stops):
            node = nodes.get(point) if joint else None
            if node is None:
                node = plane.add_node(point)
                if joint:
                    nodes[point] = node
            if not path or path[-1] != node:
                path.append(node)
        plane.add_street(line.street, [*path, path[0]] if closed else path)
    return plane
