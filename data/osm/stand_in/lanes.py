"""Dead-end lanes inside blocks: drives and alleys of housing estates, some behind a gate."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from shapely import LineString, Polygon

from stand_in.facts import Point
from stand_in.planar import Plane, Street, distance

MIN_PIECE_M = 16.0
"""A junction is never nearer than this to the next one on the same side."""


def add_lanes(plane: Plane, ring: list[int], mean: float, chance: Random) -> None:
    """Dead-end lanes from the block's edge inward, some with a branch."""
    for _ in range(int(mean + chance.random())):
        ring = plane.ring(ring)
        outline = [plane.points[node] for node in ring]
        room = Polygon(outline).buffer(-9.0)
        if room.is_empty or room.geom_type != "Polygon":
            return
        at = chance.randrange(len(ring))
        a, b = outline[at], outline[(at + 1) % len(ring)]
        side_m = distance(a, b)
        if side_m < 2.6 * MIN_PIECE_M:
            continue
        share = chance.uniform(MIN_PIECE_M / side_m, 1 - MIN_PIECE_M / side_m)
        foot = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
        inward = (-(b[1] - a[1]) / side_m, (b[0] - a[0]) / side_m)
        deep = _depth(room, foot, inward) * chance.uniform(0.45, 0.8)
        if deep < 22.0:
            continue
        _add_lane(plane, ring, at=at, foot=foot, inward=inward, deep=deep, room=room, chance=chance)
        # Lanes may cross each other when a block gets several: one lane with branches is enough.
        return


def _depth(room: Polygon, foot: Point, inward: Point) -> float:
    ray = LineString([foot, (foot[0] + inward[0] * 400, foot[1] + inward[1] * 400)])
    inside = room.intersection(ray)
    part = min(getattr(inside, "geoms", [inside]), key=lambda g: g.distance(ray.interpolate(0)))
    return 0.0 if part.is_empty else float(part.length) + 9.0


def _add_lane(
    plane: Plane,
    ring: Sequence[int],
    *,
    at: int,
    foot: Point,
    inward: Point,
    deep: float,
    room: Polygon,
    chance: Random,
) -> None:
    gate = plane.split(ring[at], ring[(at + 1) % len(ring)], foot)
    stops = [gate]
    joints = [deep * 0.5, deep] if deep > 50.0 else [deep]
    stops.extend(
        plane.add_node((foot[0] + inward[0] * far, foot[1] + inward[1] * far)) for far in joints
    )
    access = chance.random()
    lane = Street(
        "", "service", (("service", "driveway"),) if access < 0.7 else (("service", "alley"),)
    )
    if access < 0.16:
        lane = lane.with_tags(access="private")
    plane.add_street(lane, stops)
    for joint in stops[1:]:
        for sign in (1, -1):
            if chance.random() > 0.55:
                continue
            reach = chance.uniform(18.0, 34.0)
            x, y = plane.points[joint]
            tip = (x - inward[1] * reach * sign, y + inward[0] * reach * sign)
            if room.contains(LineString([plane.points[joint], tip])):
                plane.add_street(lane, [joint, plane.add_node(tip)])
