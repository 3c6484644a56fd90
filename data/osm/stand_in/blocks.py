"""Fills the blocks between arterials with streets and lanes, by cutting them again and again.

A block is cut across its long side, so streets follow the nearest arterials and no town-wide grid
appears; the old town is cut smaller and more crookedly. Blocks that are small enough get lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians, sin
from random import Random

from shapely import LineString, Polygon
from shapely import Point as ShapelyPoint

from stand_in.facts import Point
from stand_in.lanes import MIN_PIECE_M, add_lanes
from stand_in.planar import Plane, Street, bend_deg, distance, ring_area

MIN_ANGLE_DEG = 32.0
"""Streets never meet at a sharper angle than this."""
TRIES = 6
STREET_BY_AREA = ((330_000, "tertiary"), (90_000, "unclassified"), (17_000, "residential"))
"""Class of a street by the square metres of the block it cuts; living_street below."""


@dataclass(frozen=True, slots=True)
class Fabric:
    """How streets are woven at a place.

    Attributes:
        block_m2: Blocks of about this size are not cut again.
        crook_deg: How far a cut may turn from square.
        bend: Share of streets with a bend.
        lanes: Mean number of dead-end lanes in a block.
        open_share: Share of large blocks left open: parks, hills, works.
    """

    block_m2: float
    crook_deg: float
    bend: float
    lanes: float
    open_share: float


Naming = Callable[[str], str]
"""A fresh street name for a road class; empty where such streets have none."""


def fill(
    plane: Plane,
    faces: Sequence[Sequence[int]],
    fabric_at: Callable[[Point], Fabric],
    name: Naming,
    chance: Random,
) -> None:
    """Cuts every face into blocks and puts lanes into them."""
    waiting = [list(face) for face in faces]
    while waiting:
        ring = plane.ring(waiting.pop())
        outline = [plane.points[node] for node in ring]
        area = ring_area(outline)
        centre = _middle(outline)
        fabric = fabric_at(centre)
        if area < fabric.block_m2 * chance.uniform(0.75, 1.5):
            add_lanes(plane, ring, fabric.lanes, chance)
            continue
        if area < 260_000 and chance.random() < fabric.open_share:
            continue
        parts = _cut(plane, ring, area=area, fabric=fabric, name=name, chance=chance)
        if parts is None:
            add_lanes(plane, ring, fabric.lanes, chance)
        else:
            waiting.extend(parts)


def _middle(outline: Sequence[Point]) -> Point:
    return (
        sum(x for x, _ in outline) / len(outline),
        sum(y for _, y in outline) / len(outline),
    )


def _cut(
    plane: Plane, ring: list[int], *, area: float, fabric: Fabric, name: Naming, chance: Random
) -> tuple[list[int], list[int]] | None:
    """One street through the block; None when no decent one was found."""
    outline = [plane.points[node] for node in ring]
    block = Polygon(outline)
    for attempt in range(TRIES):
        origin, axis, short_m = _cut_axis(outline, block, fabric, chance, attempt)
        ends = _ends(outline, origin, axis)
        if ends is None:
            continue
        snap_m = min(42.0, 0.28 * short_m)
        sides = [_settled(plane, ring, hit, snap_m) for hit in ends]
        spots = [_spot(plane, ring, side) for side in sides]
        path = _path(spots, block, fabric, chance)
        if not _decent(ring, outline, sides, path, block):
            continue
        return _lay(plane, ring, sides, path, area=area, name=name)
    return None


def _cut_axis(
    outline: Sequence[Point], block: Polygon, fabric: Fabric, chance: Random, attempt: int
) -> tuple[Point, Point, float]:
    """Where the cut goes through and which way: across the long side of the smallest box."""
    (ax, ay), origin, long_m, short_m = _box(outline)
    crook = chance.gauss(0.0, fabric.crook_deg * (1 + 0.5 * attempt))
    turn = radians(90.0 + max(-35.0, min(35.0, crook)))
    along = long_m * chance.uniform(0.36, 0.64)
    x = origin[0] + ax * along - ay * short_m / 2
    y = origin[1] + ay * along + ax * short_m / 2
    if not block.contains(ShapelyPoint(x, y)):
        inner = block.representative_point()
        x, y = inner.x, inner.y
    axis = (ax * cos(turn) - ay * sin(turn), ax * sin(turn) + ay * cos(turn))
    return (x, y), axis, short_m


def _box(outline: Sequence[Point]) -> tuple[Point, Point, float, float]:
    """Smallest box on one of the sides: unit vector of its long side, corner, both lengths."""
    best: tuple[float, Point, Point, float, float] | None = None
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        length = hypot(x2 - x1, y2 - y1)
        if length < 5.0:
            continue
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        us = [x * ux + y * uy for x, y in outline]
        vs = [-x * uy + y * ux for x, y in outline]
        u0, v0, wide, high = min(us), min(vs), max(us) - min(us), max(vs) - min(vs)
        if best is not None and wide * high >= best[0]:
            continue
        corner = (u0 * ux - v0 * uy, u0 * uy + v0 * ux)
        if wide >= high:
            best = (wide * high, (ux, uy), corner, wide, high)
        else:
            far = (corner[0] + wide * ux, corner[1] + wide * uy)
            best = (wide * high, (-uy, ux), far, high, wide)
    if best is None:
        raise ValueError("a block without sides")
    return best[1:]


Hit = tuple[int, Point]
"""Number of a ring's edge and the point on it."""


