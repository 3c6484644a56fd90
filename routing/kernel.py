"""Compiled searches over directed arcs. `kernel_python` is the twin: same names, same answers.

Labels are exit labels: the milliseconds from the *end* of an arc to the target, turns included.
A backward search settles them in the order of (milliseconds, profile, arc); all profiles share
one heap, so that they share the bound too. The order is total, therefore any correct heap gives
the same answers down to the arcs of the ways. Nothing is cleared between searches: a label counts
only when it carries the stamp of the present search.
"""

# Numba infers the types of the compiled functions; only the two public ones are annotated.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

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

_STAMP, _MS, _NEXT, _HEAD = 0, 1, 2, 3
_NONE: Final = -1
_ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1
_PROFILE_MASK: Final = (1 << (32 - PROFILE_SHIFT)) - 1
_LOW_MASK: Final = (1 << 32) - 1
_HEAP_START: Final = 1 << 14


class Workspace(NamedTuple):
    """Scratch memory of one thread.

    Attributes:
        label: (stamp, ms, next arc or ~target stand, first hung stand) of each label,
            int32 (P * A, 4). One row is a quarter of a cache line.
        heap: int64, grows inside a search when it must.
        hung_next: Next stand hung at the same label, int32 (U * STANDS_MAX).
        best_ms: Best total of each unit, int64 (U).
        best_stand: int32 (U).
        best_target: Target stand reached without leaving the arc; -1 otherwise, int32 (U).
        ranked: Best units so far, `total_ms << 32 | slot`, int64 (U).
    """

    label: NDArray[np.int32]
    heap: NDArray[np.int64]
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
        heap=np.empty(_HEAP_START, dtype=np.int64),
        hung_next=np.empty(unit_count * STANDS_MAX, dtype=np.int32),
        best_ms=np.empty(unit_count, dtype=np.int64),
        best_stand=np.empty(unit_count, dtype=np.int32),
        best_target=np.empty(unit_count, dtype=np.int32),
        ranked=np.empty(unit_count, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def _push(heap, size, key):
    """Put a key into a heap of four children a node; the caller saw to the room."""
    place = size
    while place > 0:
        parent = (place - 1) >> 2
        if heap[parent] <= key:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = key


@njit(cache=True, nogil=True)
def _pop(heap, size):
    """Take the least key; afterwards the heap holds size - 1 keys."""
    least = heap[0]
    last = size - 1
    key = heap[last]
    place = 0
    while True:
        child = 4 * place + 1
        if child >= last:
            break
        end = min(child + 4, last)
        for other in range(child + 1, end):
            if heap[other] < heap[child]:
                child = other
        if heap[child] >= key:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = key
    return least


@njit(cache=True, nogil=True)
def _part(ms, share):
    return np.int64(ms * share + 0.5)


@njit(cache=True, nogil=True)
def _offer(space, ranked, wanted, slot, total, stand, target):
    """Note a way of a unit; returns how many units are ranked now."""
    if total >= space.best_ms[slot]:
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
def _hang(weights, arc_count, targets, units, eligible, space, stamp):
    """Hang the eligible units at their labels; returns how many stands hang, and units."""
    stands = 0
    hung = 0
    for slot in range(units.profile.shape[0]):
        space.best_ms[slot] = CLOSED_MS
        profile = units.profile[slot]
        if profile < 0 or not eligible[slot]:
            continue
        hung += 1
        for stand in range(STANDS_MAX):
            arc = units.arc[slot, stand]
            if arc < 0:
                continue
            row = space.label[profile * arc_count + arc]
            item = slot * STANDS_MAX + stand
            if row[_STAMP] != stamp:
                row[_STAMP] = stamp
                row[_MS] = CLOSED_MS
                row[_HEAD] = _NONE
            space.hung_next[item] = row[_HEAD]
            row[_HEAD] = item
            stands += 1
    return stands, hung


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
def _reach(space, heap, size, stamp, label, low, ms, following):
    """Lower a label to `ms` when that is better; returns the heap's new size."""
    row = space.label[label]
    if row[_STAMP] != stamp:
        row[_STAMP] = stamp
        row[_HEAD] = _NONE
    elif ms >= row[_MS]:
        return size
    row[_MS] = ms
    row[_NEXT] = following
    _push(heap, size, (ms << 32) | low)
    return size + 1


@njit(cache=True, nogil=True)
def _start(network, weights, targets, units, eligible, limit_ms, space, stamp):
    """Label the arcs that lead into the target's arcs, for each profile that some unit has."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    heap = space.heap
    size = 0
    used = 0
    for slot in range(units.profile.shape[0]):
        if units.profile[slot] >= 0 and eligible[slot]:
            used |= 1 << units.profile[slot]
    for target in range(targets.arc.shape[0]):
        arc = targets.arc[target]
        for profile in range(weights.arc_ms.shape[0] // arc_count):
            whole = weights.arc_ms[profile * arc_count + arc]
            if not (used >> profile) & 1 or whole >= CLOSED_MS:
                continue
            last = _part(whole, targets.share[target])
            for entry in range(network.entry_start[arc], network.entry_start[arc + 1]):
                ms = last + weights.entry_ms[profile * turn_count + entry]
                if ms > limit_ms:
                    continue
                if size == heap.shape[0]:
                    heap = _grown(heap)
                origin = network.entry_from[entry]
                low = (profile << PROFILE_SHIFT) | origin
                label = profile * arc_count + origin
                size = _reach(space, heap, size, stamp, label, low, ms, ~target)
    return heap, size


@njit(cache=True, nogil=True)
def _grown(heap):
    bigger = np.empty(2 * heap.shape[0], dtype=np.int64)
    bigger[: heap.shape[0]] = heap
    return bigger


@njit(cache=True, nogil=True)
def _meet(weights, units, space, label, ms, wanted, ranked, limit_ms):
    """Offer the units that hang at a settled label; returns ranked and how many stands hung."""
    met = 0
    whole = weights.arc_ms[label]
    item = space.label[label, _HEAD]
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
def _sweep(network, weights, units, wanted, limit_ms, space, stamp, heap, size, ranked, stands):
    """Settle labels until no unit can be better than those ranked; returns how many are ranked."""
    arc_count = network.length_m.shape[0]
    turn_count = network.entry_from.shape[0]
    bound = limit_ms
    if ranked == wanted:
        bound = min(bound, space.ranked[wanted - 1] >> 32)
    while size > 0 and stands > 0:
        key = _pop(heap, size)
        size -= 1
        ms = key >> 32
        # Not at equality: a unit of equal time and smaller slot would still come first.
        if ms > bound:
            break
        profile = (key >> PROFILE_SHIFT) & _PROFILE_MASK
        arc = key & _ARC_MASK
        label = profile * arc_count + arc
        if ms > space.label[label, _MS]:
            continue
        if space.label[label, _HEAD] != _NONE:
            ranked, met = _meet(weights, units, space, label, ms, wanted, ranked, limit_ms)
            stands -= met
            if ranked == wanted:
                bound = min(bound, space.ranked[wanted - 1] >> 32)
        whole = weights.arc_ms[label]
        from_start = ms + whole
        if from_start > bound:
            continue
        first, end = network.entry_start[arc], network.entry_start[arc + 1]
        while size + end - first > heap.shape[0]:
            heap = _grown(heap)
        for entry in range(first, end):
            through = from_start + weights.entry_ms[profile * turn_count + entry]
            if through <= bound:
                origin = network.entry_from[entry]
                low = (profile << PROFILE_SHIFT) | origin
                size = _reach(
                    space, heap, size, stamp, profile * arc_count + origin, low, through, arc
                )
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
        slot = space.ranked[rank] & _LOW_MASK
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
    stands, hung = _hang(weights, arc_count, targets, units, eligible, space, stamp)
    wanted = min(k, hung)
    if wanted <= 0:
        return _trace(network, targets, units, space, 0)
    ranked = _offer_same_arc(weights, arc_count, targets, units, eligible, wanted, limit_ms, space)
    heap, size = _start(network, weights, targets, units, eligible, limit_ms, space, stamp)
    ranked = _sweep(
        network, weights, units, wanted, limit_ms, space, stamp, heap, size, ranked, stands
    )
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
        stamp: Positive, and never used before with this scratch memory.

    Returns:
        Units and ways by (total_ms, slot); fewer than k when no more can come.
    """
    return Found(*_nearest(network, weights, targets, units, eligible, k, limit_ms, space, stamp))


@njit(cache=True, nogil=True)
def _turn_off(network, turn_ms, arc, end_ms, limit_ms, arrive, heap, size):
    """From the end of an arc, reached at `end_ms`, take every turn that is open."""
    first, end = network.turn_start[arc], network.turn_start[arc + 1]
    while size + end - first > heap.shape[0]:
        heap = _grown(heap)
    for turn in range(first, end):
        ms = end_ms + turn_ms[turn]
        after = network.turn_to[turn]
        if ms <= limit_ms and ms < arrive[after]:
            arrive[after] = ms
            _push(heap, size, (ms << 32) | after)
            size += 1
    return heap, size


@njit(cache=True, nogil=True)
def _spread(network, arc_ms, turn_ms, origins, limit_ms):
    arrive = np.full(network.length_m.shape[0], CLOSED_MS, np.int32)
    heap = np.empty(_HEAP_START, np.int64)
    size = 0
    for origin in range(origins.arc.shape[0]):
        arc = origins.arc[origin]
        rest = arc_ms[arc] - _part(arc_ms[arc], origins.share[origin])
        if arc_ms[arc] < CLOSED_MS:
            heap, size = _turn_off(network, turn_ms, arc, rest, limit_ms, arrive, heap, size)
    while size > 0:
        key = _pop(heap, size)
        size -= 1
        ms, arc = key >> 32, key & _LOW_MASK
        if ms <= arrive[arc] and arc_ms[arc] < CLOSED_MS:
            end_ms = ms + arc_ms[arc]
            heap, size = _turn_off(network, turn_ms, arc, end_ms, limit_ms, arrive, heap, size)
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
