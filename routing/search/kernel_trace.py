"""The ways that a compiled search has found, arc by arc."""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np

from routing.search.arrays import CLOSED_MS
from routing.search.compiled import compiled
from routing.search.kernel_ranking import ALL_CLOSED

_SLOT_MASK: Final = (1 << 32) - 1


@compiled
def trace(network, weights, targets, units, space, ranked):
    """Follow the ways of the ranked units to the target."""
    arc_count = network.length_m.shape[0]
    total_ms = np.empty(ranked, np.int64)
    slots = np.empty(ranked, np.int64)
    stands = np.empty(ranked, np.int64)
    ends = np.empty(ranked, np.int64)
    length_m = np.empty(ranked, np.float64)
    path_start = np.zeros(ranked + 1, np.int64)
    path_arc = np.empty(64 * ranked + 64, np.int32)
    count, any_shut = 0, weights.shut_ms.shape[0] > 0
    for rank in range(ranked):
        slot = space.ranked[rank] & _SLOT_MASK
        stand = space.best_stand[slot]
        arc = units.arc[slot, stand]
        target = space.best_target[slot]
        metres = -units.share[slot, stand] * network.length_m[arc]
        base = units.profile[slot] * arc_count
        # From an open arc into a closed one: what is left is closed, and has labels of its own.
        is_last_part = target == ALL_CLOSED
        while True:
            if count + 1 >= path_arc.shape[0]:
                wider = np.empty(2 * path_arc.shape[0], np.int32)
                wider[:count] = path_arc[:count]
                path_arc = wider
            path_arc[count] = arc
            count += 1
            if target >= 0:
                break
            metres += network.length_m[arc]
            following = space.following[base + arc]
            if is_last_part:
                following = space.closed_following[base + arc]
            if following < 0:
                target = ~following
                arc = targets.arc[target]
                continue
            if any_shut and weights.arc_ms[base + arc] < CLOSED_MS:
                is_last_part = weights.arc_ms[base + following] >= CLOSED_MS
            arc = following
        metres += targets.share[target] * network.length_m[arc]
        total_ms[rank] = space.ranked[rank] >> 32
        slots[rank], stands[rank], ends[rank] = slot, stand, target
        length_m[rank] = metres
        path_start[rank + 1] = count
    return total_ms, slots, stands, ends, length_m, path_start, path_arc[:count]
