"""The labels of the compiled backward search: started at the target, lowered bucket by bucket.

The same work serves the main search, over open arcs, and the one over the closed arcs that lead to
a place on a closed road (`kernel_closed`): each has its own labels, and arc times in which what the
other may drive is `CLOSED_MS`.
"""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np

from routing.search.arrays import CLOSED_MS, PROFILE_SHIFT
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
from routing.search.kernel_ranking import MS, STAMP

FULL: Final = -2
ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1


@compiled
def lower(label, following, bucket, bucket_no, entry, count, stamp, at, low, ms, after):
    """Lower the label `at` to `ms` when that is better; returns how many entries there are."""
    known_ms = np.int64(label[at, MS])
    if label[at, STAMP] < stamp:
        label[at, STAMP] = stamp
        known_ms = np.int64(CLOSED_MS)
    if ms < known_ms:
        label[at, MS] = ms
        following[at] = after
        put(bucket, bucket_no, entry, count, low, ms)
        count += 1
    elif ms == known_ms and after < following[at]:
        following[at] = after
    return count


@compiled
def start(
    network, arc_ms, entry_ms, targets, profiles, limit_ms, label, following, bucket, entry, stamp
):  # fmt: skip
    """Label the arcs that lead into the target's arcs; returns the entries and their count."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    count = np.int64(0)
    bucket[:] = NONE
    for target in range(targets.arc.shape[0]):
        arc = targets.arc[target]
        first, end = network.entry_start[arc], network.entry_start[arc + 1]
        for profile in range(arc_ms.shape[0] // arc_count):
            whole = arc_ms[profile * arc_count + arc]
            if not (profiles >> profile) & 1 or whole >= CLOSED_MS:
                continue
            last = part(whole, targets.share[target])
            while count + end - first > entry.shape[0]:
                entry = doubled(entry)
            for turn in range(first, end):
                ms = last + entry_ms[profile * turn_count + turn]
                if ms <= limit_ms:
                    origin = np.int64(network.entry_from[turn])
                    low = (profile << PROFILE_SHIFT) | origin
                    at = profile * arc_count + origin
                    count = lower(
                        label, following, bucket, np.int64(0), entry, count, stamp, at, low, ms,
                        np.int64(~target)
                    )  # fmt: skip
    return entry, count


@compiled
def advance(  # noqa: C901, PLR0915  # one loop, for the reason given below
    label, following, bucket, entry, entry_start, entry_from, arc_ms, entry_ms, progress, stamp,
    radius
):  # fmt: skip
    """Use entries until a label with units is met, the entries are full, or nothing is left.

    Plain arrays and no call for each turn: numba counts references at every call that takes arrays,
    which makes this loop five times slower. Returns the label, `FULL` or `NONE`.
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
        profile, arc = low >> PROFILE_SHIFT, low & ARC_MASK
        at = profile * arc_count + arc
        first, end = entry_start[arc], entry_start[arc + 1]
        if count + max(1, end - first) > entry.shape[0]:
            outcome = FULL
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
                    # As `lower` does.
                    before = profile * arc_count + origin
                    known_ms = np.int64(label[before, MS])
                    if label[before, STAMP] < stamp:
                        label[before, STAMP] = stamp
                        known_ms = np.int64(CLOSED_MS)
                    if through < known_ms:
                        label[before, MS] = through
                        following[before] = arc
                        farthest = bucket_no + BUCKETS - 1
                        place = min(through >> BUCKET_SHIFT, farthest) & BUCKET_MASK
                        entry[count, 0] = (profile << PROFILE_SHIFT) | origin
                        entry[count, 1] = through
                        entry[count, 2] = bucket[place]
                        bucket[place] = count
                        count += 1
                    elif through == known_ms and arc < following[before]:
                        following[before] = arc
        if label[at, STAMP] != stamp:
            outcome = at
            break
    progress[COUNT], progress[USED], progress[BUCKET] = count, used, bucket_no
    return outcome
