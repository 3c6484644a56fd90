"""Where the nodes of the roads lie, and which carry a signal or barrier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray

from routing.errors import SourceUnreadable
from routing.osm.node_tags import read_barrier, read_signal

_FIXED_PER_DEGREE = 10_000_000
"""OSM keeps coordinates as whole ten-millionths of a degree."""
_NOWHERE = 2**31 - 1
_ONE_WAY = b'<osm version="0.6"><way id="1"/></osm>'


@dataclass(frozen=True, slots=True)
class PlacedNodes:
    """The nodes that a source has of those its roads refer to: N nodes, R references.

    Attributes:
        node_id: OSM node ids, ascending, int64 (N).
        lonlat: WGS-84 degrees, float64 (N, 2).
        signal: `Signal` bits, uint8 (N).
        barrier: `Barrier`, uint8 (N).
        ref_node: Position of each referred node; -1 where the source lacks it, int64 (R).
    """

    node_id: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    signal: NDArray[np.uint8]
    barrier: NDArray[np.uint8]
    ref_node: NDArray[np.int64]


def place_nodes(source: osmium.io.File, refs: NDArray[np.int64]) -> PlacedNodes:
    """Looks up the nodes that roads refer to.

    The reader keeps the places of all nodes in its own memory; only signals, barriers and the
    wanted places come to Python.

    Args:
        source: The OSM file.
        refs: OSM node ids in the order of the roads, int64 (R).

    Returns:
        The nodes that the source has.

    Raises:
        SourceUnreadable: An id is below 1.
    """
    wanted = np.unique(refs)
    if len(wanted) and wanted[0] < 1:
        raise SourceUnreadable(
            f"a road refers to node {wanted[0]}: ids below 1 are unsaved edits;"
            " save or renumber them first"
        )
    places = osmium.index.create_map("flex_mem")
    tagged = _read_nodes(source, places)
    lonlat = _lonlat(places, wanted)
    found = (np.abs(lonlat[:, 0]) <= 180.0) & (np.abs(lonlat[:, 1]) <= 90.0)
    node_id = wanted[found]
    signal, barrier = np.zeros((2, len(node_id)), np.uint8)
    for osm_id, tags in tagged:
        position = np.searchsorted(node_id, osm_id)
        if position < len(node_id) and node_id[position] == osm_id:
            signal[position] = read_signal(tags)
            barrier[position] = read_barrier(tags)
    rank = np.where(found, np.cumsum(found) - 1, -1)
    return PlacedNodes(
        node_id=node_id,
        lonlat=lonlat[found],
        signal=signal,
        barrier=barrier,
        ref_node=rank[np.searchsorted(wanted, refs)],
    )


class _TaggedNodes(osmium.SimpleHandler):
    """Collects the tags of the nodes that pass the filter before it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, dict[str, str]]] = []

    def node(self, node: Any) -> None:
        """Called by the reader."""
        self.found.append((node.id, dict(node.tags)))


def _read_nodes(source: osmium.io.File, places: Any) -> list[tuple[int, dict[str, str]]]:
    """Fills the table of places; returns the nodes that may carry a signal or barrier."""
    keep_place = osmium.NodeLocationsForWays(places)
    keep_place.ignore_errors()
    tagged = _TaggedNodes()
    keys = osmium.filter.KeyFilter("highway", "barrier")
    osmium.apply(osmium.io.Reader(source, osmium.osm.NODE), keep_place, keys, tagged)
    # The table sorts itself when the first way comes, and finds nothing in an unsorted file before.
    osmium.apply(osmium.io.Reader(osmium.io.FileBuffer(_ONE_WAY, "osm")), keep_place)
    return tagged.found


def _lonlat(storage: Any, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Places of the wanted nodes; beyond the poles where the source has none."""
    fixed = np.full((len(wanted), 2), _NOWHERE, np.int64)
    look_up = storage.get
    for position, osm_id in enumerate(wanted.tolist()):
        try:
            location = look_up(osm_id)
        except KeyError:
            continue
        fixed[position, 0] = location.x
        fixed[position, 1] = location.y
    return np.asarray(fixed / _FIXED_PER_DEGREE)
