"""networkx on the expanded graph, in the ways that its documentation offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np

from api.bench.contest import Answer, StandTable, ranked, stand_tables, within_growing_limit
from api.bench.expanded import ExpandedRoads
from api.bench.scenario import BenchUnit
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile
from routing.stands import Stand

_INCIDENT = -1
"""The node that stands for the incident; arcs are numbered from 0."""


class NetworkxGraphs:
    """The expanded graphs of all profiles, against the traffic; shared by the variants."""

    def __init__(self, roads: dict[Profile, ExpandedRoads]) -> None:
        self.roads = roads
        self.graphs = {profile: _digraph(item) for profile, item in roads.items()}


def _digraph(roads: ExpandedRoads) -> Any:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(roads.arc_count))
    weights = roads.against_traffic_ms().astype(np.int64).tolist()
    edges = zip(roads.edge_to.tolist(), roads.edge_from.tolist(), weights, strict=True)
    graph.add_weighted_edges_from(edges, weight="ms")
    return graph


class _NetworkxPeer(ABC):
    name = "networkx"

    def __init__(self, graphs: NetworkxGraphs) -> None:
        self._roads = graphs.roads
        self._graphs = graphs.graphs
        self._tables: dict[Profile, StandTable] = {}

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Take the units."""
        self._tables = stand_tables(self._roads, units)

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units."""
        for profile in self._tables:
            self._aim(profile, target)
        try:
            return self._answer(target, k)
        finally:
            for profile in self._tables:
                self._graphs[profile].remove_node(_INCIDENT)

    def _aim(self, profile: Profile, target: Sequence[Stand]) -> None:
        graph = self._graphs[profile]
        graph.add_node(_INCIDENT)
        for arc, ms in self._roads[profile].entries(target):
            graph.add_edge(_INCIDENT, arc, ms=ms)

    @abstractmethod
    def _answer(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units, with the incident's node in place."""

    def _within(self, target: Sequence[Stand], limit_ms: int | None) -> dict[int, int]:
        found: dict[int, int] = {}
        for profile, table in self._tables.items():
            labels = nx.single_source_dijkstra_path_length(
                self._graphs[profile], _INCIDENT, cutoff=limit_ms, weight="ms"
            )
            label_ms = np.array([labels.get(arc, np.inf) for arc in table.arc.tolist()])
            found |= table.best(label_ms, target)
        return found


class NetworkxOneToAll(_NetworkxPeer):
    """From the incident to everywhere, as most programs do it."""

    name = "networkx single_source_dijkstra_path_length, one to all"

    def _answer(self, target: Sequence[Stand], k: int) -> Answer:
        return ranked(self._within(target, None), k)


class NetworkxCutoff(_NetworkxPeer):
    """From the incident with a cutoff that doubles until k units are found."""

    name = "networkx single_source_dijkstra_path_length, cutoff doubled from 60 s"

    def _answer(self, target: Sequence[Stand], k: int) -> Answer:
        return within_growing_limit(lambda limit_ms: self._within(target, limit_ms), k)


class NetworkxTold(_NetworkxPeer):
    """One search with the k-th unit's time as the cutoff: a floor, since nobody knows it before."""

    name = "networkx single_source_dijkstra_path_length, cutoff told beforehand"

    def __init__(self, graphs: NetworkxGraphs) -> None:
        super().__init__(graphs)
        self.told_ms: int = CLOSED_MS

    def _answer(self, target: Sequence[Stand], k: int) -> Answer:
        return ranked(self._within(target, self.told_ms), k)


class NetworkxBidirectional(_NetworkxPeer):
    """One bidirectional search for each stand of each unit."""

    name = "networkx bidirectional_dijkstra, unit by unit"

    def _answer(self, target: Sequence[Stand], k: int) -> Answer:
        found: dict[int, int] = {}
        for profile, table in self._tables.items():
            label_ms = np.full(len(table.arc), np.inf)
            for row, arc in enumerate(table.arc.tolist()):
                try:
                    way = nx.bidirectional_dijkstra(
                        self._graphs[profile], _INCIDENT, arc, weight="ms"
                    )
                except nx.NetworkXNoPath:
                    continue
                label_ms[row] = way[0]
            found |= table.best(label_ms, target)
        return ranked(found, k)
