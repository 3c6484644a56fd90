"""The compiled forward search: how soon each arc can be entered from a place."""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import CLOSED_MS, Places, RoadArrays
from routing.search.compiled import compiled
from routing.search.kernel_buckets import (
    BUCKET,
    BUCKET_MASK,
    BUCKET_SHIFT,
    BUCKETS,
    COUNT,
    ENTRIES_START,
    NONE,
    USED,
    doubled,
    part,
    put,
)


@compiled
def _spread_on(
    turn_start, turn_to, arc_ms, turn_ms, arrive, bucket, entry, progress, limit_ms
):  # fmt: skip
    """Use entries until nothing is left in time (False) or the entries are full (True)."""
    count, used, bucket_no = progress[COUNT], progress[USED], progress[BUCKET]
    full = False
    while used < count:
        item = bucket[bucket_no & BUCKET_MASK]
        if item == NONE:
            bucket_no += 1
            continue
        # An origin's entry is ~arc, with the moment when its end is reached.
        low, ms = np.int64(entry[item, 0]), np.int64(entry[item, 1])
        arc = max(low, ~low)
        first, end = turn_start[arc], turn_start[arc + 1]
        if count + max(1, end - first) > entry.shape[0]:
            full = True
            break
        bucket[bucket_no & BUCKET_MASK] = entry[item, 2]
        used += 1
        if ms >> BUCKET_SHIFT > bucket_no:
            put(bucket, bucket_no, entry, count, low, ms)
            count += 1
            continue
        if low >= 0 and ms > arrive[arc]:
            continue
        end_ms = ms + arc_ms[arc] if low >= 0 else ms
        for turn in range(first, end):
            entered = end_ms + turn_ms[turn]
            after = turn_to[turn]
            if entered <= limit_ms and entered < arrive[after]:
                arrive[after] = entered
                # As `put` does.
                place = min(entered >> BUCKET_SHIFT, bucket_no + BUCKETS - 1) & BUCKET_MASK
                entry[count, 0] = after
                entry[count, 1] = entered
                entry[count, 2] = bucket[place]
                bucket[place] = count
                count += 1
    progress[COUNT], progress[USED], progress[BUCKET] = count, used, bucket_no
    return full


@compiled
def _spread(network, arc_ms, turn_ms, origins, limit_ms):
    arrive = np.full(network.length_m.shape[0], CLOSED_MS, np.int32)
    bucket = np.full(BUCKETS, NONE, np.int32)
    entry = np.empty((ENTRIES_START, 3), np.int32)
    progress = np.zeros(3, np.int64)
    for origin in range(origins.arc.shape[0]):
        arc = origins.arc[origin]
        if arc_ms[arc] < CLOSED_MS:
            rest = arc_ms[arc] - part(arc_ms[arc], origins.share[origin])
            put(bucket, np.int64(0), entry, progress[COUNT], np.int64(~arc), rest)
            progress[COUNT] += 1
    while _spread_on(
        network.turn_start, network.turn_to, arc_ms, turn_ms, arrive, bucket, entry, progress,
        limit_ms
    ):  # fmt: skip
        entry = doubled(entry)
    return arrive


def spread(
    network: RoadArrays,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    origins: Places,
    limit_ms: int,
) -> NDArray[np.int32]:
    """How soon each arc can be entered from a place.

    Args:
        network: The roads.
        arc_ms: One profile's milliseconds, int32 (A).
        turn_ms: The same profile's, in the order of `network.turn_to`, int32 (T).
        origins: Stands of the place to start from.
        limit_ms: The search ends here; less than `CLOSED_MS`.

    Returns:
        Milliseconds to the start of each arc, the turn into it included, int32 (A); `CLOSED_MS`
        where that takes longer than `limit_ms`. The origin's own arcs count only when they are
        entered again from their start.
    """
    arrive: NDArray[np.int32] = _spread(network, arc_ms, turn_ms, origins, limit_ms)
    return arrive
