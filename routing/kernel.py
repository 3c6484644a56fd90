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

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from routing.search_arrays import (
    CLOSED_MS,
    PROFILE_SHIFT,
    STANDS_MAX,
    Found,
    Places,
    RoadArrays,
    Units,
    Weights,
)

COMPILED: Final = True
"""False in the twin."""

_STAMP, _MS, _NEXT, _HUNG = 0, 1, 2, 3
_NONE: Final = -1
_FULL: Final = -2
_COUNT, _USED, _BUCKET = 0, 1, 2
_ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1
_SLOT_MASK: Final = (1 << 32) - 1

_BUCKETS: Final = 1 << 12
_BUCKET_MASK: Final = _BUCKETS - 1
_BUCKET_SHIFT: Final = 7
"""Buckets of 128 ms: shorter than nearly every arc, so that hardly a label is lowered again after
it was used. One round of the buckets is 8.7 minutes."""
_ENTRIES_START: Final = 1 << 14


class Workspace(NamedTuple):
    """Scratch memory of one thread.

    Attributes:
        label: (stamp, ms, next arc or ~target stand, first hung stand) of each label,
            int32 (P * A, 4). One row is a quarter of a cache line. The stamp is odd once the
            label was used.
        bucket: First entry of each bucket, int32 (_BUCKETS).
        entry: (profile << PROFILE_SHIFT | arc, ms, next entry of the bucket), int32 (n, 3);
            a search that needs more takes more.
        hung_next: Next stand hung at the same label, int32 (U * STANDS_MAX).
        best_ms: Best total of each unit, int64 (U).
        best_stand: int32 (U).
        best_target: Target stand reached without leaving the arc; -1 otherwise, int32 (U).
        ranked: Best units so far, `total_ms << 32 | slot`, int64 (U).
    """

    label: NDArray[np.int32]
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
        label=np.zeros((label_count, 4), dtype=np.int32),
        bucket=np.empty(_BUCKETS, dtype=np.int32),
        entry=np.empty((_ENTRIES_START, 3), dtype=np.int32),
        hung_next=np.empty(unit_count * STANDS_MAX, dtype=np.int32),
        best_ms=np.empty(unit_count, dtype=np.int64),
        best_stand=np.empty(unit_count, dtype=np.int32),
        best_target=np.empty(unit_count, dtype=np.int32),
        ranked=np.empty(unit_count, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def _doubled(entry):
    """The entries in an array with twice the room."""
    larger = np.empty((2 * entry.shape[0], 3), dtype=np.int32)
    larger[: entry.shape[0]] = entry
    return larger


@njit(cache=True, nogil=True)
def _put(bucket, bucket_no, entry, count, low, ms):
    """Append an entry to its bucket; the caller saw to the room.

    What lies more than a round ahead waits in the last bucket of this round, and is put again.
    """
    place = min(ms >> _BUCKET_SHIFT, bucket_no + _BUCKETS - 1) & _BUCKET_MASK
    entry[count, 0] = low
    entry[count, 1] = ms
    entry[count, 2] = bucket[place]
    bucket[place] = count


@njit(cache=True, nogil=True)
def _part(ms, share):
    return np.int64(ms * share + 0.5)


@njit(cache=True, nogil=True)
def _offer(space, ranked, wanted, slot, total, stand, target):
    """Note a way of a unit; returns how many units are ranked now."""
    if total >= space.best_ms[slot]:
        # Of two equally fast starts the first stand's is kept, whichever was found first.
        if total == space.best_ms[slot] and target == _NONE and space.best_target[slot] == _NONE:
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


@njit(cache=True, nogil=True)
def _hang(arc_count, units, eligible, space, stamp):
    """Hang the eligible units at their labels.

    Returns how many units and stands hang, the least extra time, and bits of the profiles.
    """
    hung, stands, least_extra, profiles = 0, 0, CLOSED_MS, 0
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
            row = space.label[profile * arc_count + arc]
            if row[_STAMP] < stamp:
                row[_STAMP] = stamp
                row[_MS] = CLOSED_MS
                row[_HUNG] = _NONE
            item = slot * STANDS_MAX + stand
            space.hung_next[item] = row[_HUNG]
            row[_HUNG] = item
    return hung, stands, least_extra, profiles


@njit(cache=True, nogil=True)
def _offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space):
    """Units that stand on the target's arc, not past it, need not leave the arc."""
    ranked = 0
    for slot in range(units.profile.shape[0]):
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        for stand in range(STANDS_MAX):
            arc = units.arc[slot, stand]
            for target in range(targets.arc.shape[0]):
                if arc != targets.arc[target] or units.share[slot, stand] > targets.share[target]:
                    continue
                ms = weights.arc_ms[profile * arc_count + arc]
                if ms >= CLOSED_MS:
                    continue
                ahead = _part(ms, targets.share[target]) - _part(ms, units.share[slot, stand])
                total = ahead + units.extra_ms[slot]
                if total <= limit_ms:
                    ranked = _offer(space, ranked, wanted, slot, total, stand, target)
    return ranked


