"""Puts the whole stand-in together: the city, nine towns, the roads between, the rules."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shapely import Polygon

from stand_in import skeleton
from stand_in.blocks import Fabric, fill
from stand_in.country import build_motorway, build_trunks
from stand_in.facts import CITY_CENTRE, Point, to_xy
from stand_in.noding import join
from stand_in.planar import Plane, distance
from stand_in.rules import OLD_TOWN, OLD_TOWN_M, Rules, make_rules
from stand_in.street_names import StreetNames
from stand_in.towns import Town, build_towns

SEED = 20170906
"""Any number; another one gives another network."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """The network before it is written.

    Attributes:
        plane: Nodes, edges, streets.
        rules: Signals, gates, forbidden turns.
        city_nodes: How many of the first nodes belong to the main urban area.
        towns: The county seats.
    """

    plane: Plane
    rules: Rules
    city_nodes: int
    towns: tuple[Town, ...]


def build(seed: int = SEED) -> StandIn:
    """The stand-in network for a seed."""
    chance = Random(seed)  # noqa: S311  (streets, not secrets)
    plane = join(skeleton.drawn_roads())
    skeleton.name_bridges(plane)
    skeleton.name_banks(plane)
    names = StreetNames(chance, taken=frozenset(street.name for street in plane.streets))
    fill(plane, _land_faces(plane), _fabric_at, names.fresh, chance)
    skeleton.dig_tunnel(plane)
    city_nodes = len(plane.points)
    towns = build_towns(plane, chance)
    build_trunks(plane, towns, chance)
    build_motorway(plane, towns, chance)
    return StandIn(plane, make_rules(plane, chance), city_nodes, tuple(towns))


def _land_faces(plane: Plane) -> list[list[int]]:
    water = skeleton.river_land().buffer(-9.0)
    faces = []
    for face in plane.faces():
        inner = Polygon([plane.points[node] for node in face]).buffer(-25.0)
        if inner.is_empty or not water.intersects(inner.representative_point()):
            faces.append(face)
    return faces


def _fabric_at(point: Point) -> Fabric:
    """Old town small and crooked, the centre dense, the rim open."""
    away = distance(point, to_xy(*CITY_CENTRE))
    if distance(point, OLD_TOWN) < OLD_TOWN_M:
        return Fabric(4500, 14, 0.6, 0.7, 0.02)
    if away < 2600:
        return Fabric(8000, 5, 0.35, 0.9, 0.03)
    if away < 4300:
        return Fabric(12500, 7, 0.4, 1.0, 0.06)
    return Fabric(26000, 9, 0.5, 1.0, 0.12)
