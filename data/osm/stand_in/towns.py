"""The nine county seats: small invented towns at their known places."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

from stand_in.blocks import Fabric, fill
from stand_in.facts import COUNTY_SEATS, Point, to_xy
from stand_in.noding import Drawn, join
from stand_in.planar import Plane, Street, distance, smooth
from stand_in.street_names import StreetNames

RADIUS_M = {"shaodong": 1550.0, "longhui": 1300.0, "wugang": 1300.0, "dongkou": 1150.0}
OTHER_RADIUS_M = 1000.0

ALONG = ("人民路", "解放路", "沿河路")
ACROSS = ("建设路", "文化路", "兴隆路")
"""The same names in every town, as in life; a crossing is told apart by its town."""


@dataclass(frozen=True, slots=True)
class Town:
    """A county seat as built.

    Attributes:
        area_id: As "shaodong".
        name: As "邵东".
        centre: Local metres.
        radius_m: About as far as the ring road.
        nodes: Its nodes in the whole plane.
        ring: Junctions on its ring road.
    """

    area_id: str
    name: str
    centre: Point
    radius_m: float
    nodes: range
    ring: tuple[int, ...]


def build_towns(plane: Plane, chance: Random) -> list[Town]:
    """Adds every county seat to the plane."""
    return [
        _build(plane, area_id, name, to_xy(lon, lat), chance)
        for area_id, name, lon, lat, _ in COUNTY_SEATS
    ]


def _build(plane: Plane, area_id: str, name: str, centre: Point, chance: Random) -> Town:
    radius_m = RADIUS_M.get(area_id, OTHER_RADIUS_M)
    town = join(_drawn(centre, radius_m, chance), tie_m=450.0)
    ring_streets = {k for k, street in enumerate(town.streets) if street.name == "环城路"}
    names = StreetNames(chance, taken=frozenset((*ALONG, *ACROSS, "环城路")))
    faces = town.faces()

    def fabric_at(point: Point) -> Fabric:
        if distance(point, centre) < 0.35 * radius_m:
            return Fabric(7000, 11, 0.5, 0.8, 0.02)
        return Fabric(15000, 10, 0.5, 0.9, 0.10)

    fill(town, faces, fabric_at, names.fresh, chance)
    ring = sorted(
        {
            node
            for edge in town.edges.values()
            if edge.street in ring_streets
            for node in (edge.start, edge.end)
        }
    )
    first = plane.absorb(town)
    nodes = range(first, first + len(town.points))
    return Town(area_id, name, centre, radius_m, nodes, tuple(first + node for node in ring))


def _drawn(centre: Point, radius_m: float, chance: Random) -> list[Drawn]:
    """A crooked ring road and three main streets each way, turned as the valley runs."""
    turn = chance.uniform(0, pi)
    flat = chance.uniform(0.68, 0.9)
    ring = []
    for k in range(12):
        angle, reach = 2 * pi * k / 12, radius_m * chance.uniform(0.86, 1.06)
        ring.append(_turned(centre, (reach * cos(angle), reach * sin(angle) * flat), turn))
    ring.append(ring[0])
    lines = [Drawn(Street("环城路", "secondary").with_tags(maxspeed="50"), smooth(ring))]
    for names, swap in ((ALONG, False), (ACROSS, True)):
        for k, name in enumerate(names):
            offset = (k - 1) * 0.42 * radius_m * (1.0 if swap else flat)
            half = radius_m * (flat if swap else 1.0) * 0.93
            half *= (1 - (offset / (1.15 * radius_m * (1.0 if swap else flat))) ** 2) ** 0.5
            line = []
            for share in (-1.0, -0.35, 0.35, 1.0):
                across = offset + chance.uniform(-0.05, 0.05) * radius_m
                point = (across, share * half) if swap else (share * half, across)
                line.append(_turned(centre, point, turn))
            road_class = "primary" if k == 1 else "secondary" if k == 0 else "tertiary"
            lines.append(Drawn(Street(name, road_class).with_tags(maxspeed="40"), smooth(line)))
    return lines


def _turned(centre: Point, point: Point, turn: float) -> Point:
    return (
        centre[0] + point[0] * cos(turn) - point[1] * sin(turn),
        centre[1] + point[0] * sin(turn) + point[1] * cos(turn),
    )
