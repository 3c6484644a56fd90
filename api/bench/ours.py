"""Our own search as a contestant: the facade with all its Python, compiled or the twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from api.bench.contest import Answer
from api.bench.scenario import BenchUnit
from routing.roads import Roads
from routing.search.fleet import Fleet
from routing.stands import Snap, Stand

KERNEL_NAME = "kuaijing kernel (numba)"
TWIN_NAME = "kuaijing twin (plain Python)"


class OurSearch:
    """`Roads.nearest`, routes included, as a decision calls it."""

    def __init__(self, roads: Roads, name: str) -> None:
        self.name = name
        self._roads = roads
        self._fleet: Fleet = roads.new_fleet(0)
        self._eligible = np.ones(0, dtype=np.bool_)

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Take the units."""
        self._fleet = self._roads.new_fleet(len(units))
        self._eligible = np.ones(len(units), dtype=np.bool_)
        for slot, unit in enumerate(units):
            self._fleet.place(slot, unit.profile, unit.stands, unit.extra_ms)

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units."""
        place = Snap(0.0, 0.0, 0.0, 0.0, 0.0, "", tuple(target))
        found = self._roads.nearest(place, self._fleet, eligible=self._eligible, k=k)
        return [(reach.total_ms, reach.slot) for reach in found]