def _ends(outline: Sequence[Point], origin: Point, axis: Point) -> tuple[Hit, Hit] | None:
    """Nearest crossings of the outline on both sides of the origin."""
    ahead: tuple[float, Hit] | None = None
    behind: tuple[float, Hit] | None = None
    for number, (a, b) in enumerate(zip(outline, [*outline[1:], outline[0]], strict=True)):
        dx, dy = b[0] - a[0], b[1] - a[1]
        across = axis[0] * dy - axis[1] * dx
        if abs(across) < 1e-9:
            continue
        ox, oy = a[0] - origin[0], a[1] - origin[1]
        t = (ox * dy - oy * dx) / across
        u = (ox * axis[1] - oy * axis[0]) / across
        if not 0.0 <= u < 1.0:
            continue
        hit = (number, (a[0] + dx * u, a[1] + dy * u))
        if t > 0 and (ahead is None or t < ahead[0]):
            ahead = (t, hit)
        if t < 0 and (behind is None or t > behind[0]):
            behind = (t, hit)
    return None if ahead is None or behind is None else (ahead[1], behind[1])


Side = tuple[int, Point | None]
"""An end of a cut: a ring's edge and a point on it, or a node of the ring and no point."""


def _settled(plane: Plane, ring: Sequence[int], hit: Hit, snap_m: float) -> Side:
    """Moves an end to a node of the ring nearby, best to a junction that comes from beyond."""
    number, point = hit
    choices = []
    for k in range(number - 2, number + 4):
        place = k % len(ring)
        away = distance(plane.points[ring[place]], point)
        junction = len(plane.at_node[ring[place]]) > 2
        if away < (snap_m if junction else MIN_PIECE_M):
            choices.append((away, place))
    if choices:
        return min(choices)[1], None
    return number, point


def _spot(plane: Plane, ring: Sequence[int], side: Side) -> Point:
    return plane.points[ring[side[0]]] if side[1] is None else side[1]


def _path(spots: Sequence[Point], block: Polygon, fabric: Fabric, chance: Random) -> list[Point]:
    start, end = spots
    length = distance(start, end)
    if length < 110.0 or chance.random() > fabric.bend:
        return [start, end]
    nx, ny = -(end[1] - start[1]) / length, (end[0] - start[0]) / length
    away = max(-0.12, min(0.12, chance.gauss(0.0, 0.05))) * length
    path = [start]
    for share, part in ((0.3, 0.8), (0.68, 1.0)):
        x = start[0] + (end[0] - start[0]) * share + nx * away * part
        y = start[1] + (end[1] - start[1]) * share + ny * away * part
        path.append((x, y))
    path.append(end)
    return path if block.buffer(-6.0).contains(LineString(path[1:-1])) else [start, end]


def _decent(
    ring: Sequence[int],
    outline: Sequence[Point],
    sides: Sequence[Side],
    path: Sequence[Point],
    block: Polygon,
) -> bool:
    """Whether the cut keeps clear of the outline and meets it at no sharp angle."""
    if sides[0][0] == sides[1][0] or len(path) < 2 or distance(path[0], path[-1]) < 30.0:
        return False
    for side, at, inward in ((sides[0], path[0], path[1]), (sides[1], path[-1], path[-2])):
        place, point = side
        before = outline[place] if point else outline[place - 1]
        after = outline[(place + 1) % len(ring)]
        for neighbour in (before, after):
            if bend_deg(neighbour, at, inward) < MIN_ANGLE_DEG:
                return False
    return bool(block.buffer(0.05).contains(LineString(path)))


def _lay(
    plane: Plane,
    ring: list[int],
    sides: Sequence[Side],
    path: Sequence[Point],
    *,
    area: float,
    name: Naming,
) -> tuple[list[int], list[int]]:
    """Adds the street and parts the ring in two."""
    ends = []
    for place, point in sides:
        if point is None:
            ends.append(ring[place])
        else:
            ends.append(plane.split(ring[place], ring[(place + 1) % len(ring)], point))
    fresh = plane.ring(ring)
    first, second = fresh.index(ends[0]), fresh.index(ends[1])
    inner = [plane.add_node(point) for point in path[1:-1]]
    street = _continued(plane, ends, inner) or _fresh_street(area, name)
    plane.add_street(street, [ends[0], *inner, ends[1]])
    if first > second:
        first, second, inner = second, first, inner[::-1]
    one = fresh[first : second + 1] + inner[::-1]
    two = fresh[second:] + fresh[: first + 1] + inner
    return one, two


def _fresh_street(area: float, name: Naming) -> Street:
    for limit, road_class in STREET_BY_AREA:
        if area > limit:
            return Street(name(road_class), road_class)
    return Street(name("living_street"), "living_street")


def _continued(plane: Plane, ends: Sequence[int], inner: Sequence[int]) -> Street | None:
    """A street that ends straight across goes on under its name."""
    for end, toward in ((ends[0], [*inner, ends[1]][0]), (ends[1], [*inner[::-1], ends[0]][0])):
        for beyond in plane.at_node[end]:
            street = plane.street_between(end, beyond)
            if street.road_class not in {"unclassified", "residential"}:
                continue
            straight = bend_deg(plane.points[beyond], plane.points[end], plane.points[toward])
            if straight > 155.0:
                return street
    return None
