"""The arc-expanded graph, built from the published definition and nothing of our search.

Definition, in whole milliseconds. Driving an arc takes its `arc_ms`; passing from one arc to the
next takes the turn's `turn_ms`; what is `CLOSED_MS` cannot be used. A place on an arc lies at a
share of its length; from the start of the arc to it is `part(ms, share) = floor(ms * share + 0.5)`
and from it to the end `ms - part(ms, share)`. Nobody turns back in the middle of an arc.

The nodes of the expanded graph are the arcs. Its edge b -> a, against the traffic, weighs
`turn_ms(a -> b) + arc_ms(b)`: the label of an arc is the time from its end to the target.

Arcs that a closure shuts may begin a way and end it, and nobody passes through them. So each stands
for two nodes: one for the first part of a way, from which all arcs may be entered, and a twin for
the last part, which may be entered from anywhere and is left for other twins only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from routing.graph import RoadGraph
from routing.search.arrays import CLOSED_MS
from routing.stands import Stand


def part_ms(ms: int, share: float) -> int:
    """Milliseconds from the start of an arc to a share of it."""
    return int(np.floor(ms * share + 0.5))


@dataclass(frozen=True, slots=True)
class ExpandedRoads:
    """One profile's roads as edges between arcs; E usable turns.

    Attributes:
        arc_ms: int64 (A), `CLOSED_MS` where closed; the twins of shut arcs come last.
        length_m: float64 (A).
        edge_from: Arc that a turn leaves, int32 (E).
        edge_to: Arc that it enters, int32 (E).
        turn_ms: int64 (E).
        entry_start: First edge leading into each arc in `entry_edge`, int64 (A + 1).
        entry_edge: Edges sorted by the arc that they enter, int64 (E).
        twin: The twin of each arc that is shut, -1 elsewhere, int64 (A).
    """

    arc_ms: NDArray[np.int64]
    length_m: NDArray[np.float64]
    edge_from: NDArray[np.int32]
    edge_to: NDArray[np.int32]
    turn_ms: NDArray[np.int64]
    entry_start: NDArray[np.int64]
    entry_edge: NDArray[np.int64]
    twin: NDArray[np.int64]

    @property
    def arc_count(self) -> int:
        """Number of arcs, closed ones included."""
        return len(self.arc_ms)

    def against_traffic_ms(self) -> NDArray[np.float64]:
        """Weight of each edge b -> a: the turn from a into b and the whole of b, float64 (E)."""
        return (self.turn_ms + self.arc_ms[self.edge_to]).astype(np.float64)

    def matrix(self, *, against_traffic: bool) -> csr_array[Any]:
        """All edges as a sparse matrix (A, A): backward labels or forward ones.

        Forward, the label of an arc is the time to its end from the end of the first.
        """
        weights = self.against_traffic_ms()
        rows, columns = self.edge_from, self.edge_to
        if against_traffic:
            rows, columns = columns, rows
        return csr_array((weights, (rows, columns)), shape=(self.arc_count, self.arc_count))

    def share(self, stand: Stand) -> float:
        """Where on its arc a stand is, 0 to 1."""
        return min(max(stand.offset_m / float(self.length_m[stand.arc]), 0.0), 1.0)

    def rest_ms(self, stand: Stand) -> int:
        """From a stand to the end of its arc; `CLOSED_MS` on a closed arc."""
        whole = int(self.arc_ms[stand.arc])
        return CLOSED_MS if whole >= CLOSED_MS else whole - part_ms(whole, self.share(stand))

    def entries(self, target: Sequence[Stand]) -> list[tuple[int, int]]:
        """Arcs that lead into the target's arcs, each with the time from its end to the target."""
        found: dict[int, int] = {}
        twins = [Stand(int(self.twin[one.arc]), one.offset_m) for one in target]
        for stand in (*target, *(one for one in twins if one.arc >= 0)):
            whole = int(self.arc_ms[stand.arc])
            if whole >= CLOSED_MS:
                continue
            last = part_ms(whole, self.share(stand))
            first, end = self.entry_start[stand.arc], self.entry_start[stand.arc + 1]
            for edge in self.entry_edge[first:end]:
                origin, ms = int(self.edge_from[edge]), int(self.turn_ms[edge]) + last
                found[origin] = min(found.get(origin, ms), ms)
        return list(found.items())

    def same_arc_ms(self, unit: Stand, target: Stand) -> int:
        """Time along one arc to a target ahead; `CLOSED_MS` when behind, elsewhere or closed."""
        whole = int(self.arc_ms[unit.arc])
        behind = self.share(unit) > self.share(target)
        if unit.arc != target.arc or behind or whole >= CLOSED_MS:
            return CLOSED_MS
        return part_ms(whole, self.share(target)) - part_ms(whole, self.share(unit))


def expand(
    graph: RoadGraph,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    shut: NDArray[np.bool_] | None = None,
) -> ExpandedRoads:
    """Make the expanded graph of one profile.

    Args:
        graph: The roads.
        arc_ms: int32 (A), `CLOSED_MS` where the profile may not drive.
        turn_ms: int32 (T), `CLOSED_MS` where the turn is banned.
        shut: Arcs shut by a closure, bool (A); None = none.
    """
    if shut is None:
        shut = np.zeros(graph.arc_count, dtype=np.bool_)
    twin_of = np.flatnonzero(shut)
    twin = np.full(graph.arc_count + len(twin_of), -1, dtype=np.int64)
    twin[twin_of] = graph.arc_count + np.arange(len(twin_of))
    origin = np.repeat(np.arange(graph.arc_count, dtype=np.int32), np.diff(graph.turn_start))
    usable = (
        (turn_ms < CLOSED_MS) & (arc_ms[origin] < CLOSED_MS) & (arc_ms[graph.turn_to] < CLOSED_MS)
    )
    before, after, turning = origin[usable], graph.turn_to[usable], turn_ms[usable]
    plain, last = shut[before] | ~shut[after], shut[after]
    into_twin = np.where(shut[before[last]], twin[before[last]], before[last])
    edge_from = np.concatenate([before[plain], into_twin]).astype(np.int32)
    edge_to = np.concatenate([after[plain], twin[after[last]]]).astype(np.int32)
    arc_count = len(twin)
    entry_start = np.zeros(arc_count + 1, dtype=np.int64)
    np.cumsum(np.bincount(edge_to, minlength=arc_count), out=entry_start[1:])
    return ExpandedRoads(
        arc_ms=np.concatenate([arc_ms, arc_ms[twin_of]]).astype(np.int64),
        length_m=np.concatenate([graph.arc_length_m, graph.arc_length_m[twin_of]]),
        edge_from=edge_from,
        edge_to=edge_to,
        turn_ms=np.concatenate([turning[plain], turning[last]]).astype(np.int64),
        entry_start=entry_start,
        entry_edge=np.argsort(edge_to, kind="stable").astype(np.int64),
        twin=twin,
    )
