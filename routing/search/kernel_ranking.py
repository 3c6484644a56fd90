"""The units in a compiled search: hung at their labels, and ranked when they are met."""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import CLOSED_MS, STANDS_MAX
from routing.search.compiled import compiled
from routing.search.kernel_buckets import BUCKETS, ENTRIES_START, NONE, part

STAMP, MS = 0, 1
"""Columns of a label."""

HELD, MET = 1, 2
"""Added to the stamp of a label: something stands in `hung` for it; that was met. Both are less
than `arrays.STAMP_STEP`."""

ALL_CLOSED: Final = -2
"""Stands in a unit's place for the target stand: its whole way is closed (`kernel_closed`)."""


class Workspace(NamedTuple):
    """Scratch memory of one thread.

    Attributes:
        label: (stamp, ms) of each label, int32 (P * A, 2): what the search reads at every turn,
            eight rows to a cache line.
        following: The arc after each label's, or ~target stand, int32 (P * A).
        hung: First stand hung at a label, int32 (P * A); counts where the stamp says `HELD` or
            `MET`.
        closed: As `label`, for the search over the closed arcs that lead to the target.
        closed_following: As `following`, for the same.
        bucket: First entry of each bucket, int32 (BUCKETS).
        entry: (profile << PROFILE_SHIFT | arc, ms, next entry of the bucket), int32 (n, 3);
            a search that needs more takes more.
        hung_next: Next stand hung at the same label, int32 (U * STANDS_MAX).
        best_ms: Best total of each unit, int64 (U).
        best_stand: int32 (U).
        best_target: Target stand reached without leaving the arc; `ALL_CLOSED` where the way
            follows `closed`, -1 where it follows `label`, int32 (U).
        ranked: Best units so far, `total_ms << 32 | slot`, int64 (U).
    """

    label: NDArray[np.int32]
    following: NDArray[np.int32]
    hung: NDArray[np.int32]
    closed: NDArray[np.int32]
    closed_following: NDArray[np.int32]
    bucket: NDArray[np.int32]
    entry: NDArray[np.int32]
    hung_next: NDArray[np.int32]
    best_ms: NDArray[np.int64]
    best_stand: NDArray[np.int32]
    best_target: NDArray[np.int32]
    ranked: NDArray[np.int64]


def new_workspace(label_count: int, unit_count: int) -> Workspace:
    """Scratch memory for searches over so many labels and units; not to be shared by threads."""
    return Workspace(
        # Zeroed pages come from the system untouched: only what searches visit takes memory.
        label=np.zeros((label_count, 2), dtype=np.int32),
        following=np.zeros(label_count, dtype=np.int32),
        hung=np.zeros(label_count, dtype=np.int32),
        closed=np.zeros((label_count, 2), dtype=np.int32),
        closed_following=np.zeros(label_count, dtype=np.int32),
        bucket=np.empty(BUCKETS, dtype=np.int32),
        entry=np.empty((ENTRIES_START, 3), dtype=np.int32),
        hung_next=np.empty(unit_count * STANDS_MAX, dtype=np.int32),
        best_ms=np.empty(unit_count, dtype=np.int64),
        best_stand=np.empty(unit_count, dtype=np.int32),
        best_target=np.empty(unit_count, dtype=np.int32),
        ranked=np.empty(unit_count, dtype=np.int64),
    )


@compiled
def hold(space, stamp, at, first):
    """Let the search stop at a label that it has not seen yet."""
    space.label[at, STAMP] = stamp + HELD
    space.label[at, MS] = CLOSED_MS
    space.hung[at] = first


@compiled
def hang(weights, arc_count, units, eligible, space, stamp):
    """Hang the eligible units at their labels.

    Returns how many units hang, stands, and stands on closed arcs, the least extra time, and bits
    of the profiles.
    """
    hung, stands, on_closed, least_extra, profiles = 0, 0, 0, CLOSED_MS, 0
    any_shut = weights.shut_ms.shape[0] > 0
    for slot in range(units.profile.shape[0]):
        space.best_ms[slot] = CLOSED_MS
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        hung += 1
        profiles |= 1 << profile
        least_extra = min(least_extra, units.extra_ms[slot])
        for stand in range(STANDS_MAX):
            arc = units.arc[slot, stand]
            if arc < 0:
                continue
            stands += 1
            at = profile * arc_count + arc
            if any_shut and weights.shut_ms[at] < CLOSED_MS:
                on_closed += 1
            if space.label[at, STAMP] < stamp:
                hold(space, stamp, at, NONE)
            item = slot * STANDS_MAX + stand
            space.hung_next[item] = space.hung[at]
            space.hung[at] = item
    return hung, stands, on_closed, least_extra, profiles


@compiled
def own_arc_ms(weights, at):
    """Milliseconds of an arc for whoever stands on it: a closure does not hold him there."""
    ms = weights.arc_ms[at]
    if ms >= CLOSED_MS and weights.shut_ms.shape[0] > 0:
        ms = weights.shut_ms[at]
    return ms


@compiled
def offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space):
    """Units that stand on the target's arc, not past it, need not leave the arc."""
    ranked = np.int64(0)
    for slot in range(units.profile.shape[0]):
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        for stand in range(STANDS_MAX):
            arc = units.arc[slot, stand]
            for target in range(targets.arc.shape[0]):
                if arc != targets.arc[target] or units.share[slot, stand] > targets.share[target]:
                    continue
                ms = own_arc_ms(weights, profile * arc_count + arc)
                if ms >= CLOSED_MS:
                    continue
                ahead = part(ms, targets.share[target]) - part(ms, units.share[slot, stand])
                total = np.int64(ahead + units.extra_ms[slot])
                if total <= limit_ms:
                    ranked = offer(space, ranked, wanted, slot, total, stand, target)
    return ranked


@compiled
def offer(space, ranked, wanted, slot, total, stand, target):
    """Note a way of a unit; returns how many units are ranked now."""
    if total >= space.best_ms[slot]:
        # Of two equally fast starts the first stand's is kept, whichever was found first.
        if total == space.best_ms[slot] and target == NONE and space.best_target[slot] == NONE:
            space.best_stand[slot] = min(stand, space.best_stand[slot])
        return ranked
    old = (space.best_ms[slot] << 32) | slot
    key = (total << 32) | slot
    space.best_ms[slot] = total
    space.best_stand[slot] = stand
    space.best_target[slot] = target
    place = ranked
    if ranked > 0 and old <= space.ranked[ranked - 1]:
        place = 0
        while space.ranked[place] != old:
            place += 1
    elif ranked < wanted:
        ranked += 1
    elif key < space.ranked[ranked - 1]:
        place = ranked - 1
    else:
        return ranked
    while place > 0 and space.ranked[place - 1] > key:
        space.ranked[place] = space.ranked[place - 1]
        place -= 1
    space.ranked[place] = key
    return ranked


@compiled
def meet(weights, units, space, at, ms, wanted, ranked, limit_ms):
    """Offer the units that hang at a label; returns ranked and how many stands hang there."""
    met = 0
    whole = own_arc_ms(weights, at)
    item = space.hung[at]
    # Below 0 ends the list; a marked label has none.
    while item >= 0:
        met += 1
        slot, stand = np.int64(item // STANDS_MAX), np.int64(item % STANDS_MAX)
        rest = whole - part(whole, units.share[slot, stand])
        total = np.int64(ms + rest + units.extra_ms[slot])
        if whole < CLOSED_MS and total <= limit_ms:
            ranked = offer(space, ranked, wanted, slot, total, stand, np.int64(NONE))
        item = space.hung_next[item]
    return ranked, met
