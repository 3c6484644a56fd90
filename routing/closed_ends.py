"""The closed stretches at the ends of a way, and which closures they are.

A way is closed arcs, open arcs, closed arcs, each part possibly none: whoever stands on a closed
road may leave it, whoever is called onto one may come, and nobody passes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.conditions import Closure
from routing.graph import RoadGraph
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile
from routing.stands import Stand
from routing.weights import bars


class ClosedStretch(NamedTuple):
    """A closed stretch at one end of a way.

    Attributes:
        length_m: Metres that are driven on it.
        roads: Names of its streets in the order of the drive; nameless ones are left out.
        closure_ids: The closures that bar it, by id.
    """

    length_m: float
    roads: tuple[str, ...]
    closure_ids: tuple[str, ...]


class ClosedEnds(NamedTuple):
    """What of a way is closed; None where it begins or ends on an open road.

    A way that is closed as a whole is one stretch, `last`.
    """

    first: ClosedStretch | None
    last: ClosedStretch | None


OPEN_ENDS: Final = ClosedEnds(None, None)


class ArcsAtEnds(NamedTuple):
    """How many arcs are closed at the beginning of a way, and how many at its end."""

    first: int
    last: int


def arcs_at_ends(closed: NDArray[np.bool_]) -> ArcsAtEnds | None:
    """Count the closed arcs at both ends of a way.

    Args:
        closed: Which of its arcs are closed, at least one arc.

    Returns:
        None when one is closed between open ones: nobody may pass there. All of them count as
        the end.
    """
    is_open = np.flatnonzero(~closed)
    if not len(is_open):
        return ArcsAtEnds(0, len(closed))
    first, after = int(is_open[0]), int(is_open[-1]) + 1
    return None if closed[first:after].any() else ArcsAtEnds(first, len(closed) - after)


def with_open_ends(
    arc_ms: NDArray[np.int32], shut_ms: NDArray[np.int32], arcs: Sequence[int]
) -> NDArray[np.int32] | None:
    """The times of arcs with the closed ones at a way's ends opened for whoever drives it.

    Args:
        arc_ms: One profile's, int32 (A), `CLOSED_MS` where it may not drive.
        shut_ms: What those take that a closure bars, int32 (A) or empty; see `Weights`.
        arcs: The way.

    Returns:
        None when nothing at its ends is closed, or the way is barred all the same.
    """
    way = np.array(arcs, dtype=np.intp)
    closed = arc_ms[way] >= CLOSED_MS
    if not (closed.any() and len(shut_ms)) or arcs_at_ends(closed) is None:
        return None
    opened = arc_ms.copy()
    opened[way[closed]] = shut_ms[way[closed]]
    return opened


class ClosuresOnArcs:
    """Finds the closures of one moment by the arcs that they bar."""

    def __init__(self, closures: Sequence[tuple[Closure, NDArray[np.intp]]]) -> None:
        """Take the closures with their directed arcs; the look-up is made when first asked for."""
        self._closures = closures

    def ids(self, arcs: Sequence[int], profile: Profile) -> tuple[str, ...]:
        """The closures that keep a profile off any of these arcs, by id."""
        arc, number = self._by_arc
        first, after = np.searchsorted(arc, arcs, "left"), np.searchsorted(arc, arcs, "right")
        found = {
            one
            for low, high in zip(first.tolist(), after.tolist(), strict=True)
            for one in number[low:high].tolist()
        }
        closures = (self._closures[one][0] for one in found)
        return tuple(sorted(one.closure_id for one in closures if bars(one, profile)))

    @cached_property
    def _by_arc(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """All closed arcs, ascending, and the number of the closure of each."""
        parts = [arcs for _, arcs in self._closures]
        arc = np.concatenate([np.empty(0, dtype=np.intp), *parts])
        number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        order = np.argsort(arc, kind="stable")
        return arc[order], number[order]


def closed_ends(
    graph: RoadGraph,
    arc_ms: NDArray[np.int32],
    closures: ClosuresOnArcs,
    way: tuple[Sequence[int], Stand, Stand],
    profile: Profile,
) -> ClosedEnds:
    """What is closed at the ends of a way that may be driven.

    Args:
        graph: The roads.
        arc_ms: The profile's milliseconds, int32 (A).
        closures: Those in force.
        way: Its arcs, where it begins on the first and where it ends on the last of them.
        profile: Who drives it.
    """
    arcs, start, end = np.array(way[0], dtype=np.intp), way[1], way[2]
    at_ends = arcs_at_ends(arc_ms[arcs] >= CLOSED_MS)
    if at_ends is None:
        return OPEN_ENDS
    length_m = graph.arc_length_m[arcs].copy()
    length_m[-1] = end.offset_m
    length_m[0] -= start.offset_m

    def stretch(part: slice) -> ClosedStretch | None:
        closed: list[int] = arcs[part].tolist()
        if not closed:
            return None
        names = dict.fromkeys(graph.names[graph.arc_name[arc]] for arc in closed)
        return ClosedStretch(
            length_m=float(length_m[part].sum()),
            roads=tuple(name for name in names if name),
            closure_ids=closures.ids(closed, profile),
        )

    after = len(arcs) - at_ends.last
    return ClosedEnds(stretch(slice(at_ends.first)), stretch(slice(after, None)))
