"""Roads between the towns: national and provincial roads, villages along them, the motorway."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import hypot
from random import Random

from shapely import LineString, STRtree
from shapely import Point as ShapelyPoint

from stand_in.facts import Point
from stand_in.planar import Plane, Street, distance, smooth
from stand_in.skeleton import Km, metres
from stand_in.towns import Town

CITY_GATES: dict[str, Km] = {
    "shaodong": (6.5, -0.75),
    "longhui": (-5.6, -2.35),
    "xinshao": (-0.9, 4.5),
    "shaoyangxian": (-0.85, -5.3),
}
"""Where the road to a county leaves the outer ring."""

TRUNKS = (
    # from, to, name, class; all but 320国道 are invented names
    ("city", "shaodong", "320国道", "trunk"),
    ("city", "longhui", "320国道", "trunk"),
    ("longhui", "dongkou", "320国道", "trunk"),
    ("city", "xinshao", "邵新公路", "trunk"),
    ("city", "shaoyangxian", "邵塘公路", "trunk"),
    ("shaoyangxian", "xinning", "塘宁公路", "trunk"),
    ("dongkou", "wugang", "洞武公路", "trunk"),
    ("wugang", "xinning", "武宁公路", "primary"),
    ("dongkou", "suining", "洞绥公路", "trunk"),
    ("suining", "chengbu", "绥城公路", "primary"),
    ("wugang", "chengbu", "武城公路", "primary"),
    ("chengbu", "xinning", "城宁公路", "primary"),
)

MOTORWAY_KM: tuple[Km, ...] = (
    (29.5, -3.4), (22.0, -6.0), (13.0, -8.4), (4.0, -9.8), (-5.0, -11.2), (-14.0, -13.0),
    (-28.0, -16.8), (-43.0, -19.2), (-60.0, -21.6), (-76.0, -24.0), (-89.5, -26.0),
)  # fmt: skip
"""沪昆高速 (G60): that it passes the city east-west is known, its line here is invented."""

CARRIAGEWAY_M = 15.0
XINSHAO_BRIDGE = "新邵资江一桥"
"""Named in the press as the place of 新邵1号; outside the main urban area."""


def build_trunks(plane: Plane, towns: Sequence[Town], chance: Random) -> None:
    """Joins the towns to the city and to each other, with villages along the way."""
    by_id = {town.area_id: town for town in towns}
    for start_id, end_id, name, road_class in TRUNKS:
        end_town = by_id[end_id]
        if start_id == "city":
            start = _nearest(plane, range(len(plane.points)), metres([CITY_GATES[end_id]])[0])
        else:
            start = _nearest(plane, by_id[start_id].ring, end_town.centre)
        end = _nearest(plane, end_town.ring, plane.points[start])
        way = _winding(plane.points[start], plane.points[end], chance)
        nodes = [start, *(plane.add_node(point) for point in way[1:-1]), end]
        street = Street(name, road_class).with_tags(lanes="2", maxspeed="70")
        plane.add_street(street, nodes)
    _villages(plane, chance)
    _xinshao_bridge(plane, by_id["xinshao"])


def build_motorway(plane: Plane, towns: Sequence[Town], chance: Random) -> None:
    """Adds both carriageways and four interchanges."""
    by_id = {town.area_id: town for town in towns}
    line = smooth(metres(MOTORWAY_KM), rounds=3)
    trunk = [
        node
        for edge in plane.edges.values()
        if plane.streets[edge.street].name == "邵塘公路"
        for node in (edge.start, edge.end)
    ]
    gates = []
    for area_id in ("shaodong", "longhui", "dongkou"):
        town = by_id[area_id]
        at = min(range(2, len(line) - 2), key=lambda k: distance(line[k], town.centre))
        gate = plane.add_node(_beside(line[at], town.centre, 420.0))
        ring = _nearest(plane, town.ring, plane.points[gate])
        street = Street(f"{town.name}互通连接线", "primary").with_tags(lanes="4", maxspeed="60")
        between = _winding(plane.points[gate], plane.points[ring], chance)[1:-1]
        plane.add_street(street, [gate, *(plane.add_node(point) for point in between), ring])
        gates.append((at, gate))
    shape = LineString(line)
    crossing = min(trunk, key=lambda node: _off(shape, plane.points[node], 300.0))
    at = min(range(len(line)), key=lambda k: distance(line[k], plane.points[crossing]))
    gates.append((at, crossing))
    _carriageways(plane, line, sorted(gates))
    _lift_crossings(plane)


def _off(shape: LineString, point: Point, wanted_m: float) -> float:
    return abs(float(shape.distance(ShapelyPoint(point))) - wanted_m)


def _nearest(plane: Plane, nodes: Sequence[int], point: Point) -> int:
    return min(nodes, key=lambda node: (distance(plane.points[node], point), node))


def _beside(point: Point, toward: Point, away_m: float) -> Point:
    length = distance(point, toward)
    return (
        point[0] + (toward[0] - point[0]) / length * away_m,
        point[1] + (toward[1] - point[1]) / length * away_m,
    )


def _winding(start: Point, end: Point, chance: Random) -> list[Point]:
    """A winding line: the middle is moved aside, again and again, less each time."""
    line = [start, end]
    sway = 0.07
    while max(distance(a, b) for a, b in itertools.pairwise(line)) > 900:
        finer = [line[0]]
        for a, b in itertools.pairwise(line):
            aside = max(-0.13, min(0.13, chance.gauss(0.0, sway)))
            finer.append(
                (
                    (a[0] + b[0]) / 2 - (b[1] - a[1]) * aside,
                    (a[1] + b[1]) / 2 + (b[0] - a[0]) * aside,
                )
            )
            finer.append(b)
        line = finer
    return smooth(line, rounds=1)


def _villages(plane: Plane, chance: Random) -> None:
    """Every few kilometres a side road to a village with a few lanes."""
    lines = [
        LineString([plane.points[edge.start], plane.points[edge.end]])
        for edge in plane.edges.values()
    ]
    tree = STRtree(lines)
    country = [
        (edge.start, edge.end)
        for edge in plane.edges.values()
        if plane.streets[edge.street].name.endswith(("公路", "国道"))
    ]
    since_m = 0.0
    for start, end in country:
        since_m += distance(plane.points[start], plane.points[end])
        if since_m < chance.uniform(2600, 4600):
            continue
        if _village(plane, tree, start, end, chance):
            since_m = 0.0


def _village(plane: Plane, tree: STRtree, start: int, end: int, chance: Random) -> bool:
    (x1, y1), (x2, y2) = plane.points[start], plane.points[end]
    length = hypot(x2 - x1, y2 - y1)
    sign = chance.choice((1, -1))
    nx, ny = -(y2 - y1) / length * sign, (x2 - x1) / length * sign
    deep = chance.uniform(500, 1300)
    side = chance.uniform(-0.35, 0.35)
    stops = [
        (x1 + (nx - ny * side * far) * deep * far, y1 + (ny + nx * side * far) * deep * far)
        for far in (0.25, 0.5, 0.75, 1.0)
    ]
    room = LineString([(x1 + nx * 60, y1 + ny * 60), *stops]).buffer(260)
    clear = LineString(stops).buffer(150)
    if len(tree.query(clear, predicate="intersects")) or room.is_empty:
        return False
    road = [plane.add_node(point) for point in stops]
    plane.add_street(Street("", "unclassified"), [start, *road])
    for at, node in enumerate(road[1:], start=1):
        for way in (1, -1):
            reach = chance.uniform(50, 130)
            if at == 1 and way == 1:
                continue
            x, y = plane.points[node]
            tip = plane.add_node((x - ny * reach * way, y + nx * reach * way))
            plane.add_street(Street("", "residential"), [node, tip])
    return True


def _xinshao_bridge(plane: Plane, town: Town) -> None:
    bank = _nearest(plane, town.ring, (2500.0, 7750.0))
    west, east, end = ((820.0, 7800.0), (1330.0, 7860.0), (2100.0, 7900.0))
    nodes = [plane.add_node(point) for point in (west, east, end)]
    plane.add_street(Street("大桥路", "secondary").with_tags(maxspeed="40"), [bank, nodes[0]])
    bridge = Street(XINSHAO_BRIDGE, "secondary").with_tags(bridge="yes", layer="1")
    plane.add_street(bridge, nodes[:2])
    plane.add_street(Street("大桥路", "secondary").with_tags(maxspeed="40"), nodes[1:])
    for reach in (160.0, -190.0):
        tip = plane.add_node((2100.0, 7900.0 + reach))
        plane.add_street(Street("东岸街", "residential"), [nodes[2], tip])


def _carriageways(plane: Plane, line: list[Point], gates: list[tuple[int, int]]) -> None:
    """One way each, driving on the right; ramps leave before an interchange and join after it."""
    first, last = gates[0][0], gates[-1][0]
    road = Street("沪昆高速", "motorway").with_tags(
        oneway="yes", lanes="2", maxspeed="100", ref="G60"
    )
    ramp = Street("", "motorway_link").with_tags(oneway="yes", lanes="1", maxspeed="40")
    for reverse in (False, True):
        kept = line[first : last + 1]
        nodes = [plane.add_node(point) for point in _right_of(kept[::-1] if reverse else kept)]
        plane.add_street(road, nodes)
        end = len(nodes) - 1
        for at, gate in gates:
            place = last - at if reverse else at - first
            if place > 0:
                plane.add_street(ramp, [nodes[end if place == end else place - 1], gate])
            if place < end:
                plane.add_street(ramp, [gate, nodes[place + 1 if place else 0]])


def _right_of(line: Sequence[Point]) -> list[Point]:
    out = []
    for k, (x, y) in enumerate(line):
        before, after = line[max(k - 1, 0)], line[min(k + 1, len(line) - 1)]
        length = distance(before, after)
        dx, dy = (after[0] - before[0]) / length, (after[1] - before[1]) / length
        out.append((x + dy * CARRIAGEWAY_M, y - dx * CARRIAGEWAY_M))
    return out


def _lift_crossings(plane: Plane) -> None:
    """Whatever crosses a carriageway without a junction is a bridge over it."""
    edges = list(plane.edges.values())
    lines = [LineString([plane.points[e.start], plane.points[e.end]]) for e in edges]
    motorway = [k for k, e in enumerate(edges) if plane.streets[e.street].name == "沪昆高速"]
    tree = STRtree(lines)
    for k in motorway:
        for other in sorted(tree.query(lines[k], predicate="crosses").tolist()):
            street = plane.streets[edges[other].street]
            if street.name == "沪昆高速" or ("bridge", "yes") in street.tags:
                continue
            plane.streets.append(street.with_tags(bridge="yes", layer="1"))
            edges[other].street = len(plane.streets) - 1
