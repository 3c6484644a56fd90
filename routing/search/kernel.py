"""Compiled searches over directed arcs. `kernel_python` is the twin: same names, same answers.

Labels are exit labels: the milliseconds from the *end* of an arc to the target, turns included.
A backward search lowers them bucket by bucket; all profiles share the buckets, so that they share
the bound too. Of equally fast ways the one into the arc of the smaller number is kept: answers do
not depend on the order of the work. Nothing is cleared between searches: a label counts only when
it carries the stamp of the present search.
"""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import CLOSED_MS, Found, Places, RoadArrays, Units, Weights
from routing.search.compiled import compiled
from routing.search.kernel_buckets import BUCKET, BUCKET_SHIFT, COUNT, NONE, doubled
from routing.search.kernel_closed import arrive, leave, mark_ways_out
from routing.search.kernel_labels import FULL, advance, start
from routing.search.kernel_ranking import (
    HELD,
    MET,
    MS,
    STAMP,
    Workspace,
    hang,
    meet,
    new_workspace,
    offer_same_arc,
)
from routing.search.kernel_snap import nearest_street
from routing.search.kernel_spread import spread
from routing.search.kernel_trace import trace
from routing.search.kernel_way import follow

__all__ = ["COMPILED", "follow", "nearest", "nearest_street", "new_workspace", "spread"]

COMPILED: Final = True
"""False in the twin."""


@compiled
def _sweep(
    network, weights, units, wanted, limit_ms, least_extra, stands, space, stamp, entry,
    count, ranked
):  # fmt: skip
    """Search on until no unit can be better than those ranked; returns how many are."""
    progress = np.zeros(3, np.int64)
    progress[COUNT] = count
    while True:
        # Whatever lies farther out comes too late, even without any time to move off.
        radius = limit_ms - least_extra
        if ranked == wanted:
            radius = min(radius, (space.ranked[wanted - 1] >> 32) - least_extra)
        if stands == 0:
            # All are met; in the bucket at hand some may still be met sooner.
            radius = min(radius, ((progress[BUCKET] + 1) << BUCKET_SHIFT) - 1)
        at = advance(
            space.label, space.following, space.bucket, entry, network.entry_start,
            network.entry_from, weights.arc_ms, weights.entry_ms, progress, stamp, radius
        )  # fmt: skip
        if at == FULL:
            entry = doubled(entry)
        elif at == NONE:
            break
        else:
            ms = np.int64(space.label[at, MS])
            ranked, met = meet(weights, units, space, at, ms, wanted, ranked, limit_ms)
            if space.label[at, STAMP] == stamp + HELD:
                stands -= met
                space.label[at, STAMP] = stamp + MET
            if weights.arc_ms[at] >= CLOSED_MS and weights.shut_ms.shape[0] > 0:
                entry, progress[COUNT] = leave(
                    network, weights, limit_ms, space, stamp, at, progress[BUCKET], entry,
                    progress[COUNT]
                )  # fmt: skip
    return ranked


@compiled
def _nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp):
    arc_count = network.length_m.shape[0]
    hung, stands, on_closed, least_extra, profiles = hang(
        weights, arc_count, units, eligible, space, stamp
    )
    wanted = min(k, hung)
    if wanted <= 0:
        return trace(network, weights, targets, units, space, np.int64(0))
    if on_closed > 0:
        mark_ways_out(network, weights, units, eligible, space, stamp)
    ranked = offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space)
    entry, count = start(
        network, weights.arc_ms, weights.entry_ms, targets, profiles, limit_ms, space.label,
        space.following, space.bucket, space.entry, stamp
    )  # fmt: skip
    entry, count, ranked = arrive(
        network, weights, targets, units, eligible, profiles, wanted, limit_ms, space, stamp,
        entry, count, ranked
    )  # fmt: skip
    ranked = _sweep(
        network, weights, units, wanted, limit_ms, least_extra, stands, space, stamp, entry,
        count, ranked
    )  # fmt: skip
    return trace(network, weights, targets, units, space, ranked)


def nearest(
    network: RoadArrays,
    weights: Weights,
    targets: Places,
    units: Units,
    eligible: NDArray[np.bool_],
    k: int,
    limit_ms: int,
    space: Workspace,
    stamp: int,
) -> Found:
    """The k eligible units with the least travel and extra time to the target, exactly.

    Args:
        network: The roads.
        weights: Milliseconds of the moment.
        targets: Stands of the place to reach.
        units: Where the units stand.
        eligible: Who may be asked, bool (U).
        k: How many units at most.
        limit_ms: Ways that take longer than this are left out; less than `CLOSED_MS`.
        space: Scratch memory of this thread.
        stamp: At least `STAMP_STEP` above every stamp used before with this scratch memory.

    Returns:
        Units and ways by (total_ms, slot); fewer than k when no more can come.
    """
    return Found(*_nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp))
