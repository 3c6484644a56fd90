"""Closed arcs at the ends of a way: the last stretch to a place, the first one from a unit.

A closure bars arcs from being passed through. A place that stands on closed arcs is reached over
the closed arcs that lead to it, and a unit that stands on them leaves over those that lead out; so
a way is closed arcs, open arcs, closed arcs, each part possibly none, and never open, closed, open.

- *Arriving*: a search of its own, before the main one, goes back from the place over closed arcs
  only. Open arcs that it meets begin the main search; units on closed arcs are offered at once.
- *Leaving*: closed arcs that a unit may come over are marked. The main search, which passes no
  closed arc, stops at a marked one as at a unit; its label is carried back to marked arcs only.
  No open arc is ever labelled from a closed one, so nobody passes through.

While nothing is closed at the target or under a unit, the main search does what it did without.
"""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final

import numpy as np

from routing.search.arrays import CLOSED_MS, PROFILE_SHIFT, STANDS_MAX
from routing.search.compiled import compiled
from routing.search.kernel_buckets import BUCKETS, COUNT, ENTRIES_START, NONE, doubled, part
from routing.search.kernel_labels import ARC_MASK, FULL, advance, lower, start
from routing.search.kernel_ranking import ALL_CLOSED, MS, STAMP, hold, offer

MARKED: Final = -2
"""Stands in a label's place for hung stands: no unit hangs here, but one may come over this arc."""


@compiled
def mark_ways_out(network, weights, units, eligible, space, stamp):
    """Mark the closed arcs that a unit standing on one may drive; units hang already."""
    arc_count = network.length_m.shape[0]
    waiting = [np.int64(NONE)]
    waiting.pop()
    for slot in range(units.profile.shape[0]):
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        for stand in range(STANDS_MAX):
            arc = units.arc[slot, stand]
            if arc >= 0 and weights.shut_ms[profile * arc_count + arc] < CLOSED_MS:
                waiting.append(np.int64(profile * arc_count + arc))
    while len(waiting) > 0:
        at = waiting.pop()
        base = at // arc_count * arc_count
        for turn in range(network.turn_start[at - base], network.turn_start[at - base + 1]):
            after = base + network.turn_to[turn]
            if weights.shut_ms[after] < CLOSED_MS and space.label[after, STAMP] < stamp:
                hold(space, stamp, after, MARKED)
                waiting.append(after)


@compiled
def leave(network, weights, limit_ms, space, stamp, at, bucket_no, entry, count):
    """Carry the label of a closed arc back to the marked ones before it."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    profile = at // arc_count
    arc = at - profile * arc_count
    first, end = network.entry_start[arc], network.entry_start[arc + 1]
    while count + end - first > entry.shape[0]:
        entry = doubled(entry)
    from_start = np.int64(space.label[at, MS]) + weights.shut_ms[at]
    for turn in range(first, end):
        origin = np.int64(network.entry_from[turn])
        before = profile * arc_count + origin
        through = from_start + weights.entry_ms[profile * turn_count + turn]
        marked = space.label[before, STAMP] > stamp
        if through <= limit_ms and marked and weights.shut_ms[before] < CLOSED_MS:
            low = (profile << PROFILE_SHIFT) | origin
            count = lower(
                space.label,
                space.following,
                space.bucket,
                bucket_no,
                entry,
                count,
                stamp,
                before,
                low,
                through,
                arc,
            )
    return entry, count


@compiled
def _is_closed(network, weights, targets):
    """Whether the place stands on an arc that is closed to anybody."""
    if weights.shut_ms.shape[0] > 0:
        for arc in targets.arc:
            for at in range(arc, weights.shut_ms.shape[0], network.length_m.shape[0]):
                if weights.shut_ms[at] < CLOSED_MS:
                    return True
    return False


@compiled
def arrive(
    network, weights, targets, units, eligible, profiles, wanted, limit_ms, space, stamp, entry,
    count, ranked
):  # fmt: skip
    """Search back over closed arcs from a place on them; returns the main search's beginning."""
    if not _is_closed(network, weights, targets):
        return entry, count, ranked
    bucket = np.empty(BUCKETS, np.int32)
    closed, progress = np.empty((ENTRIES_START, 3), np.int32), np.zeros(3, np.int64)
    closed, progress[COUNT] = start(
        network, weights.shut_ms, weights.entry_ms, targets, profiles, limit_ms, space.closed,
        space.closed_following, bucket, closed, stamp
    )  # fmt: skip
    while advance(
        space.closed, space.closed_following, bucket, closed, network.entry_start,
        network.entry_from, weights.shut_ms, weights.entry_ms, progress, stamp, limit_ms
    ) == FULL:  # fmt: skip
        closed = doubled(closed)
    for item in range(progress[COUNT]):
        low, ms = np.int64(closed[item, 0]), np.int64(closed[item, 1])
        at = (low >> PROFILE_SHIFT) * network.length_m.shape[0] + (low & ARC_MASK)
        # What was lowered again has a later entry too; an open arc is where the main search begins.
        if ms == space.closed[at, MS] and weights.arc_ms[at] < CLOSED_MS:
            if count == entry.shape[0]:
                entry = doubled(entry)
            following = np.int64(space.closed_following[at])
            count = lower(
                space.label,
                space.following,
                space.bucket,
                np.int64(0),
                entry,
                count,
                stamp,
                at,
                low,
                ms,
                following,
            )
    ranked = _offer_closed(
        network, weights, units, eligible, wanted, limit_ms, space, stamp, ranked
    )
    return entry, count, ranked


@compiled
def _offer_closed(network, weights, units, eligible, wanted, limit_ms, space, stamp, ranked):
    """Offer the units whose whole way is closed."""
    arc_count = network.length_m.shape[0]
    for slot in range(units.profile.shape[0]):
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        for stand in range(STANDS_MAX):
            at = profile * arc_count + units.arc[slot, stand]
            if units.arc[slot, stand] < 0 or space.closed[at, STAMP] < stamp:
                continue
            whole = weights.shut_ms[at]
            if whole < CLOSED_MS:
                rest = whole - part(whole, units.share[slot, stand])
                total = np.int64(space.closed[at, MS] + rest + units.extra_ms[slot])
                if total <= limit_ms:
                    ranked = offer(space, ranked, wanted, slot, total, stand, np.int64(ALL_CLOSED))
    return ranked