@njit(cache=True, nogil=True)
def _lower(label, bucket, bucket_no, entry, count, stamp, at, low, ms, following):
    """Lower the label `at` to `ms` when that is better; returns how many entries there are."""
    known_ms = label[at, _MS]
    if label[at, _STAMP] < stamp:
        label[at, _STAMP] = stamp
        label[at, _HUNG] = _NONE
        known_ms = CLOSED_MS
    if ms < known_ms:
        label[at, _MS] = ms
        label[at, _NEXT] = following
        _put(bucket, bucket_no, entry, count, low, ms)
        count += 1
    elif ms == known_ms and following < label[at, _NEXT]:
        label[at, _NEXT] = following
    return count


@njit(cache=True, nogil=True)
def _start(network, weights, targets, profiles, limit_ms, space, stamp):
    """Label the arcs that lead into the target's arcs; returns the entries and their count."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    entry, count = space.entry, 0
    space.bucket[:] = _NONE
    for target in range(targets.arc.shape[0]):
        arc = targets.arc[target]
        first, end = network.entry_start[arc], network.entry_start[arc + 1]
        for profile in range(weights.arc_ms.shape[0] // arc_count):
            whole = weights.arc_ms[profile * arc_count + arc]
            if not (profiles >> profile) & 1 or whole >= CLOSED_MS:
                continue
            last = _part(whole, targets.share[target])
            while count + end - first > entry.shape[0]:
                entry = _doubled(entry)
            for turn in range(first, end):
                ms = last + weights.entry_ms[profile * turn_count + turn]
                if ms <= limit_ms:
                    origin = network.entry_from[turn]
                    low = (profile << PROFILE_SHIFT) | origin
                    at = profile * arc_count + origin
                    count = _lower(
                        space.label, space.bucket, 0, entry, count, stamp, at, low, ms, ~target
                    )
    return entry, count


@njit(cache=True, nogil=True)
def _meet(weights, units, space, at, ms, wanted, ranked, limit_ms):
    """Offer the units that hang at a label; returns ranked and how many stands hang there."""
    met = 0
    whole = weights.arc_ms[at]
    item = space.label[at, _HUNG]
    while item != _NONE:
        met += 1
        slot, stand = item // STANDS_MAX, item % STANDS_MAX
        rest = whole - _part(whole, units.share[slot, stand])
        total = ms + rest + units.extra_ms[slot]
        if whole < CLOSED_MS and total <= limit_ms:
            ranked = _offer(space, ranked, wanted, slot, total, stand, _NONE)
        item = space.hung_next[item]
    return ranked, met


@njit(cache=True, nogil=True)
def _advance(
    label, bucket, entry, entry_start, entry_from, arc_ms, entry_ms, progress, stamp, radius
):  # fmt: skip
    """Use entries until a label with units is met, the entries are full, or nothing is left.

    Plain arrays and no call for each turn: numba counts references at every call that takes arrays,
    which makes this loop five times slower. Returns the label, `_FULL` or `_NONE`.
    """
    arc_count = arc_ms.shape[0] // (entry_ms.shape[0] // entry_from.shape[0])
    turn_count = entry_from.shape[0]
    count, used, bucket_no = progress[_COUNT], progress[_USED], progress[_BUCKET]
    outcome = _NONE
    while used < count and bucket_no << _BUCKET_SHIFT <= radius:
        place = bucket_no & _BUCKET_MASK
        item = bucket[place]
        if item == _NONE:
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
        if ms >> _BUCKET_SHIFT > bucket_no:
            _put(bucket, bucket_no, entry, count, low, ms)
            count += 1
            continue
        # Not at equality: a unit of equal time and smaller slot would still come first.
        if ms > label[at, _MS] or ms > radius:
            continue
        from_start = ms + arc_ms[at]
        if from_start <= radius:
            for turn in range(first, end):
                through = from_start + entry_ms[profile * turn_count + turn]
                if through <= radius:
                    origin = entry_from[turn]
                    # As `_lower` does.
                    before = profile * arc_count + origin
                    known_ms = np.int64(label[before, _MS])
                    if label[before, _STAMP] < stamp:
                        label[before, _STAMP] = stamp
                        label[before, _HUNG] = _NONE
                        known_ms = CLOSED_MS
                    if through < known_ms:
                        label[before, _MS] = through
                        label[before, _NEXT] = arc
                        place = min(through >> _BUCKET_SHIFT, bucket_no + _BUCKETS - 1)
                        place &= _BUCKET_MASK
                        entry[count, 0] = (profile << PROFILE_SHIFT) | origin
                        entry[count, 1] = through
                        entry[count, 2] = bucket[place]
                        bucket[place] = count
                        count += 1
                    elif through == known_ms and arc < label[before, _NEXT]:
                        label[before, _NEXT] = arc
        if label[at, _HUNG] != _NONE:
            outcome = at
            break
    progress[_COUNT], progress[_USED], progress[_BUCKET] = count, used, bucket_no
    return outcome


@njit(cache=True, nogil=True)
def _sweep(
    network, weights, units, wanted, limit_ms, least_extra, stands, space, stamp, entry,
    count, ranked
):  # fmt: skip
    """Search on until no unit can be better than those ranked; returns how many are."""
    progress = np.zeros(3, np.int64)
    progress[_COUNT] = count
    while stands > 0:
        # Whatever lies farther out comes too late, even without any time to move off.
        radius = limit_ms - least_extra
        if ranked == wanted:
            radius = min(radius, (space.ranked[wanted - 1] >> 32) - least_extra)
        at = _advance(
            space.label, space.bucket, entry, network.entry_start, network.entry_from,
            weights.arc_ms, weights.entry_ms, progress, stamp, radius
        )  # fmt: skip
        if at == _FULL:
            entry = _doubled(entry)
        elif at == _NONE:
            break
        else:
            ms = np.int64(space.label[at, _MS])
            ranked, met = _meet(weights, units, space, at, ms, wanted, ranked, limit_ms)
            if space.label[at, _STAMP] == stamp:
                stands -= met
                space.label[at, _STAMP] = stamp + 1
    return ranked


@njit(cache=True, nogil=True)
def _trace(network, targets, units, space, ranked):
    """Follow the ways of the ranked units to the target."""
    arc_count = network.length_m.shape[0]
    total_ms = np.empty(ranked, np.int64)
    slots = np.empty(ranked, np.int64)
    stands = np.empty(ranked, np.int64)
    ends = np.empty(ranked, np.int64)
    length_m = np.empty(ranked, np.float64)
    path_start = np.zeros(ranked + 1, np.int64)
    path_arc = np.empty(64 * ranked + 64, np.int32)
    count = 0
    for rank in range(ranked):
        slot = space.ranked[rank] & _SLOT_MASK
        stand = space.best_stand[slot]
        arc = units.arc[slot, stand]
        target = space.best_target[slot]
        metres = -units.share[slot, stand] * network.length_m[arc]
        base = units.profile[slot] * arc_count
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
            following = space.label[base + arc, _NEXT]
            if following < 0:
                target = ~following
                arc = targets.arc[target]
            else:
                arc = following
        metres += targets.share[target] * network.length_m[arc]
        total_ms[rank] = space.ranked[rank] >> 32
        slots[rank], stands[rank], ends[rank] = slot, stand, target
        length_m[rank] = metres
        path_start[rank + 1] = count
    return total_ms, slots, stands, ends, length_m, path_start, path_arc[:count]


@njit(cache=True, nogil=True)
def _nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp):
    arc_count = network.length_m.shape[0]
    hung, stands, least_extra, profiles = _hang(arc_count, units, eligible, space, stamp)
    wanted = min(k, hung)
    if wanted <= 0:
        return _trace(network, targets, units, space, 0)
    ranked = _offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space)
    entry, count = _start(network, weights, targets, profiles, limit_ms, space, stamp)
    ranked = _sweep(
        network, weights, units, wanted, limit_ms, least_extra, stands, space, stamp, entry,
        count, ranked
    )  # fmt: skip
    return _trace(network, targets, units, space, ranked)


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


@njit(cache=True, nogil=True)
def _spread_on(
    turn_start, turn_to, arc_ms, turn_ms, arrive, bucket, entry, progress, limit_ms
):  # fmt: skip
    """Use entries until nothing is left in time (False) or the entries are full (True)."""
    count, used, bucket_no = progress[_COUNT], progress[_USED], progress[_BUCKET]
    full = False
    while used < count:
        item = bucket[bucket_no & _BUCKET_MASK]
        if item == _NONE:
            bucket_no += 1
            continue
        # An origin's entry is ~arc, with the moment when its end is reached.
        low, ms = np.int64(entry[item, 0]), np.int64(entry[item, 1])
        arc = max(low, ~low)
        first, end = turn_start[arc], turn_start[arc + 1]
        if count + max(1, end - first) > entry.shape[0]:
            full = True
            break
        bucket[bucket_no & _BUCKET_MASK] = entry[item, 2]
        used += 1
        if ms >> _BUCKET_SHIFT > bucket_no:
            _put(bucket, bucket_no, entry, count, low, ms)
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
                # As `_put` does.
                place = min(entered >> _BUCKET_SHIFT, bucket_no + _BUCKETS - 1) & _BUCKET_MASK
                entry[count, 0] = after
                entry[count, 1] = entered
                entry[count, 2] = bucket[place]
                bucket[place] = count
                count += 1
    progress[_COUNT], progress[_USED], progress[_BUCKET] = count, used, bucket_no
    return full


@njit(cache=True, nogil=True)
def _spread(network, arc_ms, turn_ms, origins, limit_ms):
    arrive = np.full(network.length_m.shape[0], CLOSED_MS, np.int32)
    bucket = np.full(_BUCKETS, _NONE, np.int32)
    entry = np.empty((_ENTRIES_START, 3), np.int32)
    progress = np.zeros(3, np.int64)
    for origin in range(origins.arc.shape[0]):
        arc = origins.arc[origin]
        if arc_ms[arc] < CLOSED_MS:
            rest = arc_ms[arc] - _part(arc_ms[arc], origins.share[origin])
            _put(bucket, 0, entry, progress[_COUNT], ~arc, rest)
            progress[_COUNT] += 1
    while _spread_on(
        network.turn_start, network.turn_to, arc_ms, turn_ms, arrive, bucket, entry, progress,
        limit_ms
    ):  # fmt: skip
        entry = _doubled(entry)
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
