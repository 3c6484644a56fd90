"""Strongly connected pieces: which arcs can be driven to and from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.graph import ArcFlag, RoadGraph, TurnFlag


@dataclass(frozen=True, slots=True)
class Pieces:
    """The largest piece of a network and the next one.

    Attributes:
        core: True on the arcs of the largest piece, by length of road, bool (A).
        core_m: Its length; each direction counts.
        second_m: Length of the next largest; 0 where there is none.
        second_lonlat: Middle of the next largest; None where there is none.
        total_m: Length of all arcs.
    """

    core: NDArray[np.bool_]
    core_m: float
    second_m: float
    second_lonlat: tuple[float, float] | None
    total_m: float


def find_pieces(graph: RoadGraph) -> Pieces:
    """Finds the pieces in which a car under blue lights can drive from everywhere to everywhere.

    Arcs that no car may use and turns that are banned for everybody do not join pieces.

    Args:
        graph: The network; its `arc_core` is not read.

    Returns:
        The largest piece and the next one.
    """
    label = _labels(graph)
    piece_m = np.bincount(label, weights=graph.arc_length_m)
    largest = int(np.argmax(piece_m))
    core = np.asarray(label == largest)
    core_m = float(piece_m[largest])
    piece_m[largest] = 0.0
    second = int(np.argmax(piece_m))
    second_m = float(piece_m[second])
    middle = None
    if second_m > 0:
        nodes = graph.arc_from[label == second]
        middle = (float(graph.node_lon[nodes].mean()), float(graph.node_lat[nodes].mean()))
    return Pieces(
        core=core,
        core_m=core_m,
        second_m=second_m,
        second_lonlat=middle,
        total_m=float(graph.arc_length_m.sum()),
    )


def _labels(graph: RoadGraph) -> NDArray[np.int64]:
    # A third of a second, which a service that loads a compiled network must not wait for.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    turn_from = np.repeat(np.arange(graph.arc_count), np.diff(graph.turn_start))
    drivable = (graph.arc_flags & ArcFlag.NO_CAR) == 0
    usable = (graph.turn_flags & TurnFlag.BANNED) == 0
    usable &= drivable[turn_from] & drivable[graph.turn_to]
    pairs = (turn_from[usable], graph.turn_to[usable])
    shape = (graph.arc_count, graph.arc_count)
    links = coo_array((np.ones(len(pairs[0]), np.int8), pairs), shape=shape).tocsr()
    _, label = connected_components(links, directed=True, connection="strong")
    return np.asarray(label, np.int64)
