"""Cuts ways at junctions into stretches: pieces of road with nothing to decide between the ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.osm.node_tags import Barrier
from routing.osm.source_roads import SourceRoads

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the WGS-84 ellipsoid (IUGG)."""
MIN_LENGTH_M = 0.01
"""Two nodes at one place: a stretch still needs a length, for offsets are shares of it."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """S stretches of road, each within one way.

    Attributes:
        way: Position of the way in the source, int64 (S).
        first_node: Source node where the stretch starts, along the way, int64 (S).
        last_node: Source node where it ends, int64 (S).
        length_m: Length, float64 (S).
        point_start: First entry of each stretch in `point_node`; S + 1 entries, int64.
        point_node: Source nodes of all lines, along the way, int64.
        node_degree: How many stretch ends meet at each source node, int64 (N).
        node_layers_joined: True at nodes inside ways of different layers: bridges that seem
            welded to the road below, bool (N).
    """

    way: NDArray[np.int64]
    first_node: NDArray[np.int64]
    last_node: NDArray[np.int64]
    length_m: NDArray[np.float64]
    point_start: NDArray[np.int64]
    point_node: NDArray[np.int64]
    node_degree: NDArray[np.int64]
    node_layers_joined: NDArray[np.bool_]


def great_circle_m(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle metres between points of two (n, 2) arrays of lon/lat degrees (haversine)."""
    start_rad, end_rad = np.radians(start), np.radians(end)
    half = np.sin((end_rad - start_rad) / 2) ** 2
    share = half[:, 1] + np.cos(start_rad[:, 1]) * np.cos(end_rad[:, 1]) * half[:, 0]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(share, 1.0))))


def cut_stretches(roads: SourceRoads) -> Stretches:
    """Cuts the ways of a source at junctions, way ends, signals and barriers.

    A node that the source lacks cuts its way: nothing is known of the road there.

    Args:
        roads: The source.

    Returns:
        The stretches, way by way, along each way.
    """
    way, start, end = _segments(roads)
    node_count = len(roads.node_id)
    linked = (way[1:] == way[:-1]) & (end[:-1] == start[1:])
    is_head = np.concatenate([[True], ~linked])[: len(way)]
    ends = np.bincount(start, minlength=node_count) + np.bincount(end, minlength=node_count)
    is_break = (ends != 2) | (roads.node_signal != 0) | (roads.node_barrier != Barrier.NONE)
    starts_here = is_head | is_break[start]
    first = np.flatnonzero(starts_here)
    last = np.append(first[1:], len(way)) - 1
    segment_m = great_circle_m(roads.node_lonlat[start], roads.node_lonlat[end])
    length_m = np.add.reduceat(segment_m, first) if len(first) else np.zeros(0)
    first_node, last_node = start[first], end[last[: len(first)]]
    point_start, point_node = _lines(start, end, first, last)
    degree = np.bincount(first_node, minlength=node_count)
    return Stretches(
        way=way[first],
        first_node=first_node,
        last_node=last_node,
        length_m=np.maximum(length_m, MIN_LENGTH_M),
        point_start=point_start,
        point_node=point_node,
        node_degree=degree + np.bincount(last_node, minlength=node_count),
        node_layers_joined=_layers_joined(roads, way, start, is_head),
    )


def _segments(
    roads: SourceRoads,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Way, start node and end node of every straight piece whose two ends are known."""
    way_of_ref = np.repeat(np.arange(len(roads.way_id)), np.diff(roads.ref_start))
    start, end = roads.ref_node[:-1], roads.ref_node[1:]
    good = (way_of_ref[:-1] == way_of_ref[1:]) & (start >= 0) & (end >= 0) & (start != end)
    return way_of_ref[:-1][good], start[good], end[good]


def _lines(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nodes of each stretch: the start of each of its segments and the end of the last."""
    count = len(first)
    point_start = np.concatenate([first, [len(start)]]) + np.arange(count + 1)
    point_node = np.empty(len(start) + count, np.int64)
    stretch_of_segment = np.repeat(np.arange(count), np.diff(np.append(first, len(start))))
    point_node[np.arange(len(start)) + stretch_of_segment] = start
    point_node[point_start[1:] - 1] = end[last[:count]]
    return point_start, point_node


def _layers_joined(
    roads: SourceRoads,
    way: NDArray[np.int64],
    start: NDArray[np.int64],
    is_head: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    inner_node = start[~is_head]
    layer = roads.way_layer[way[~is_head]]
    lowest = np.full(len(roads.node_id), 127, np.int8)
    highest = np.full(len(roads.node_id), -128, np.int8)
    np.minimum.at(lowest, inner_node, layer)
    np.maximum.at(highest, inner_node, layer)
    return np.asarray(lowest < highest)
