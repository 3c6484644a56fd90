"""Traffic rules of the stand-in: signals, one-way streets, forbidden turns, gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import atan2, pi
from random import Random

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from stand_in.facts import Point
from stand_in.planar import Plane, distance

RANK = {
    "motorway": 7,
    "motorway_link": 6,
    "trunk": 6,
    "primary": 5,
    "secondary": 4,
    "tertiary": 3,
    "unclassified": 2,
    "residential": 1,
    "living_street": 0,
    "service": 0,
}
OLD_TOWN: Point = (-250.0, -650.0)
OLD_TOWN_M = 900.0


@dataclass(frozen=True, slots=True)
class Ban:
    """A forbidden turn, by nodes: from one node through another to a third.

    Attributes:
        kind: Value of OSM's restriction tag.
        start: Node before.
        via: Node of the turn.
        end: Node after.
        exempt: True where emergency vehicles may turn.
    """

    kind: str
    start: int
    via: int
    end: int
    exempt: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of the whole network."""

    signals: frozenset[int]
    gates: frozenset[int]
    bans: tuple[Ban, ...]


def make_rules(plane: Plane, chance: Random) -> Rules:
    """Chooses all rules; one-way streets are written into the plane's streets."""
    _one_ways(plane, chance)
    _car_free_lanes(plane, chance)
    _open_dead_ends(plane)
    signals = frozenset(_signals(plane, chance))
    return Rules(signals, frozenset(_gates(plane)), tuple(_bans(plane, signals, chance)))


def _one_ways(plane: Plane, chance: Random) -> None:
    for number, middle in sorted(_middles(plane).items()):
        street = plane.streets[number]
        if street.road_class not in {"unclassified", "residential", "living_street"}:
            continue
        away = distance(middle, OLD_TOWN)
        share = 0.30 if away < OLD_TOWN_M else 0.09 if away < 3000 else 0.03
        if chance.random() < share:
            plane.streets[number] = street.with_tags(oneway="yes")


def _car_free_lanes(plane: Plane, chance: Random) -> None:
    """Some old lanes are too narrow for cars; motorcycles pass."""
    for number, middle in sorted(_middles(plane).items()):
        street = plane.streets[number]
        old_lane = street.road_class == "living_street" and distance(middle, OLD_TOWN) < OLD_TOWN_M
        if old_lane and chance.random() < 0.10:
            plane.streets[number] = street.with_tags(motorcar="no")


def _middles(plane: Plane) -> dict[int, Point]:
    return {edge.street: plane.points[edge.start] for edge in plane.edges.values()}


def _open_dead_ends(plane: Plane) -> None:
    """Takes back one-way rules until cars can get in and out everywhere."""
    for _ in range(20):
        largest = _largest_component(plane)
        stuck = {
            edge.street
            for edge in plane.edges.values()
            if not (largest[edge.start] and largest[edge.end])
        }
        near = {
            node for e in plane.edges.values() if e.street in stuck for node in (e.start, e.end)
        }
        blamed = {
            e.street
            for e in plane.edges.values()
            if (e.start in near or e.end in near) and _limits(plane, e.street)
        }
        if not stuck:
            return
        for number in blamed:
            street = plane.streets[number]
            kept = tuple(t for t in street.tags if t[0] not in {"oneway", "motorcar"})
            plane.streets[number] = type(street)(street.name, street.road_class, kept)


def _limits(plane: Plane, number: int) -> bool:
    street = plane.streets[number]
    return not street.road_class.startswith("motorway") and any(
        key in {"oneway", "motorcar"} for key, _ in street.tags
    )


def _largest_component(plane: Plane) -> np.ndarray:
    starts, ends = [], []
    for edge in plane.edges.values():
        tags = dict(plane.streets[edge.street].tags)
        if tags.get("motorcar") == "no":
            continue
        starts.append(edge.start)
        ends.append(edge.end)
        if tags.get("oneway") != "yes":
            starts.append(edge.end)
            ends.append(edge.start)
    size = len(plane.points)
    matrix = coo_matrix((np.ones(len(starts)), (starts, ends)), shape=(size, size))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    largest = labels == np.bincount(labels).argmax()
    # A node between car-free lanes only is no car's concern.
    touched = np.zeros(size, dtype=bool)
    touched[starts] = True
    touched[ends] = True
    return largest | ~touched


def _signals(plane: Plane, chance: Random) -> Iterable[int]:
    for node, near in enumerate(plane.at_node):
        if len(near) < 3:
            continue
        streets = [plane.street_between(node, other) for other in near]
        ranks = sorted((RANK[street.road_class] for street in streets), reverse=True)
        names = {street.name for street in streets if RANK[street.road_class] >= 3}
        if len(names) < 2 or ranks[2] < 3 or ranks[0] > 5:
            continue
        if any(("bridge", "yes") in street.tags for street in streets) and len(near) < 4:
            continue
        share = 1.0 if ranks[2] >= 4 else 0.7 if ranks[0] >= 4 else 0.3
        if chance.random() < share:
            yield node


def _gates(plane: Plane) -> Iterable[int]:
    """The second node of every private lane has a lift gate."""
    for edge in plane.edges.values():
        if ("access", "private") not in plane.streets[edge.street].tags:
            continue
        if len(plane.at_node[edge.start]) >= 3 and len(plane.at_node[edge.end]) >= 2:
            yield edge.end


def _bans(plane: Plane, signals: frozenset[int], chance: Random) -> Iterable[Ban]:
    for node in sorted(signals):
        near = plane.at_node[node]
        if len(near) < 4:
            continue
        for before in near:
            if RANK[plane.street_between(before, node).road_class] < 4:
                continue
            left = _turns(plane, before, node, near)[0]
            if left is not None and chance.random() < 0.10:
                yield Ban("no_left_turn", before, node, left, chance.random() < 0.4)
            if plane.street_between(before, node).name == "邵阳大道":
                yield Ban("no_u_turn", before, node, before, True)
    yield from _side_street_bans(plane, signals, chance)


def _side_street_bans(plane: Plane, signals: frozenset[int], chance: Random) -> Iterable[Ban]:
    """Small streets may only turn right into some wide roads."""
    for node, near in enumerate(plane.at_node):
        if len(near) != 3 or node in signals:
            continue
        ranks = [RANK[plane.street_between(node, other).road_class] for other in near]
        if sorted(ranks)[1] < 5 or min(ranks) > 2 or chance.random() > 0.25:
            continue
        side = near[ranks.index(min(ranks))]
        left = _turns(plane, side, node, near)[0]
        if left is not None:
            yield Ban("no_left_turn", side, node, left, False)


def _turns(
    plane: Plane, before: int, node: int, near: Sequence[int]
) -> tuple[int | None, int | None]:
    """The neighbours to the left and to the right of a driver who comes from `before`."""
    x, y = plane.points[node]
    bx, by = plane.points[before]
    heading = atan2(y - by, x - bx)
    left = right = None
    for other in near:
        if other == before:
            continue
        ox, oy = plane.points[other]
        turn = (atan2(oy - y, ox - x) - heading + pi) % (2 * pi) - pi
        if 0.8 < turn < 2.4:
            left = other
        if -2.4 < turn < -0.8:
            right = other
    return left, right
