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

from routing.search.arrays import (
    CLOSED_MS,
    PROFILE_SHIFT,
    Found,
    Places,
    RoadArrays,
    Units,
    Weights,
)
from routing.search.compiled import compiled
from routing.search.kernel_buckets import (
    BUCKET,
    BUCKET_MASK,
    BUCKET_SHIFT,
    BUCKETS,
    COUNT,
    NONE,
    USED,
    doubled,
    part,
    put,
)
from routing.search.kernel_ranking import (
    HUNG,
    MS,
    NEXT,
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

_FULL: Final = -2
_ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1


@compiled
def _lower(label, bucket, bucket_no, entry, count, stamp, at, low, ms, following):
    """Lower the label `at` to `ms` when that is better; returns how many entries there are."""
    known_ms = np.int64(label[at, MS])
    if label[at, STAMP] < stamp:
        label[at, STAMP] = stamp
        label[at, HUNG] = NONE
        known_ms = np.int64(CLOSED_MS)
    if ms < known_ms:
        label[at, MS] = ms
        label[at, NEXT] = following
        put(bucket, bucket_no, entry, count, low, ms)
        count += 1
    elif ms == known_ms and following < label[at, NEXT]:
        label[at, NEXT] = following
    return count


@compiled
def _start(network, weights, targets, profiles, limit_ms, space, stamp):
    """Label the arcs that lead into the target's arcs; returns the entries and their count."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    entry, count = space.entry, np.int64(0)
    space.bucket[:] = NONE
    for target in range(targets.arc.shape[0]):
        arc = targets.arc[target]
        first, end = network.entry_start[arc], network.entry_start[arc + 1]
        for profile in range(weights.arc_ms.shape[0] // arc_count):
            whole = weights.arc_ms[profile * arc_count + arc]
            if not (profiles >> profile) & 1 or whole >= CLOSED_MS:
                continue
            last = part(whole, targets.share[target])
            while count + end - first > entry.shape[0]:
                entry = doubled(entry)
            for turn in range(first, end):
                ms = last + weights.entry_ms[profile * turn_count + turn]
                if ms <= limit_ms:
                    origin = np.int64(network.entry_from[turn])
                    low = (profile << PROFILE_SHIFT) | origin
                    at = profile * arc_count + origin
                    count = _lower(
                        space.label, space.bucket, np.int64(0), entry, count, stamp, at, low, ms,
                        np.int64(~target)
                    )  # fmt: skip
    return entry, count


@compiled
def _advance(  # noqa: C901, PLR0915  # one loop, for the reason given below
    label, bucket, entry, entry_start, entry_from, arc_ms, entry_ms, progress, stamp, radius
):  # fmt: skip
    """Use entries until a label with units is met, the entries are full, or nothing is left.

    Plain arrays and no call for each turn: numba counts references at every call that takes arrays,
    which makes this loop five times slower. Returns the label, `_FULL` or `NONE`.
    """
    arc_count = entry_start.shape[0] - 1
    turn_count = entry_from.shape[0]
    count, used, bucket_no = progress[COUNT], progress[USED], progress[BUCKET]
    outcome = NONE
    while used < count and bucket_no << BUCKET_SHIFT <= radius:
        place = bucket_no & BUCKET_MASK
        item = bucket[place]
        if item == NONE:
            bucket_no += 1
            continue
        low, ms = np.int64(entry[item, 0]), np.int64(entry[item, 1])
        profile, arc = low >> PROFILE_SHIFT, low & _ARC_MASK
        at = profile * arc_count + arc
        first, end = entry_start[arc], entry_start[arc + 1]
        if count + max(1, end - first) > entry.shape[0]:
            outcome = _FULL
            break
        bucket[place] = entry[item, 2]
        used += 1
        if ms >> BUCKET_SHIFT > bucket_no:
            put(bucket, bucket_no, entry, count, low, ms)
            count += 1
            continue
        # Not at equality: a unit of equal time and smaller slot would still come first.
        if ms > label[at, MS] or ms > radius:
            continue
        from_start = ms + arc_ms[at]
        if from_start <= radius:
            for turn in range(first, end):
                through = from_start + entry_ms[profile * turn_count + turn]
                if through <= radius:
                    origin = entry_from[turn]
                    # As `_lower` does.
                    before = profile * arc_count + origin
                    known_ms = np.int64(label[before, MS])
                    if label[before, STAMP] < stamp:
                        label[before, STAMP] = stamp
                        label[before, HUNG] = NONE
                        known_ms = np.int64(CLOSED_MS)
                    if through < known_ms:
                        label[before, MS] = through
                        label[before, NEXT] = arc
                        farthest = bucket_no + BUCKETS - 1
                        place = min(through >> BUCKET_SHIFT, farthest) & BUCKET_MASK
                        entry[count, 0] = (profile << PROFILE_SHIFT) | origin
                        entry[count, 1] = through
                        entry[count, 2] = bucket[place]
                        bucket[place] = count
                        count += 1
                    elif through == known_ms and arc < label[before, NEXT]:
                        label[before, NEXT] = arc
        if label[at, HUNG] != NONE:
            outcome = at
            break
    progress[COUNT], progress[USED], progress[BUCKET] = count, used, bucket_no
    return outcome


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
        at = _advance(
            space.label, space.bucket, entry, network.entry_start, network.entry_from,
            weights.arc_ms, weights.entry_ms, progress, stamp, radius
        )  # fmt: skip
        if at == _FULL:
            entry = doubled(entry)
        elif at == NONE:
            break
        else:
            ms = np.int64(space.label[at, MS])
            ranked, met = meet(weights, units, space, at, ms, wanted, ranked, limit_ms)
            if space.label[at, STAMP] == stamp:
                stands -= met
                space.label[at, STAMP] = stamp + 1
    return ranked


@compiled
def _nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp):
    arc_count = network.length_m.shape[0]
    hung, stands, least_extra, profiles = hang(arc_count, units, eligible, space, stamp)
    wanted = min(k, hung)
    if wanted <= 0:
        return trace(network, targets, units, space, np.int64(0))
    ranked = offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space)
    entry, count = _start(network, weights, targets, profiles, limit_ms, space, stamp)
    ranked = _sweep(
        network, weights, units, wanted, limit_ms, least_extra, stands, space, stamp, entry,
        count, ranked
    )  # fmt: skip
    return trace(network, targets, units, space, ranked)


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
        stamp: Even, above every stamp used before with this scratch memory.

    Returns:
        Units and ways by (total_ms, slot); fewer than k when no more can come.
    """
    return Found(*_nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp))
