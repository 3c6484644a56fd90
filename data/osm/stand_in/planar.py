"""A plane street network that stays plane: nodes, edges, and edges that may be split later."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import atan2, hypot, pi

from stand_in.facts import Point


@dataclass(frozen=True, slots=True)
class Street:
    """What all edges of one street share.

    Attributes:
        name: Chinese name; empty for lanes without one.
        road_class: Value of OSM's highway tag.
        tags: Further OSM tags.
    """

    name: str
    road_class: str
    tags: tuple[tuple[str, str], ...] = ()

    def with_tags(self, **tags: str) -> Street:
        """The same street with further tags."""
        return replace(self, tags=(*self.tags, *tags.items()))


@dataclass(slots=True)
class Edge:
    """A straight stretch of a street between two nodes; `forward` is the digitised direction."""

    street: int
    start: int
    end: int


@dataclass(slots=True)
class Plane:
    """Nodes and edges. A block remembers its ring by node ids; `ring` brings it up to date."""

    points: list[Point] = field(default_factory=list)
    streets: list[Street] = field(default_factory=list)
    edges: dict[tuple[int, int], Edge] = field(default_factory=dict)
    at_node: list[list[int]] = field(default_factory=list)
    middle: dict[tuple[int, int], int] = field(default_factory=dict)

    def add_node(self, point: Point) -> int:
        """A new node."""
        self.points.append(point)
        self.at_node.append([])
        return len(self.points) - 1

    def add_street(self, street: Street, nodes: Sequence[int]) -> int:
        """A new street along nodes that exist."""
        self.streets.append(street)
        number = len(self.streets) - 1
        for start, end in itertools.pairwise(nodes):
            if start != end and _key(start, end) not in self.edges:
                self._add_edge(Edge(number, start, end))
        return number

    def absorb(self, other: Plane) -> int:
        """Takes in another plane; returns the number its node 0 has here."""
        first, street = len(self.points), len(self.streets)
        self.points.extend(other.points)
        self.at_node.extend([] for _ in other.points)
        self.streets.extend(other.streets)
        for edge in other.edges.values():
            self._add_edge(Edge(edge.street + street, edge.start + first, edge.end + first))
        return first

    def split(self, start: int, end: int, point: Point) -> int:
        """Cuts an edge in two at a point; rings that knew the edge learn of it."""
        key = _key(start, end)
        edge = self.edges.pop(key)
        node = self.add_node(point)
        self.middle[key] = node
        self.at_node[edge.start].remove(edge.end)
        self.at_node[edge.end].remove(edge.start)
        self._add_edge(Edge(edge.street, edge.start, node))
        self._add_edge(Edge(edge.street, node, edge.end))
        return node

    def ring(self, nodes: Sequence[int]) -> list[int]:
        """The ring with every node that was put on its edges since."""
        out: list[int] = []
        for start, end in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            out.extend(self._along(start, end)[:-1])
        return out

    def street_between(self, start: int, end: int) -> Street:
        """The street of an edge."""
        return self.streets[self.edges[_key(start, end)].street]

    def faces(self) -> list[list[int]]:
        """The inner faces, each as nodes counter-clockwise; there must be no loose ends."""
        turn = {node: self._by_angle(node) for node in range(len(self.points))}
        seen: set[tuple[int, int]] = set()
        found = []
        for edge in list(self.edges.values()):
            for start, end in ((edge.start, edge.end), (edge.end, edge.start)):
                if (start, end) in seen:
                    continue
                face = self._trace(start, end, turn, seen)
                if ring_area([self.points[node] for node in face]) > 0:
                    found.append(face)
        return found

    def _trace(
        self, start: int, end: int, turn: dict[int, list[int]], seen: set[tuple[int, int]]
    ) -> list[int]:
        face = []
        while (start, end) not in seen:
            seen.add((start, end))
            face.append(start)
            around = turn[end]
            start, end = end, around[around.index(start) - 1]
        return face

    def _by_angle(self, node: int) -> list[int]:
        x, y = self.points[node]
        near = self.at_node[node]
        return sorted(near, key=lambda n: atan2(self.points[n][1] - y, self.points[n][0] - x))

    def _along(self, start: int, end: int) -> list[int]:
        node = self.middle.get(_key(start, end))
        if node is None:
            return [start, end]
        return self._along(start, node)[:-1] + self._along(node, end)

    def _add_edge(self, edge: Edge) -> None:
        self.edges[_key(edge.start, edge.end)] = edge
        self.at_node[edge.start].append(edge.end)
        self.at_node[edge.end].append(edge.start)


def _key(start: int, end: int) -> tuple[int, int]:
    return (start, end) if start < end else (end, start)


def distance(a: Point, b: Point) -> float:
    """Metres between two points."""
    return hypot(a[0] - b[0], a[1] - b[1])


def bend_deg(a: Point, b: Point, c: Point) -> float:
    """Angle at b between the directions to a and to c, 0 to 180."""
    angle = atan2(a[1] - b[1], a[0] - b[0]) - atan2(c[1] - b[1], c[0] - b[0])
    angle = abs(angle) % (2 * pi)
    return min(angle, 2 * pi - angle) * 180 / pi


def ring_area(ring: Sequence[Point]) -> float:
    """Signed area in square metres, positive when counter-clockwise."""
    total = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        total += x1 * y2 - x2 * y1
    return total / 2


def smooth(points: Sequence[Point], *, rounds: int = 2) -> list[Point]:
    """Chaikin's corner cutting: ends stay, corners become curves."""
    line = list(points)
    for _ in range(rounds):
        cut = [line[0]]
        for (x1, y1), (x2, y2) in itertools.pairwise(line):
            cut.append((x1 * 0.75 + x2 * 0.25, y1 * 0.75 + y2 * 0.25))
            cut.append((x1 * 0.25 + x2 * 0.75, y1 * 0.25 + y2 * 0.75))
        cut.append(line[-1])
        line = cut
    return line


def through(points: Sequence[Point], *, steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve: every point given stays on the line."""
    line = [points[0], *points, points[-1]]
    out: list[Point] = []
    for p0, p1, p2, p3 in zip(line, line[1:], line[2:], line[3:], strict=False):
        out.extend(_catmull((p0, p1, p2, p3), step / steps) for step in range(steps))
    return [*out, points[-1]]


def _catmull(near: tuple[Point, Point, Point, Point], t: float) -> Point:
    p0, p1, p2, p3 = near

    def axis(a: float, b: float, c: float, d: float) -> float:
        return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))

    return axis(p0[0], p1[0], p2[0], p3[0]), axis(p0[1], p1[1], p2[1], p3[1])
