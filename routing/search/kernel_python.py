"""The searches of `kernel` in plain Python: where numba is missing, and as a check on it.

A binary heap where the kernel has buckets, the same rules for equally fast ways: therefore the same
answers down to the arcs of the ways. Memoryviews stand for the arrays: reading one item of them
is three times faster than of a numpy array.
"""

# The arguments are those of `kernel`, by position as there.
# ruff: noqa: PLR0917

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

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
from routing.search.snap_python import nearest_street
from routing.search.way_python import follow

__all__ = ["COMPILED", "follow", "nearest", "nearest_street", "new_workspace", "spread"]

COMPILED: Final = False

_ARC_MASK: Final = (1 << PROFILE_SHIFT) - 1
_VIA_END: Final = -1


def new_workspace(label_count: int, unit_count: int) -> None:  # noqa: ARG001
    """The twin needs no scratch memory; the arguments are those of `kernel.new_workspace`."""
    return


@dataclass(slots=True)
class _Best:
    """The best ways known so far.

    Attributes:
        wanted: How many units are asked for.
        limit_ms: Longer ways are left out.
        way_of: (total_ms, by the arc's end, stand, target stand or _VIA_END) of each unit met;
            the least one is the best.
        ranked: The best (total_ms, slot), sorted, at most `wanted`.
    """

    wanted: int
    limit_ms: int
    way_of: dict[int, tuple[int, bool, int, int]] = field(default_factory=dict)
    ranked: list[tuple[int, int]] = field(default_factory=list)

    def offer(self, slot: int, total_ms: int, stand: int, target: int) -> None:
        """Note a way of a unit when it is better than the one known."""
        way = (total_ms, target == _VIA_END, stand, target)
        known = self.way_of.get(slot)
        if total_ms > self.limit_ms or (known is not None and way >= known):
            return
        if known is not None and (known[0], slot) in self.ranked:
            self.ranked.remove((known[0], slot))
        self.way_of[slot] = way
        insort(self.ranked, (total_ms, slot))
        del self.ranked[self.wanted :]

    @property
    def bound_ms(self) -> int:
        """No way longer than this can matter any more."""
        return self.ranked[-1][0] if len(self.ranked) == self.wanted else self.limit_ms


@dataclass(slots=True)
class _Search:
    """One backward search: labels as dicts, hung stands by label."""

    network: RoadArrays
    weights: Weights
    units: Units
    best: _Best
    label_ms: dict[int, int] = field(default_factory=dict)
    next_arc: dict[int, int] = field(default_factory=dict)
    hung: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    heap: list[int] = field(default_factory=list)

    def reach(self, profile: int, arc: int, ms: int, following: int) -> None:
        """Lower a label to `ms` when that is better."""
        low = (profile << PROFILE_SHIFT) | arc
        known = self.label_ms.get(low, CLOSED_MS)
        if ms < known:
            self.label_ms[low] = ms
            self.next_arc[low] = following
            heappush(self.heap, (ms << 32) | low)
        elif ms == known < CLOSED_MS and following < self.next_arc[low]:
            self.next_arc[low] = following


def nearest(
    network: RoadArrays,
    weights: Weights,
    targets: Places,
    units: Units,
    eligible: NDArray[np.bool_],
    k: int,
    limit_ms: int,
    space: None,  # noqa: ARG001
    stamp: int,  # noqa: ARG001
) -> Found:
    """The k eligible units with the least travel and extra time; see `kernel.nearest`."""
    slots = np.flatnonzero((units.profile >= 0) & eligible).tolist()
    search = _Search(network, weights, units, _Best(min(k, len(slots)), limit_ms))
    if search.best.wanted > 0:
        _hang(search, slots)
        _offer_same_arc(search, targets, slots)
        _start(search, targets, slots)
        _sweep(search)
    return _trace(search, targets)


def _view(array: NDArray[np.int32]) -> memoryview:
    return array.data


def _part(ms: int, share: float) -> int:
    return int(ms * share + 0.5)


def _hang(search: _Search, slots: list[int]) -> None:
    for slot in slots:
        profile = int(search.units.profile[slot])
        for stand, arc in enumerate(search.units.arc[slot].tolist()):
            if arc >= 0:
                low = (profile << PROFILE_SHIFT) | arc
                # Newest first, as a linked list is read.
                search.hung.setdefault(low, []).insert(0, (slot, stand))


def _offer_same_arc(search: _Search, targets: Places, slots: list[int]) -> None:
    units, arc_count = search.units, len(search.network.length_m)
    for slot in slots:
        for stand, arc in enumerate(units.arc[slot].tolist()):
            for target, target_arc in enumerate(targets.arc.tolist()):
                share, target_share = float(units.share[slot, stand]), float(targets.share[target])
                if arc != target_arc or share > target_share:
                    continue
                ms = int(search.weights.arc_ms[units.profile[slot] * arc_count + arc])
                if ms < CLOSED_MS:
                    total_ms = _part(ms, target_share) - _part(ms, share)
                    search.best.offer(slot, total_ms + int(units.extra_ms[slot]), stand, target)


