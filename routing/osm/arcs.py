"""Makes directed arcs of stretches, in an order that keeps neighbours together in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.osm.source_roads import CLOSED, SourceRoads
from routing.osm.stretches import Stretches

_MORTON_BITS = 16


@dataclass(frozen=True, slots=True)
class Arcs:
    """A directed arcs between N routing nodes; the arrays are those of `RoadGraph`.

    Attributes:
        node_source: Position of each routing node in the source, int64 (N).
        arc_from: Node where the arc starts; ascending, int32 (A).
        arc_to: Node where it ends, int32 (A).
        arc_stretch: The stretch that it drives, int64 (A).
        arc_forward: True where it runs along its way, bool (A).
        arc_reverse: The same stretch the other way; -1 where there is none, int32 (A).
        geom_start: First point of each line; A + 1 entries, int64.
        geom_lonlat: Points of the lines, from arc start to arc end, float64 (P, 2).
        out_start: First arc that leaves each node; N + 1 entries, int64.
    """

    node_source: NDArray[np.int64]
    arc_from: NDArray[np.int32]
    arc_to: NDArray[np.int32]
    arc_stretch: NDArray[np.int64]
    arc_forward: NDArray[np.bool_]
    arc_reverse: NDArray[np.int32]
    geom_start: NDArray[np.int64]
    geom_lonlat: NDArray[np.float64]
    out_start: NDArray[np.int64]


def make_arcs(roads: SourceRoads, stretches: Stretches) -> Arcs:
    """Gives every stretch an arc for each direction in which it may be driven.

    Nodes are numbered along a space-filling curve and arcs by their start, so that a search
    touches memory that lies together; the numbers depend on the content alone, not on the order
    of the source file.

    Args:
        roads: The source.
        stretches: Its stretches.

    Returns:
        The arcs with their lines.
    """
    forward = np.flatnonzero(roads.way_forward[stretches.way] != CLOSED)
    backward = np.flatnonzero(roads.way_backward[stretches.way] != CLOSED)
    stretch = np.concatenate([forward, backward])
    is_forward = np.arange(len(stretch)) < len(forward)
    first, last = stretches.first_node[stretch], stretches.last_node[stretch]
    from_source = np.where(is_forward, first, last)
    to_source = np.where(is_forward, last, first)
    node_source = _nodes_in_order(roads, np.union1d(from_source, to_source))
    rank = np.full(len(roads.node_id), -1, np.int64)
    rank[node_source] = np.arange(len(node_source))
    way_id = roads.way_id[stretches.way[stretch]]
    order = np.lexsort((~is_forward, stretch, way_id, rank[to_source], rank[from_source]))
    stretch, is_forward = stretch[order], is_forward[order]
    arc_from = rank[from_source][order]
    geom_start, geom_lonlat = _lines(roads, stretches, stretch, is_forward)
    return Arcs(
        node_source=node_source,
        arc_from=arc_from.astype(np.int32),
        arc_to=rank[to_source][order].astype(np.int32),
        arc_stretch=stretch,
        arc_forward=is_forward,
        arc_reverse=_reverse(stretch, is_forward, len(stretches.way)),
        geom_start=geom_start,
        geom_lonlat=geom_lonlat,
        out_start=np.searchsorted(arc_from, np.arange(len(node_source) + 1)).astype(np.int64),
    )


def _nodes_in_order(roads: SourceRoads, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    lonlat = roads.node_lonlat[nodes]
    if not len(nodes):
        return nodes
    low, span = lonlat.min(axis=0), np.ptp(lonlat, axis=0)
    cells = (lonlat - low) / np.maximum(span, 1e-9) * (2**_MORTON_BITS - 1)
    code = _spread_bits(cells[:, 0]) | (_spread_bits(cells[:, 1]) << np.uint64(1))
    return nodes[np.lexsort((nodes, code))]


def _spread_bits(cell: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Puts a zero between each two of 16 bits: one half of a Morton code."""
    bits = cell.astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits


def _reverse(
    stretch: NDArray[np.int64], is_forward: NDArray[np.bool_], stretch_count: int
) -> NDArray[np.int32]:
    arc_at = np.full((stretch_count, 2), -1, np.int32)
    arc_at[stretch, is_forward.astype(np.int64)] = np.arange(len(stretch), dtype=np.int32)
    return arc_at[stretch, (~is_forward).astype(np.int64)]


def _lines(
    roads: SourceRoads,
    stretches: Stretches,
    stretch: NDArray[np.int64],
    is_forward: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    begin, end = stretches.point_start[stretch], stretches.point_start[stretch + 1]
    count = end - begin
    geom_start = np.concatenate([[0], np.cumsum(count)])
    step = np.arange(geom_start[-1]) - np.repeat(geom_start[:-1], count)
    along = np.repeat(begin, count) + step
    against = np.repeat(end - 1, count) - step
    point = np.where(np.repeat(is_forward, count), along, against)
    return geom_start, np.ascontiguousarray(roads.node_lonlat[stretches.point_node[point]])
