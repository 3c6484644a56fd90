"""Puts moved units on the road between two decisions, so that none has to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dispatch.whereabouts.positions import Positions
from dispatch.whereabouts.reach import UnitRoads
from dispatch.words import UnitId

UNITS_AT_ONCE = 20
"""Moved units put on the road in one turn of the event loop (about 2 ms)."""


class Settling:
    """Listens to positions for as long as they are taken."""

    def __init__(self, positions: Positions, roads: UnitRoads) -> None:
        self._roads = roads
        self._due = False
        positions.on_change(self._soon)

    def _soon(self, _moved: Sequence[UnitId]) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._due = False
        if self._roads.settle(UNITS_AT_ONCE):
            self._soon(())
