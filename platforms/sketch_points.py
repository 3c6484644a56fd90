"""Chooses points of a network for a sketched city: platforms well spread, busy key sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from platforms.errors import SketchImpossible
from platforms.local_frame import LocalFrame
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph

Metres = NDArray[np.float64]

_ROUNDS = 12
"""Lloyd rounds; on city networks the centres move less than 20 m after ten."""
_BUSY = {
    "trunk": 6,
    "primary": 5,
    "secondary": 4,
    "tertiary": 3,
    "unclassified": 1,
    "residential": 1,
}
_STANDS_ON = ("tertiary", "secondary", "primary", "unclassified", "residential", "living_street")
_CLOSED = int(ArcFlag.PRIVATE | ArcFlag.NO_CAR | ArcFlag.EMERGENCY_ONLY | ArcFlag.TUNNEL)


@dataclass(frozen=True, slots=True)
class Streets:
    """The streets a platform can stand on, one entry for a street in both directions.

    Attributes:
        frame: Where the metres are counted from.
        middle: Middle of each street's arc, metres (n, 2).
        length_m: Length of each arc, metres (n).
        node: Nodes of the core, metres (m, 2).
        node_weight: How busy each is: classes of the streets that meet there (m).
    """

    frame: LocalFrame
    middle: Metres
    length_m: NDArray[np.float64]
    node: Metres
    node_weight: NDArray[np.float64]


def streets_of(graph: RoadGraph) -> Streets:
    """The streets of a network that take stands."""
    frame = LocalFrame(float(np.median(graph.node_lon)), float(np.median(graph.node_lat)))
    classes = [ROAD_CLASSES.index(name) for name in _STANDS_ON]
    usable = graph.arc_core & ((graph.arc_flags & _CLOSED) == 0)
    one_way = (graph.arc_reverse < 0) | (np.arange(graph.arc_count) < graph.arc_reverse)
    stands = np.flatnonzero(usable & one_way & np.isin(graph.arc_class, classes))
    core_nodes = np.unique(graph.arc_from[graph.arc_core])
    lonlat = np.column_stack([graph.node_lon[core_nodes], graph.node_lat[core_nodes]])
    return Streets(
        frame=frame,
        middle=frame.metres(_line_points(graph, stands)),
        length_m=graph.arc_length_m[stands],
        node=frame.metres(lonlat),
        node_weight=_busyness(graph)[core_nodes],
    )


def spread(streets: Streets, count: int, chance: np.random.Generator) -> Metres:
    """Points on streets, spread so that every street is near one: weighted k-means.

    Args:
        streets: Where points may be.
        count: How many, metres (count, 2), from north to south.
        chance: Seeded source of the first guess.

    Raises:
        SketchImpossible: Fewer streets than points.
    """
    if len(streets.middle) < count:
        raise SketchImpossible(
            f"the network has {len(streets.middle)} streets where a platform can stand, fewer than"
            f" the {count} platforms asked for; ask for fewer or import a larger network"
        )
    centres = _first_guess(streets, count, chance)
    for _ in range(_ROUNDS):
        near = cKDTree(centres).query(streets.middle)[1]
        weight = np.bincount(near, streets.length_m, minlength=count)
        held = weight > 0
        for axis in (0, 1):
            sums = np.bincount(near, streets.length_m * streets.middle[:, axis], minlength=count)
            centres[held, axis] = sums[held] / weight[held]
    chosen = _distinct_nearest(streets.middle, centres)
    found = streets.middle[chosen]
    return found[np.lexsort((found[:, 0], -found[:, 1]))]


def busy_nodes(
    streets: Streets, count: int, *, taken: Metres | None = None, apart_m: float = 700.0
) -> Metres:
    """The busiest junctions, not too near to each other, busiest first.

    Args:
        streets: The network.
        count: How many.
        taken: Points to keep away from, metres (n, 2).
        apart_m: Wanted distance between them; halved until there are enough.

    Raises:
        SketchImpossible: Fewer junctions than asked for.
    """
    order = np.lexsort((streets.node[:, 0], streets.node[:, 1], -streets.node_weight))
    order = order[streets.node_weight[order] >= 3]
    if len(order) < count:
        raise SketchImpossible(
            f"the network has {len(order)} junctions, fewer than the {count} key sites needed;"
            " import a larger network"
        )
    while True:
        chosen = _apart(streets.node[order], count, apart_m, taken)
        if len(chosen) == count or apart_m < 1.0:
            break
        apart_m /= 2
    if len(chosen) < count:
        raise SketchImpossible(f"only {len(chosen)} junctions for {count} key sites lie apart")
    return streets.node[order][chosen]


def _line_points(graph: RoadGraph, arcs: NDArray[np.intp]) -> NDArray[np.float64]:
    """A point of each arc's line near its middle: an inner vertex, or the middle of a straight."""
    start, end = graph.geom_start[arcs], graph.geom_start[arcs + 1]
    low = graph.geom_lonlat[(start + end - 1) // 2]
    high = graph.geom_lonlat[(start + end) // 2]
    middle: NDArray[np.float64] = (low + high) / 2
    return middle


def _busyness(graph: RoadGraph) -> NDArray[np.float64]:
    rank = np.array([_BUSY.get(name, 0) for name in ROAD_CLASSES], dtype=np.float64)
    weight = np.zeros(graph.node_count)
    np.add.at(weight, graph.arc_from[graph.arc_core], rank[graph.arc_class[graph.arc_core]])
    return weight


def _first_guess(streets: Streets, count: int, chance: np.random.Generator) -> Metres:
    """k-means++: each next centre is drawn far from those before."""
    share = streets.length_m / streets.length_m.sum()
    chosen = [int(chance.choice(len(share), p=share))]
    away = _squared(streets.middle, streets.middle[chosen[0]])
    while len(chosen) < count:
        weight = streets.length_m * away
        if weight.sum() <= 0:
            weight = streets.length_m
        chosen.append(int(chance.choice(len(weight), p=weight / weight.sum())))
        away = np.minimum(away, _squared(streets.middle, streets.middle[chosen[-1]]))
    return streets.middle[chosen].copy()


def _squared(points: Metres, point: Metres) -> NDArray[np.float64]:
    away: NDArray[np.float64] = ((points - point) ** 2).sum(axis=1)
    return away


def _distinct_nearest(points: Metres, centres: Metres) -> list[int]:
    """The nearest point to each centre; nobody gets a point that another has."""
    chosen: list[int] = []
    for centre in centres:
        away = _squared(points, centre)
        away[chosen] = np.inf
        chosen.append(int(away.argmin()))
    return chosen


def _apart(points: Metres, count: int, apart_m: float, taken: Metres | None) -> list[int]:
    kept = [] if taken is None else [tuple(point) for point in taken.tolist()]
    chosen: list[int] = []
    for number, (x, y) in enumerate(points.tolist()):
        if all((x - a) ** 2 + (y - b) ** 2 >= apart_m**2 for a, b in kept):
            chosen.append(number)
            kept.append((x, y))
            if len(chosen) == count:
                break
    return chosen
