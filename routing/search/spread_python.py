"""The forward search in plain Python: the twin of `kernel_spread`."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import CLOSED_MS, Places, RoadArrays
from routing.search.labels_python import part_ms, view


def spread(
    network: RoadArrays,
    arc_ms: NDArray[np.int32],
    turn_ms: NDArray[np.int32],
    origins: Places,
    limit_ms: int,
) -> NDArray[np.int32]:
    """How soon each arc can be entered from a place; see `kernel_spread.spread`."""
    whole, turns = view(arc_ms), view(turn_ms)
    turn_start, turn_to = view(network.turn_start), view(network.turn_to)
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
            turn_off(arc, whole[arc] - part_ms(whole[arc], share))
    while heap:
        ms, arc = heappop(heap)
        if ms <= arrive[arc] and whole[arc] < CLOSED_MS:
            turn_off(arc, ms + whole[arc])
    entry_ms = np.full(len(network.length_m), CLOSED_MS, dtype=np.int32)
    entry_ms[list(arrive)] = list(arrive.values())
    return entry_ms
