"""The queue of the compiled searches: entries in a ring of buckets of milliseconds.

An entry is one row of an int32 array: what it stands for, its milliseconds, and the next entry of
its bucket. Within a bucket order does not matter: a label that is lowered again is used again.
"""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np

from routing.search.compiled import compiled

NONE: Final = -1

BUCKETS: Final = 1 << 12
BUCKET_MASK: Final = BUCKETS - 1
BUCKET_SHIFT: Final = 7
"""Buckets of 128 ms: shorter than nearly every arc, so that hardly a label is lowered again after
it was used. One round of the buckets is 8.7 minutes."""

ENTRIES_START: Final = 1 << 14

COUNT, USED, BUCKET = 0, 1, 2
"""Places in the progress of a search: entries put, entries used, the bucket at hand."""


@compiled
def doubled(entry):
    """The entries in an array with twice the room."""
    larger = np.empty((2 * entry.shape[0], 3), dtype=np.int32)
    larger[: entry.shape[0]] = entry
    return larger


@compiled
def put(bucket, bucket_no, entry, count, low, ms):
    """Append an entry to its bucket; the caller saw to the room.

    What lies more than a round ahead waits in the last bucket of this round, and is put again.
    """
    place = min(ms >> BUCKET_SHIFT, bucket_no + BUCKETS - 1) & BUCKET_MASK
    entry[count, 0] = low
    entry[count, 1] = ms
    entry[count, 2] = bucket[place]
    bucket[place] = count


@compiled
def part(ms, share):
    """Milliseconds from an arc's start to a share of it; see `arrays`."""
    return np.int64(ms * share + 0.5)
