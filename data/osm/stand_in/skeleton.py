"""The drawn skeleton of the main urban area: rivers, ring, arterials, bridges.

The arterials stand in `main_roads.csv`. Names, which streets meet which, and their order are
sourced (see `facts`) unless marked as invented; every position is invented to agree with them.
Points are kilometres east and north of the confluence.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shapely import LineString, Polygon
from shapely import Point as ShapelyPoint
from shapely.ops import linemerge, unary_union

from stand_in.facts import BRIDGES, SHAO, ZI, Point, to_xy
from stand_in.noding import Drawn
from stand_in.planar import Plane, Street, distance, smooth, through

Km = tuple[float, float]

ZI_UPSTREAM_KM: tuple[Km, ...] = ((-11.2, -7.4), (-9.8, -6.3))
ZI_DOWNSTREAM_KM: tuple[Km, ...] = ((1.9, 6.3), (1.15, 7.4), (0.75, 8.8), (-0.6, 10.2))
SHAO_UPSTREAM_KM: tuple[Km, ...] = (
    (3.1, -4.75),
    (4.3, -5.6),
    (6.1, -5.1),
    (8.6, -5.7),
    (12.0, -5.0),
)
"""Invented ends of the rivers, so that no street can go round the ends of the sourced lines."""

ZI_BANK_M = 125.0
SHAO_BANK_M = 62.0
"""From the centre line to the road on the bank."""

BRIDGE_SPOTS: tuple[tuple[str, Km], ...] = (
    ("青龙桥", (0.56, -0.78)),
    ("邵水桥", (0.87, -1.62)),
    ("桃花桥", (0.88, -3.0)),
    ("佘湖桥", (1.75, -4.55)),
    ("西湖桥", (-1.22, 0.08)),
    ("资江一桥", (0.68, 0.74)),
    ("资江二桥", (2.52, 3.75)),
    ("雪峰大桥", (-2.92, -0.05)),
    ("桂花大桥", (-4.35, -2.46)),
    ("沿江桥", (0.09, -0.19)),
)

BANK = "bank"
"""Name of the bank roads until their side is known.

