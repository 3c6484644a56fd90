"""Asks the kernel: scratch memory per thread, and answers as values."""

from __future__ import annotations

from collections.abc import Sequence
from threading import local
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.search.arrays import CLOSED_MS, STAMP_STEP, Found, RoadArrays, Units, Weights
from routing.search.kernels import Kernel
from routing.speeds import PROFILES, Profile
from routing.stands import Stand, places_of

LIMIT_MS: Final = CLOSED_MS - 1
_STAMP_MAX: Final = (1 << 31) - 2 * STAMP_STEP


class Reach(NamedTuple):
    """How a unit reaches a place.

    Attributes:
        slot: The unit's slot in its fleet; 0 where there is no fleet.
        profile: How it drives.
        travel_ms: Milliseconds on the road.
        total_ms: `travel_ms` and the unit's extra milliseconds (turn-out).
        length_m: Metres on the road.
        arcs: Arcs driven, from the one it stands on to the one of the place.
        start: Where it leaves from.
        end: Where it arrives.
    """

    slot: int
    profile: Profile
    travel_ms: int
    total_ms: int
    length_m: float
    arcs: tuple[int, ...]
    start: Stand
    end: Stand


class _Scratch(local):
    """One thread's workspace and how often it was used."""

    space: Any = None
    unit_room: int = 0
    stamp: int = 0


class UnitSearch:
    """Searches for units on one network, from any thread."""

    def __init__(self, kernel: Kernel, network: RoadArrays) -> None:
        self._kernel = kernel
        self._network = network
        self._label_count = len(PROFILES) * len(network.length_m)
        self._scratch = _Scratch()

    def nearest(
        self,
        weights: Weights,
        target_stands: Sequence[Stand],
        units: Units,
        unit_stands: Sequence[Sequence[Stand]],
        *,
        eligible: NDArray[np.bool_],
        k: int,
        limit_ms: int,
    ) -> list[Reach]:
        """The k best units by (total_ms, slot); see `kernel.nearest`."""
        scratch = self._ready(len(units.profile))
        found = self._kernel.nearest(
            self._network,
            weights,
            places_of(target_stands, self._network.length_m),
            units,
            eligible,
            k,
            limit_ms,
            scratch.space,
            scratch.stamp,
        )
        return _reaches(found, units, unit_stands, target_stands)

    def _ready(self, unit_count: int) -> _Scratch:
        """This thread's scratch memory, with a stamp that it has not seen."""
        scratch = self._scratch
        if scratch.space is None or scratch.unit_room < unit_count or scratch.stamp >= _STAMP_MAX:
            scratch.unit_room = max(unit_count, scratch.unit_room)
            scratch.space = self._kernel.new_workspace(self._label_count, scratch.unit_room)
            scratch.stamp = 0
        scratch.stamp += STAMP_STEP
        return scratch


def _reaches(
    found: Found,
    units: Units,
    unit_stands: Sequence[Sequence[Stand]],
    target_stands: Sequence[Stand],
) -> list[Reach]:
    arcs = found.path_arc.tolist()
    starts = found.path_start.tolist()
    slots = found.slot
    rows = zip(
        slots.tolist(),
        units.profile[slots].tolist(),
        units.extra_ms[slots].tolist(),
        found.total_ms.tolist(),
        found.stand.tolist(),
        found.target.tolist(),
        found.length_m.tolist(),
        strict=True,
    )
    return [
        Reach(
            slot=slot,
            profile=PROFILES[row],
            travel_ms=total_ms - extra_ms,
            total_ms=total_ms,
            length_m=length_m,
            arcs=tuple(arcs[starts[rank] : starts[rank + 1]]),
            start=unit_stands[slot][stand],
            end=target_stands[target],
        )
        for rank, (slot, row, extra_ms, total_ms, stand, target, length_m) in enumerate(rows)
    ]
