"""scipy.sparse.csgraph.dijkstra against the traffic from the incident, with a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from api.bench.contest import Answer, StandTable, ranked, stand_tables, within_growing_limit
from api.bench.expanded import ExpandedRoads
from api.bench.scenario import BenchUnit
from routing.speeds import Profile
from routing.stands import Stand

_ROOM = 64
"""Edges reserved for the incident: more arcs never lead into the two arcs of a street."""

_PADDING_MS = 1e15


class IncidentMatrix:
    """The expanded roads with one more node, the incident, whose edges are written in place."""

    def __init__(self, roads: ExpandedRoads) -> None:
        self._roads = roads
        inner = roads.matrix(against_traffic=True)
        self.node = roads.arc_count
        data = np.concatenate([inner.data, np.full(_ROOM, _PADDING_MS)])
        indices = np.concatenate([inner.indices, np.full(_ROOM, self.node)]).astype(np.int32)
        indptr = np.concatenate([inner.indptr, [len(data)]]).astype(np.int32)
        size = self.node + 1
        self.matrix: csr_array[Any] = csr_array((data, indices, indptr), shape=(size, size))

    def aim(self, target: Sequence[Stand]) -> None:
        """Write the edges of an incident."""
        entries = self._roads.entries(target)
        data, indices = self.matrix.data, self.matrix.indices
        data[-_ROOM:], indices[-_ROOM:] = _PADDING_MS, self.node
        for place, (arc, ms) in enumerate(entries, start=len(data) - _ROOM):
            data[place], indices[place] = ms, arc


class ScipyPeer:
    """One search per profile. With a limit that doubles, or from the incident to everywhere."""

    def __init__(self, roads: dict[Profile, ExpandedRoads], *, limited: bool = True) -> None:
        self.name = "scipy dijkstra, " + ("limit doubled from 60 s" if limited else "one to all")
        self._roads = roads
        self._limited = limited
        self._matrices = {profile: IncidentMatrix(roads[profile]) for profile in roads}
        self._tables: dict[Profile, StandTable] = {}

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Take the units."""
        self._tables = stand_tables(self._roads, units)

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units."""
        for profile in self._tables:
            self._matrices[profile].aim(target)
        if self._limited:
            return within_growing_limit(lambda limit_ms: self._within(target, limit_ms), k)
        return ranked(self._within(target, np.inf), k)

    def _within(self, target: Sequence[Stand], limit_ms: float) -> dict[int, int]:
        found: dict[int, int] = {}
        for profile, table in self._tables.items():
            incident = self._matrices[profile]
            label_ms = dijkstra(incident.matrix, indices=np.array(incident.node), limit=limit_ms)
            found |= table.best(label_ms[table.arc], target)
        return found
