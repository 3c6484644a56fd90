"""The roads of an OSM file as flat arrays, before they are cut at junctions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.osm.restriction_tags import Restriction, Unused
from routing.osm.tags import Skipped

CLOSED = -1
"""In `SourceRoads.way_forward` and `way_backward`: not to be driven so."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of the file a network comes from.

    Attributes:
        name: File name without folders.
        sha256: Hash of the file, hex.
        data_date: Time of the data as the header says it, RFC 3339; None where it does not.
        generator: Program that wrote the file, as its header says.
    """

    name: str
    sha256: str
    data_date: str | None
    generator: str


@dataclass(slots=True)
class SourceRoads:
    """The roads of a source: W ways, R node references, N nodes.

    Attributes:
        facts: The file.
        way_id: OSM way ids, int64 (W).
        way_class: Positions in `ROAD_CLASSES`, uint8 (W).
        way_forward: Flags along the way or `CLOSED`, int32 (W).
        way_backward: Flags against the way or `CLOSED`, int32 (W).
        way_kmh: Limits along and against, float32 (W, 2).
        way_name: Position in `names`, int32 (W).
        way_layer: Layer, int8 (W).
        ref_start: First reference of each way; W + 1 entries, int64.
        ref_node: Position of the referred node; -1 where the source lacks it, int64 (R).
        node_id: OSM node ids, ascending, int64 (N).
        node_lonlat: WGS-84 degrees, float64 (N, 2).
        node_signal: `Signal` bits, uint8 (N).
        node_barrier: `Barrier`, uint8 (N).
        names: Distinct street names, "" first, then sorted.
        restrictions: Restrictions that apply to cars.
        unused: How many restrictions were left out so far, by reason.
        skipped: How many ways were left out, by reason.
        repeated_ways: Ways that the file holds more than once.
        conditional_ways: Roads with a `:conditional` tag, which is not used.
    """

    facts: SourceFacts
    way_id: NDArray[np.int64]
    way_class: NDArray[np.uint8]
    way_forward: NDArray[np.int32]
    way_backward: NDArray[np.int32]
    way_kmh: NDArray[np.float32]
    way_name: NDArray[np.int32]
    way_layer: NDArray[np.int8]
    ref_start: NDArray[np.int64]
    ref_node: NDArray[np.int64]
    node_id: NDArray[np.int64]
    node_lonlat: NDArray[np.float64]
    node_signal: NDArray[np.uint8]
    node_barrier: NDArray[np.uint8]
    names: tuple[str, ...]
    restrictions: list[Restriction]
    unused: Counter[Unused]
    skipped: Counter[Skipped]
    repeated_ways: int
    conditional_ways: int
