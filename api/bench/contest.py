"""What every library that takes part in the comparison is given and must answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from api.bench.expanded import ExpandedRoads
from api.bench.scenario import BenchUnit
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile
from routing.stands import Stand

Answer = list[tuple[int, int]]
"""The k best units as (total_ms, slot), in that order."""

FIRST_LIMIT_MS = 60_000
"""Libraries that take a limit begin with a minute and double it until k units are found."""


class Contestant(Protocol):
    """A way to find the nearest units. Preparing it for units is not timed, asking is."""

    name: str

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Take the units; slot = position."""

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units to a place."""


@dataclass(frozen=True, slots=True)
class StandTable:
    """The stands of one profile's units on its expanded roads, one row a stand.

    Attributes:
        roads: The profile's roads.
        slot: Whose stand, int64 (S).
        arc: On which arc, int64 (S).
        after_ms: Turn-out and the way to the end of the arc, float64 (S); inf where closed.
        by_arc: Rows of each arc, with the unit's turn-out and stand.
    """

    roads: ExpandedRoads
    slot: NDArray[np.int64]
    arc: NDArray[np.int64]
    after_ms: NDArray[np.float64]
    by_arc: dict[int, list[tuple[int, int, Stand]]]

    def best(self, label_ms: NDArray[np.float64], target: Sequence[Stand]) -> dict[int, int]:
        """Total milliseconds of each unit that has a way, given the labels at its stands (S)."""
        total = label_ms + self.after_ms
        rows = np.flatnonzero(np.isfinite(total))
        found = self.on_target_arcs(target)
        for slot, ms in zip(self.slot[rows].tolist(), total[rows].tolist(), strict=True):
            if ms < found.get(slot, CLOSED_MS):
                found[slot] = int(ms)
        return found

    def on_target_arcs(self, target: Sequence[Stand]) -> dict[int, int]:
        """Units that need not leave the target's arc."""
        found: dict[int, int] = {}
        for end in target:
            for slot, extra_ms, stand in self.by_arc.get(end.arc, ()):
                ms = self.roads.same_arc_ms(stand, end) + extra_ms
                if ms < found.get(slot, CLOSED_MS):
                    found[slot] = ms
        return found


def stand_tables(
    roads: dict[Profile, ExpandedRoads], units: Sequence[BenchUnit]
) -> dict[Profile, StandTable]:
    """One table for each profile that some unit has."""
    tables = {}
    for profile in sorted({unit.profile for unit in units}):
        tables[profile] = _table(roads[profile], profile, units)
    return tables


def _table(roads: ExpandedRoads, profile: Profile, units: Sequence[BenchUnit]) -> StandTable:
    slots, arcs, after_ms = [], [], []
    by_arc: dict[int, list[tuple[int, int, Stand]]] = {}
    for slot, unit in enumerate(units):
        if unit.profile is not profile:
            continue
        for stand in unit.stands:
            rest_ms = roads.rest_ms(stand)
            slots.append(slot)
            arcs.append(stand.arc)
            after_ms.append(float("inf") if rest_ms >= CLOSED_MS else float(rest_ms))
            after_ms[-1] += unit.extra_ms
            by_arc.setdefault(stand.arc, []).append((slot, unit.extra_ms, stand))
    return StandTable(
        roads,
        np.array(slots, dtype=np.int64),
        np.array(arcs, dtype=np.int64),
        np.array(after_ms, dtype=np.float64),
        by_arc,
    )


def ranked(found: dict[int, int], k: int) -> Answer:
    """The k best by (total_ms, slot)."""
    return sorted((ms, slot) for slot, ms in found.items())[:k]


def within_growing_limit(search: Callable[[int], dict[int, int]], k: int) -> Answer:
    """Search with a limit that doubles until the k best are sure."""
    limit_ms = FIRST_LIMIT_MS
    while True:
        answer = ranked(search(limit_ms), k)
        # A unit that was not found needs more than the limit, so the k-th cannot be worse.
        if (len(answer) == k and answer[-1][0] <= limit_ms) or limit_ms >= CLOSED_MS:
            return answer
        limit_ms *= 2