资江北路, 资江南路 and 邵水西路 are sourced names, 沿江路 and 邵水东路 are invented.
"""


@dataclass(frozen=True, slots=True)
class MainRoad:
    """A line of `main_roads.csv`."""

    name: str
    road_class: str
    lanes: int
    line_km: tuple[Km, ...]


@cache
def main_roads() -> tuple[MainRoad, ...]:
    """The arterials; the file says which names are invented, the lines all are."""
    table = Path(__file__).with_name("main_roads.csv").read_text(encoding="utf-8")
    return tuple(
        MainRoad(row["name"], row["class"], int(row["lanes"]), _line_km(row["line_km"]))
        for row in csv.DictReader(table.splitlines())
    )


def _line_km(text: str) -> tuple[Km, ...]:
    pairs = (pair.split() for pair in text.split(";"))
    return tuple((float(x), float(y)) for x, y in pairs)


def metres(points: Sequence[Km]) -> list[Point]:
    """Kilometres to metres."""
    return [(x * 1000, y * 1000) for x, y in points]


def zi_line() -> list[Point]:
    """The centre line of the Zi with its invented ends, smoothed."""
    known = [to_xy(*point) for point in ZI]
    return through([*metres(ZI_UPSTREAM_KM), *known, *metres(ZI_DOWNSTREAM_KM)])


def shao_line() -> list[Point]:
    """The centre line of the Shao from its mouth up, with its invented end, smoothed."""
    return through([*(to_xy(*point) for point in SHAO), *metres(SHAO_UPSTREAM_KM)])


def river_land() -> Polygon:
    """Both rivers with their banks, up to the roads on them."""
    return unary_union(
        [LineString(zi_line()).buffer(ZI_BANK_M), LineString(shao_line()).buffer(SHAO_BANK_M)]
    )


def outer_ring() -> Polygon:
    """The main urban area: inside the outer ring road."""
    parts = {road.name: road.line_km for road in main_roads()}
    along = parts["邵阳大道"]
    ring = [
        *along[along.index(parts["南外环路"][-1]) :],
        *parts["西外环路"][1:],
        *parts["北外环路"][1:],
        *parts["东外环路"][1:],
        *parts["南外环路"][1:-1],
    ]
    return Polygon(metres(ring))


def drawn_roads() -> list[Drawn]:
    """All lines of the main urban area, ready to be joined."""
    lines = [Drawn(_street(road), smooth(metres(road.line_km))) for road in main_roads()]
    lines.extend(_bank_roads())
    lines.append(Drawn(Street("沿江桥", "secondary"), [(-25.0, -215.0), (215.0, -165.0)]))
    return lines


def _street(road: MainRoad) -> Street:
    street = Street(road.name, road.road_class).with_tags(lanes=str(road.lanes))
    limit = {"primary": "60", "secondary": "50"}.get(road.road_class)
    if road.name == "邵阳大道":
        limit = "50"
    return street if limit is None else street.with_tags(maxspeed=limit)


def _bank_roads() -> Iterator[Drawn]:
    banks = linemerge(river_land().exterior.intersection(outer_ring()))
    for bank in getattr(banks, "geoms", [banks]):
        if bank.length > 400:
            points = list(bank.simplify(2.5).coords)
            yield Drawn(Street(BANK, "secondary").with_tags(lanes="4", maxspeed="50"), points)


def name_banks(plane: Plane) -> None:
    """Gives the bank roads their names: by side of the rivers."""
    zi, shao = LineString(zi_line()), LineString(shao_line())
    named: dict[str, int] = {}
    for edge in plane.edges.values():
        street = plane.streets[edge.street]
        if street.name != BANK:
            continue
        (x1, y1), (x2, y2) = plane.points[edge.start], plane.points[edge.end]
        middle = ShapelyPoint((x1 + x2) / 2, (y1 + y2) / 2)
        if shao.distance(middle) < zi.distance(middle):
            name = "邵水西路" if _left_of(shao, middle) else "邵水东路"
        elif _left_of(zi, middle):
            name = "资江北路"
        else:
            name = "资江南路" if middle.x < 60.0 else "沿江路"
        if name not in named:
            plane.streets.append(Street(name, street.road_class, street.tags))
            named[name] = len(plane.streets) - 1
        edge.street = named[name]


def _left_of(line: LineString, point: ShapelyPoint) -> bool:
    at = line.project(point)
    a, b = line.interpolate(at - 5.0), line.interpolate(at + 5.0)
    return bool((b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) > 0)


def name_bridges(plane: Plane) -> None:
    """Makes every edge over the rivers a part of its bridge; nothing else may cross them.

    Raises:
        ValueError: The bridges drawn are not those known, or an edge crosses a river off them.
    """
    drawn = {name for name, _ in BRIDGE_SPOTS}
    if drawn != set(BRIDGES):
        raise ValueError(f"BRIDGE_SPOTS and facts.BRIDGES differ: {sorted(drawn ^ set(BRIDGES))}")
    water = river_land().buffer(-9.0)
    spots = [(name, (x * 1000, y * 1000)) for name, (x, y) in BRIDGE_SPOTS]
    bridges: dict[tuple[str, int], int] = {}
    for edge in plane.edges.values():
        line = LineString([plane.points[edge.start], plane.points[edge.end]])
        inside = line.intersection(water).length
        if inside < 8.0:
            continue
        away, name = min((line.distance(ShapelyPoint(at)), name) for name, at in spots)
        if away > 400:
            raise ValueError(f"{plane.streets[edge.street].name} crosses a river off {name}")
        known = bridges.get((name, edge.street))
        if known is None:
            street = plane.streets[edge.street]
            tags = (*street.tags, ("bridge", "yes"), ("layer", "1"))
            plane.streets.append(Street(name, street.road_class, tags))
            known = bridges[name, edge.street] = len(plane.streets) - 1
        edge.street = known


def dig_tunnel(plane: Plane) -> None:
    """新华路 has a tunnel; its place is invented: the longest stretch without a junction."""
    stretches = [e for e in plane.edges.values() if plane.streets[e.street].name == "新华路"]
    longest = max(
        stretches, key=lambda e: (distance(plane.points[e.start], plane.points[e.end]), e.start)
    )
    street = plane.streets[longest.street]
    tags = (*street.tags, ("tunnel", "yes"), ("layer", "-1"))
    plane.streets.append(Street("新华路隧道", street.road_class, tags))
    longest.street = len(plane.streets) - 1
