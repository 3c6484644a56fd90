"""Writes the plane as an OSM file. Equal planes give equal bytes: no clock, no chance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import osmium
from osmium.osm import mutable

from stand_in.facts import to_lonlat
from stand_in.planar import Edge, Plane
from stand_in.rules import Ban, Rules

GENERATOR = "shaoyang stand-in generator (synthetic network, not map data)"


def write_osm(plane: Plane, rules: Rules, path: Path) -> None:
    """Writes nodes, ways and restriction relations; ids count from 1 in writing order."""
    ways = list(_ways(plane, {ban.via for ban in rules.bans}))
    number: dict[int, int] = {}
    for _, nodes in ways:
        for node in nodes:
            number.setdefault(node, len(number) + 1)
    path.unlink(missing_ok=True)
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    writer = osmium.SimpleWriter(str(path), header=header)
    try:
        _write_nodes(writer, plane, rules, number)
        for way_id, (street, nodes) in enumerate(ways, start=1):
            tags = _way_tags(plane, street)
            refs = [number[node] for node in nodes]
            writer.add_way(mutable.Way(id=way_id, version=1, nodes=refs, tags=tags))
        _write_bans(writer, rules.bans, ways, number)
    finally:
        writer.close()


Way = tuple[int, list[int]]
"""Number of a street and the nodes along it."""


def _ways(plane: Plane, breaks: set[int]) -> Iterable[Way]:
    """Chains each street's edges; a way ends at every node where a turn is forbidden."""
    by_street: dict[int, list[Edge]] = {}
    for edge in plane.edges.values():
        by_street.setdefault(edge.street, []).append(edge)
    for street in sorted(by_street):
        yield from ((street, chain) for chain in _chains(by_street[street], breaks))


def _chains(edges: list[Edge], breaks: set[int]) -> Iterable[list[int]]:
    after: dict[int, list[int]] = {}
    for edge in edges:
        after.setdefault(edge.start, []).append(edge.end)
    ends = {edge.end for edge in edges}
    starts = sorted(node for node in after if node not in ends)
    while after:
        node = starts.pop(0) if starts else min(after)
        chain = [node]
        while node in after:
            if node in breaks and len(chain) > 1:
                yield chain
                chain = [node]
            onward = after[node].pop(0)
            if not after[node]:
                del after[node]
            node = onward
            chain.append(node)
        yield chain


def _write_nodes(
    writer: osmium.SimpleWriter, plane: Plane, rules: Rules, number: dict[int, int]
) -> None:
    for node, node_id in number.items():
        tags = {}
        if node in rules.signals:
            tags = {"highway": "traffic_signals"}
        elif node in rules.gates:
            tags = {"barrier": "lift_gate", "access": "private"}
        place = to_lonlat(plane.points[node])
        writer.add_node(mutable.Node(id=node_id, version=1, location=place, tags=tags))


def _way_tags(plane: Plane, number: int) -> dict[str, str]:
    street = plane.streets[number]
    tags = {"highway": street.road_class}
    if street.name:
        tags["name"] = street.name
    return {**tags, **dict(street.tags), "synthetic": "yes"}


def _write_bans(
    writer: osmium.SimpleWriter, bans: Iterable[Ban], ways: list[Way], number: dict[int, int]
) -> None:
    arriving: dict[tuple[int, int], int] = {}
    for way_id, (_, nodes) in enumerate(ways, start=1):
        for a, b in itertools.pairwise(nodes):
            arriving[a, b] = arriving[b, a] = way_id
    for relation_id, ban in enumerate(bans, start=1):
        members = [
            ("w", arriving[ban.start, ban.via], "from"),
            ("n", number[ban.via], "via"),
            ("w", arriving[ban.via, ban.end], "to"),
        ]
        tags = {"type": "restriction", "restriction": ban.kind, "synthetic": "yes"}
        if ban.exempt:
            tags["except"] = "emergency"
        writer.add_relation(mutable.Relation(id=relation_id, version=1, members=members, tags=tags))
