"""The state of one backward search in plain Python: labels, who hangs at them, the best so far."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import (
    CLOSED_MS,
    PROFILE_SHIFT,
    Places,
    RoadArrays,
    Units,
    Weights,
)

ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1
ON_ONE_ARC, ALL_CLOSED, BY_LABELS = 0, 1, 2
"""How a unit comes: without leaving the arc, over closed arcs only, or as the labels say. Of
equally fast ways the first of these is taken."""


def view(array: NDArray[np.int32]) -> memoryview:
    """An array whose items are read three times faster one by one."""
    return array.data


def part_ms(whole_ms: int, share: float) -> int:
    """Milliseconds from an arc's start to a share of it; see `arrays`."""
    return int(whole_ms * share + 0.5)


@dataclass(slots=True)
class Best:
    """The best ways known so far.

    Attributes:
        wanted: How many units are asked for.
        limit_ms: Longer ways are left out.
        way_of: (total_ms, how it comes, stand, target stand or 0) of each unit met; the least one
            is the best.
        ranked: The best (total_ms, slot), sorted, at most `wanted`.
    """

    wanted: int
    limit_ms: int
    way_of: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    ranked: list[tuple[int, int]] = field(default_factory=list)

    def offer(self, slot: int, total_ms: int, how: int, stand: int, target: int = 0) -> None:
        """Note a way of a unit when it is better than the one known."""
        way = (total_ms, how, stand, target)
        known = self.way_of.get(slot)
        if total_ms > self.limit_ms or (known is not None and way >= known):
            return
        if known is not None and (known[0], slot) in self.ranked:
            self.ranked.remove((known[0], slot))
        self.way_of[slot] = way
        insort(self.ranked, (total_ms, slot))
        del self.ranked[self.wanted :]

    @property
    def bound_ms(self) -> int:
        """No way longer than this can matter any more."""
        return self.ranked[-1][0] if len(self.ranked) == self.wanted else self.limit_ms


@dataclass(slots=True)
class Labels:
    """Milliseconds from the end of arcs to the target; a key is `profile << PROFILE_SHIFT | arc`.

    Attributes:
        ms: The labels.
        next_arc: The arc that each goes on into, or ~target stand.
        heap: What is still to be used, `ms << 32 | key`.
    """

    ms: dict[int, int] = field(default_factory=dict)
    next_arc: dict[int, int] = field(default_factory=dict)
    heap: list[int] = field(default_factory=list)

    def lower(self, low: int, ms: int, following: int) -> None:
        """Lower a label to `ms` when that is better."""
        known = self.ms.get(low, CLOSED_MS)
        if ms < known:
            self.ms[low] = ms
            self.next_arc[low] = following
            heappush(self.heap, (ms << 32) | low)
        elif ms == known < CLOSED_MS and following < self.next_arc[low]:
            self.next_arc[low] = following

    def nearest_first(self) -> Iterator[tuple[int, int]]:
        """Use the labels, those too that are lowered meanwhile: milliseconds and key."""
        while self.heap:
            key = heappop(self.heap)
            ms, low = key >> 32, key & 0xFFFFFFFF
            if ms <= self.ms[low]:
                yield ms, low


@dataclass(slots=True)
class Search:
    """One backward search.

    Attributes:
        network: The roads.
        weights: Milliseconds of the moment.
        units: Where the units stand.
        targets: Stands of the place to reach.
        slots: The units asked for.
        best: The ways found.
        labels: Of the main search.
        closed: Of the search over the closed arcs that lead to the target.
        hung: Slot and stand of the units at each label.
        ways_out: Labels of the closed arcs that a unit standing on one may drive.
    """

    network: RoadArrays
    weights: Weights
    units: Units
    targets: Places
    slots: list[int]
    best: Best
    labels: Labels = field(default_factory=Labels)
    closed: Labels = field(default_factory=Labels)
    hung: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    ways_out: set[int] = field(default_factory=set)

    def place_of(self, low: int) -> int:
        """Where in the weights' arrays of arcs a label's arc is."""
        return (low >> PROFILE_SHIFT) * len(self.network.length_m) + (low & ARC_MASK)

    def shut_ms(self, low: int) -> int:
        """What a label's arc takes that a closure bars, `CLOSED_MS` elsewhere."""
        shut_ms = self.weights.shut_ms
        return int(shut_ms[self.place_of(low)]) if len(shut_ms) else CLOSED_MS

    def own_arc_ms(self, low: int) -> int:
        """What a label's arc takes for whoever stands on it: a closure does not hold him there."""
        return min(int(self.weights.arc_ms[self.place_of(low)]), self.shut_ms(low))

    def entries(self, low: int) -> Iterator[tuple[int, int]]:
        """Keys of the arcs from which a label's arc is entered, and the turns' milliseconds."""
        network, arc = self.network, low & ARC_MASK
        profile = low >> PROFILE_SHIFT
        shift = profile * len(network.entry_from)
        for entry in range(int(network.entry_start[arc]), int(network.entry_start[arc + 1])):
            before = (profile << PROFILE_SHIFT) | int(network.entry_from[entry])
            yield before, int(self.weights.entry_ms[shift + entry])

    def start(self, labels: Labels, arc_ms: NDArray[np.int32]) -> None:
        """Label the arcs that lead into the target's arcs, with these times of arcs."""
        for target, arc in enumerate(self.targets.arc.tolist()):
            for profile in sorted(set(self.units.profile[self.slots].tolist())):
                low = (profile << PROFILE_SHIFT) | arc
                whole = int(arc_ms[self.place_of(low)])
                if whole >= CLOSED_MS:
                    continue
                last = part_ms(whole, float(self.targets.share[target]))
                for before, turn_ms in self.entries(low):
                    if last + turn_ms <= self.best.limit_ms:
                        labels.lower(before, last + turn_ms, ~target)
