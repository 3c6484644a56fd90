"""The searches of `kernel` in plain Python: where numba is missing, and as a check on it.

A binary heap where the kernel has buckets, the same rules for equally fast ways: therefore the same
answers down to the arcs of the ways. Memoryviews stand for the arrays in the main loop: reading one
item of them is three times faster than of a numpy array.
"""

# The arguments are those of `kernel`, by position as there.
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import (
    CLOSED_MS,
    PROFILE_SHIFT,
    Found,
    Places,
    RoadArrays,
    Units,
    Weights,
)
from routing.search.closed_python import arrive, leave, mark_ways_out
from routing.search.labels_python import (
    ARC_MASK,
    BY_LABELS,
    ON_ONE_ARC,
    Best,
    Search,
    part_ms,
    view,
)
from routing.search.snap_python import nearest_street
from routing.search.spread_python import spread
from routing.search.trace_python import trace
from routing.search.way_python import follow

__all__ = ["COMPILED", "follow", "nearest", "nearest_street", "new_workspace", "spread"]

COMPILED: Final = False


def new_workspace(label_count: int, unit_count: int) -> None:  # noqa: ARG001
    """The twin needs no scratch memory; the arguments are those of `kernel.new_workspace`."""
    return


def nearest(
    network: RoadArrays,
    weights: Weights,
    targets: Places,
    units: Units,
    eligible: NDArray[np.bool_],
    k: int,
    limit_ms: int,
    space: None,  # noqa: ARG001
    stamp: int,  # noqa: ARG001
) -> Found:
    """The k eligible units with the least travel and extra time; see `kernel.nearest`."""
    slots = np.flatnonzero((units.profile >= 0) & eligible).tolist()
    best = Best(min(k, len(slots)), limit_ms)
    search = Search(network, weights, units, targets, slots, best)
    if best.wanted > 0:
        _hang(search)
        mark_ways_out(search)
        _offer_same_arc(search)
        search.start(search.labels, weights.arc_ms)
        arrive(search)
        _sweep(search)
    return trace(search)


def _hang(search: Search) -> None:
    for slot in search.slots:
        profile = int(search.units.profile[slot])
        for stand, arc in enumerate(search.units.arc[slot].tolist()):
            if arc >= 0:
                low = (profile << PROFILE_SHIFT) | arc
                # Newest first, as a linked list is read.
                search.hung.setdefault(low, []).insert(0, (slot, stand))


def _offer_same_arc(search: Search) -> None:
    units, targets = search.units, search.targets
    for slot in search.slots:
        profile = int(units.profile[slot])
        for stand, arc in enumerate(units.arc[slot].tolist()):
            for target, target_arc in enumerate(targets.arc.tolist()):
                share, target_share = float(units.share[slot, stand]), float(targets.share[target])
                if arc != target_arc or share > target_share:
                    continue
                ms = search.own_arc_ms((profile << PROFILE_SHIFT) | arc)
                if ms < CLOSED_MS:
                    total_ms = part_ms(ms, target_share) - part_ms(ms, share)
                    total_ms += int(units.extra_ms[slot])
                    search.best.offer(slot, total_ms, ON_ONE_ARC, stand, target)


def _sweep(search: Search) -> None:
    network = search.network
    arc_count, turn_count = len(network.length_m), len(network.entry_from)
    arc_ms, entry_ms = view(search.weights.arc_ms), view(search.weights.entry_ms)
    entry_start, entry_from = view(network.entry_start), view(network.entry_from)
    labels, hung, ways_out = search.labels, search.hung, search.ways_out
    waiting = sum(len(stands) for stands in hung.values())
    bound_ms = search.best.bound_ms
    for ms, low in labels.nearest_first():
        if ms > bound_ms or waiting <= 0:
            break
        profile, arc = low >> PROFILE_SHIFT, low & ARC_MASK
        if low in hung:
            _meet(search, ms, low)
            waiting -= len(hung[low])
            bound_ms = search.best.bound_ms
        if low in ways_out:
            leave(search, ms, low)
        from_start = ms + arc_ms[profile * arc_count + arc]
        if from_start > bound_ms:
            continue
        shift = profile * turn_count
        for entry in range(entry_start[arc], entry_start[arc + 1]):
            through = from_start + entry_ms[shift + entry]
            if through <= bound_ms:
                labels.lower((profile << PROFILE_SHIFT) | entry_from[entry], through, arc)


def _meet(search: Search, ms: int, low: int) -> None:
    units = search.units
    whole = search.own_arc_ms(low)
    if whole >= CLOSED_MS:
        return
    for slot, stand in search.hung[low]:
        rest = whole - part_ms(whole, float(units.share[slot, stand]))
        search.best.offer(slot, ms + rest + int(units.extra_ms[slot]), BY_LABELS, stand)
