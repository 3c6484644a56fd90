"""Places that a road network names by itself: its streets, bridges and crossings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from platforms.city import Place
from platforms.local_frame import DIGITS, LocalFrame
from platforms.pinyin import spelled
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph

APART_M = 400.0
"""Crossings of the same two streets nearer than this are one place (both carriageways)."""
STREET_APART_M = 2000.0
"""Stretches of the same name farther apart than this are different streets, of other towns."""
_UNNAMED_CLASSES = frozenset({"motorway_link", "trunk_link", "primary_link", "secondary_link"})


def street_places(graph: RoadGraph) -> list[Place]:
    """One place for every named street or bridge, near its middle."""
    arcs = np.flatnonzero(graph.arc_core & (graph.arc_name > 0))
    middles = _arc_middles(graph)
    return [
        _street_place(graph, name, members[group], middles)
        for name, members in _by_name(graph, arcs)
        for group in _clusters(_starts(graph, members), STREET_APART_M)
    ]


def crossing_places(graph: RoadGraph) -> list[Place]:
    """One place for every crossing of two differently named streets, as "红旗路/宝庆中路".

    The name that comes first is the smaller in code point order; a gazetteer finds both orders and
    takes the spelling from the streets.
    """
    meetings: dict[tuple[str, str], list[int]] = {}
    for node, names in _names_at_nodes(graph):
        for position, first in enumerate(names):
            for second in names[position + 1 :]:
                meetings.setdefault((first, second), []).append(node)
    places = []
    for (first, second), nodes in sorted(meetings.items()):
        spots = np.array(nodes)
        lonlat = np.column_stack([graph.node_lon[spots], graph.node_lat[spots]])
        for group in _clusters(lonlat, APART_M):
            lon, lat = lonlat[group[0]]
            name = f"{first}/{second}"
            places.append(Place(name=name, kind="crossing", lon=_kept(lon), lat=_kept(lat)))
    return places


def _by_name(graph: RoadGraph, arcs: NDArray[np.intp]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    order = arcs[np.argsort(graph.arc_name[arcs], kind="stable")]
    numbers, starts = np.unique(graph.arc_name[order], return_index=True)
    for number, members in zip(numbers, np.split(order, starts[1:]), strict=True):
        yield graph.names[int(number)], members


def _starts(graph: RoadGraph, arcs: NDArray[np.intp]) -> NDArray[np.float64]:
    nodes = graph.arc_from[arcs]
    return np.column_stack([graph.node_lon[nodes], graph.node_lat[nodes]])


def _clusters(lonlat: NDArray[np.float64], apart_m: float) -> list[NDArray[np.intp]]:
    """Groups of points: whoever is near enough to one of a group belongs to it."""
    if len(lonlat) == 1:
        return [np.zeros(1, dtype=np.intp)]
    frame = LocalFrame(*lonlat[0].tolist())
    pairs = cKDTree(frame.metres(lonlat)).query_pairs(apart_m, output_type="ndarray")
    links = coo_matrix(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(lonlat), len(lonlat))
    )
    count, labels = connected_components(links, directed=False)
    return [np.flatnonzero(labels == label) for label in range(count)]


def _street_place(
    graph: RoadGraph, name: str, arcs: NDArray[np.intp], middles: NDArray[np.float64]
) -> Place:
    """The arc's middle that lies nearest to the middle of the whole street."""
    weight = graph.arc_length_m[arcs]
    centre = (middles[arcs] * weight[:, None]).sum(axis=0) / max(weight.sum(), 1e-9)
    nearest = arcs[np.hypot(*(middles[arcs] - centre).T).argmin()]
    bridge = bool((graph.arc_flags[arcs] & int(ArcFlag.BRIDGE)).all())
    lon, lat = middles[nearest].tolist()
    return named_place(name, "bridge" if bridge else "street", lon, lat)


def _arc_middles(graph: RoadGraph) -> NDArray[np.float64]:
    """Middle of each arc's line, lon/lat (A, 2)."""
    arc_of_point = np.repeat(np.arange(graph.arc_count), np.diff(graph.geom_start))
    lines = shapely.linestrings(graph.geom_lonlat, indices=arc_of_point)
    middles: NDArray[np.float64] = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, 0.5, normalized=True)
    )
    return middles


def _names_at_nodes(graph: RoadGraph) -> Iterator[tuple[int, list[str]]]:
    """Nodes where at least two named streets meet, with their names in order."""
    links = [ROAD_CLASSES.index(name) for name in sorted(_UNNAMED_CLASSES)]
    usable = graph.arc_core & (graph.arc_name > 0) & ~np.isin(graph.arc_class, links)
    arcs = np.flatnonzero(usable)
    pairs = np.unique(
        np.concatenate(
            [
                np.column_stack([graph.arc_from[arcs], graph.arc_name[arcs]]),
                np.column_stack([graph.arc_to[arcs], graph.arc_name[arcs]]),
            ]
        ),
        axis=0,
    )
    nodes, starts, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    for node, start, count in zip(nodes, starts, counts, strict=True):
        if count > 1:
            numbers = pairs[start : start + count, 1]
            yield int(node), sorted(graph.names[int(number)] for number in numbers)


def named_place(
    name: str, kind: str, lon: float, lat: float, *, aliases: Iterable[str] = ()
) -> Place:
    """A place with its spelling filled in."""
    pinyin, initials = spelled(name)
    return Place(
        name=name,
        kind=kind,
        lon=_kept(lon),
        lat=_kept(lat),
        aliases=tuple(aliases),
        pinyin=pinyin,
        initials=initials,
    )


def _kept(degrees: float) -> float:
    return round(float(degrees), DIGITS)