def _start(search: _Search, targets: Places, slots: list[int]) -> None:
    network, weights = search.network, search.weights
    arc_count, turn_count = len(network.length_m), len(network.entry_from)
    profiles = sorted(set(search.units.profile[slots].tolist()))
    for target, arc in enumerate(targets.arc.tolist()):
        for profile in profiles:
            whole = int(weights.arc_ms[profile * arc_count + arc])
            if whole >= CLOSED_MS:
                continue
            last = _part(whole, float(targets.share[target]))
            for entry in range(int(network.entry_start[arc]), int(network.entry_start[arc + 1])):
                ms = last + int(weights.entry_ms[profile * turn_count + entry])
                if ms <= search.best.limit_ms:
                    search.reach(profile, int(network.entry_from[entry]), ms, ~target)


def _sweep(search: _Search) -> None:
    network = search.network
    arc_count, turn_count = len(network.length_m), len(network.entry_from)
    arc_ms, entry_ms = _view(search.weights.arc_ms), _view(search.weights.entry_ms)
    entry_start, entry_from = _view(network.entry_start), _view(network.entry_from)
    heap, label_ms, hung = search.heap, search.label_ms, search.hung
    waiting = sum(len(stands) for stands in hung.values())
    bound_ms = search.best.bound_ms
    while heap and waiting > 0:
        key = heappop(heap)
        ms, low = key >> 32, key & 0xFFFFFFFF
        if ms > bound_ms:
            break
        if ms > label_ms[low]:
            continue
        profile, arc = low >> PROFILE_SHIFT, low & _ARC_MASK
        whole = arc_ms[profile * arc_count + arc]
        if low in hung:
            _meet(search, hung[low], ms, whole)
            waiting -= len(hung[low])
            bound_ms = search.best.bound_ms
        from_start = ms + whole
        if from_start > bound_ms:
            continue
        shift = profile * turn_count
        for entry in range(entry_start[arc], entry_start[arc + 1]):
            through = from_start + entry_ms[shift + entry]
            if through <= bound_ms:
                search.reach(profile, entry_from[entry], through, arc)


def _meet(search: _Search, stands: list[tuple[int, int]], ms: int, whole: int) -> None:
    if whole >= CLOSED_MS:
        return
    units = search.units
    for slot, stand in stands:
        rest = whole - _part(whole, float(units.share[slot, stand]))
        search.best.offer(slot, ms + rest + int(units.extra_ms[slot]), stand, _VIA_END)


def _trace(search: _Search, targets: Places) -> Found:
    length_m, units = search.network.length_m, search.units
    rows: list[tuple[int, int, int, int, float]] = []
    path_start, path_arc = [0], list[int]()
    for total_ms, slot in search.best.ranked:
        _, _, stand, target = search.best.way_of[slot]
        arc, base = int(units.arc[slot, stand]), int(units.profile[slot]) << PROFILE_SHIFT
        metres = -float(units.share[slot, stand]) * float(length_m[arc])
        path_arc.append(arc)
        while target == _VIA_END:
            metres += float(length_m[arc])
            following = search.next_arc[base | arc]
            if following < 0:
                target = ~following
                following = int(targets.arc[target])
            arc = following
            path_arc.append(arc)
        metres += float(targets.share[target]) * float(length_m[arc])
        rows.append((total_ms, slot, stand, target, metres))
        path_start.append(len(path_arc))
    return _found(rows, path_start, path_arc)


def _found(rows: list[Any], path_start: list[int], path_arc: list[int]) -> Found:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    total_ms, slot, stand, target, metres = columns
    return Found(
        np.array(total_ms, dtype=np.int64),
        np.array(slot, dtype=np.int64),
        np.array(stand, dtype=np.int64),
        np.array(target, dtype=np.int64),
        np.array(metres, dtype=np.float64),
        np.array(path_start, dtype=np.int64),
        np.array(path_arc, dtype=np.int32),
    )


def spread(
    network: RoadArrays,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    origins: Places,
    limit_ms: int,
) -> NDArray[np.int32]:
    """How soon each arc can be entered from a place; see `kernel.spread`."""
    whole, turns = _view(arc_ms), _view(turn_ms)
    turn_start, turn_to = _view(network.turn_start), _view(network.turn_to)
    arrive: dict[int, int] = {}
    heap: list[tuple[int, int]] = []

    def turn_off(arc: int, end_ms: int) -> None:
        for turn in range(turn_start[arc], turn_start[arc + 1]):
            ms, after = end_ms + turns[turn], turn_to[turn]
            if ms <= limit_ms and ms < arrive.get(after, CLOSED_MS):
                arrive[after] = ms
                heappush(heap, (ms, after))

    for arc, share in zip(origins.arc.tolist(), origins.share.tolist(), strict=True):
        if whole[arc] < CLOSED_MS:
            turn_off(arc, whole[arc] - _part(whole[arc], share))
    while heap:
        ms, arc = heappop(heap)
        if ms <= arrive[arc] and whole[arc] < CLOSED_MS:
            turn_off(arc, ms + whole[arc])
    entry_ms = np.full(len(network.length_m), CLOSED_MS, dtype=np.int32)
    entry_ms[list(arrive)] = list(arrive.values())
    return entry_ms
