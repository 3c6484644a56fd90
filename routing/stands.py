"""Places on the road network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnknownRoad
from routing.search.arrays import STANDS_MAX, Places


@dataclass(frozen=True, slots=True)
class Stand:
    """A place on one direction of a street.

    Attributes:
        arc: The directed arc; going on means towards its end.
        offset_m: Metres from the arc's start, 0 to its length.
    """

    arc: int
    offset_m: float


@dataclass(frozen=True, slots=True)
class Snap:
    """A point brought onto the road.

    Attributes:
        lon: Longitude asked for, WGS-84 degrees.
        lat: Latitude asked for.
        snapped_lon: Longitude on the road.
        snapped_lat: Latitude on the road.
        distance_m: Metres between the two.
        road: Street name, "" where it has none.
        stands: One stand, or two where both directions of the street are open to it.
    """

    lon: float
    lat: float
    snapped_lon: float
    snapped_lat: float
    distance_m: float
    road: str
    stands: tuple[Stand, ...]


def share_of(stand: Stand, length_m: NDArray[np.float64]) -> float:
    """The stand's share of its arc, 0 at the start, 1 at the end.

    Raises:
        UnknownRoad: The network has no such arc, or the arc is shorter than the offset.
    """
    if not 0 <= stand.arc < len(length_m):
        raise UnknownRoad(
            f"arc {stand.arc} is not in this network of {len(length_m)} arcs;"
            " snap the point again, the network may have been replaced"
        )
    length = float(length_m[stand.arc])
    if not 0 <= stand.offset_m <= length:
        raise UnknownRoad(
            f"offset {stand.offset_m} m is not on arc {stand.arc} of {length} m;"
            " snap the point again, the network may have been replaced"
        )
    return stand.offset_m / length if length > 0 else 0.0


def places_of(stands: Sequence[Stand], length_m: NDArray[np.float64]) -> Places:
    """The stands as the kernels take them."""
    if not 1 <= len(stands) <= STANDS_MAX:
        raise UnknownRoad(f"a place needs 1 to {STANDS_MAX} stands, not {len(stands)}")
    return Places(
        np.array([stand.arc for stand in stands], dtype=np.int32),
        np.array([share_of(stand, length_m) for stand in stands], dtype=np.float64),
    )
