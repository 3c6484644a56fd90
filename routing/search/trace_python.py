"""The ways that a search in plain Python has found: the twin of `kernel_trace`."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.search.arrays import CLOSED_MS, PROFILE_SHIFT, Found
from routing.search.labels_python import ALL_CLOSED, ON_ONE_ARC, Search


def trace(search: Search) -> Found:
    """Follow the ways of the ranked units to the target."""
    length_m, units, targets = search.network.length_m, search.units, search.targets
    rows: list[tuple[int, int, int, int, float]] = []
    path_start, path_arc = [0], list[int]()
    for total_ms, slot in search.best.ranked:
        _, how, stand, target = search.best.way_of[slot]
        arcs = [int(units.arc[slot, stand])]
        if how != ON_ONE_ARC:
            target = _follow(search, int(units.profile[slot]), arcs, all_closed=how == ALL_CLOSED)
        metres = -float(units.share[slot, stand]) * float(length_m[arcs[0]])
        for arc in arcs[:-1]:
            metres += float(length_m[arc])
        metres += float(targets.share[target]) * float(length_m[arcs[-1]])
        path_arc += arcs
        rows.append((total_ms, slot, stand, target, metres))
        path_start.append(len(path_arc))
    return _found(rows, path_start, path_arc)


def _follow(search: Search, profile: int, arcs: list[int], *, all_closed: bool) -> int:
    """Append the arcs that come after the first one; returns the target's stand."""
    base, is_last_part = profile << PROFILE_SHIFT, all_closed
    while True:
        low = base | arcs[-1]
        following = (search.closed if is_last_part else search.labels).next_arc[low]
        if following < 0:
            arcs.append(int(search.targets.arc[~following]))
            return ~following
        # From an open arc into a closed one: what is left is closed, and has labels of its own.
        if _is_open(search, low):
            is_last_part = not _is_open(search, base | following)
        arcs.append(following)


def _is_open(search: Search, low: int) -> bool:
    return bool(search.weights.arc_ms[search.place_of(low)] < CLOSED_MS)


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
