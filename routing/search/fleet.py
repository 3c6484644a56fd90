"""Where the units stand, as the kernel reads it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnknownRoad
from routing.search.arrays import STANDS_MAX, Units
from routing.speeds import PROFILE_ROW, Profile
from routing.stands import Stand, share_of

_EMPTY = -1


class Fleet:
    """A table of units, one slot each. Moving a unit writes one row.

    Safe to change in one thread while another searches: a search reads a copy made at its start.
    """

    def __init__(self, size: int, length_m: NDArray[np.float64]) -> None:
        """Make a table of empty slots; `Roads.new_fleet` calls this."""
        self.size = size
        self._length_m = length_m
        self._lock = Lock()
        self._units = Units(
            profile=np.full(size, _EMPTY, dtype=np.int32),
            arc=np.full((size, STANDS_MAX), _EMPTY, dtype=np.int32),
            share=np.zeros((size, STANDS_MAX), dtype=np.float64),
            extra_ms=np.zeros(size, dtype=np.int64),
        )
        self._stands: list[tuple[Stand, ...]] = [()] * size

    def place(
        self, slot: int, profile: Profile, stands: Sequence[Stand], extra_ms: int = 0
    ) -> None:
        """Put a unit where it stands now.

        Args:
            slot: 0 to size - 1.
            profile: How it drives.
            stands: One or two; a unit drives on towards the end of the arc it leaves from.
            extra_ms: Milliseconds before it moves off (turn-out), not negative.

        Raises:
            UnknownRoad: A stand is not on this network.
            IndexError: No such slot.
        """
        if not 1 <= len(stands) <= STANDS_MAX:
            raise UnknownRoad(f"a unit needs 1 to {STANDS_MAX} stands, not {len(stands)}")
        if not 0 <= slot < self.size:
            raise IndexError(f"slot {slot} is not in a fleet of {self.size}")
        if extra_ms < 0:
            raise ValueError(f"extra_ms is {extra_ms}; a unit cannot have left before now")
        shares = [share_of(stand, self._length_m) for stand in stands]
        with self._lock:
            units = self._units
            units.profile[slot] = PROFILE_ROW[profile]
            units.arc[slot] = _EMPTY
            for item, stand in enumerate(stands):
                units.arc[slot, item] = stand.arc
                units.share[slot, item] = shares[item]
            units.extra_ms[slot] = extra_ms
            self._stands[slot] = tuple(stands)

    def remove(self, slot: int) -> None:
        """Empty a slot."""
        with self._lock:
            self._units.profile[slot] = _EMPTY
            self._stands[slot] = ()

    def stands(self, slot: int) -> tuple[Stand, ...]:
        """Where the unit of a slot stands; () when the slot is empty."""
        return self._stands[slot]

    def snapshot(self) -> tuple[Units, list[tuple[Stand, ...]]]:
        """A copy of the whole table at one moment."""
        with self._lock:
            units = self._units
            copy = Units(
                units.profile.copy(), units.arc.copy(), units.share.copy(), units.extra_ms.copy()
            )
            return copy, self._stands.copy()
