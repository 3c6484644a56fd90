"""rustworkx on the expanded graph: one to all, and its visitor with an early stop.

rustworkx is a dev dependency; where it is missing the comparison says so and goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import rustworkx as rx
from rustworkx.visit import DijkstraVisitor, StopSearch

from api.bench.contest import Answer, StandTable, ranked, stand_tables
from api.bench.expanded import ExpandedRoads
from api.bench.scenario import BenchUnit
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile
from routing.stands import Stand


class RustworkxGraphs:
    """The expanded graphs of all profiles, against the traffic; shared by the variants."""

    def __init__(self, roads: dict[Profile, ExpandedRoads]) -> None:
        self.roads = roads
        self.graphs = {profile: _digraph(item) for profile, item in roads.items()}


def _digraph(roads: ExpandedRoads) -> Any:
    graph = rx.PyDiGraph(multigraph=True)
    graph.add_nodes_from(range(roads.arc_count))
    weights = roads.against_traffic_ms().tolist()
    edges = zip(roads.edge_to.tolist(), roads.edge_from.tolist(), weights, strict=True)
    graph.add_edges_from(list(edges))
    return graph


class RustworkxOneToAll:
    """From the incident to everywhere."""

    name = "rustworkx dijkstra_shortest_path_lengths, one to all"

    def __init__(self, graphs: RustworkxGraphs) -> None:
        self._roads = graphs.roads
        self._graphs = graphs.graphs
        self._tables: dict[Profile, StandTable] = {}

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Take the units."""
        self._tables = stand_tables(self._roads, units)

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k nearest units."""
        found: dict[int, int] = {}
        for profile, table in self._tables.items():
            graph = self._graphs[profile]
            incident = _aim(graph, self._roads[profile], target)
            try:
                label_ms = self._labels(graph, incident, table, k)
            finally:
                graph.remove_node(incident)
            found |= table.best(label_ms, target)
        return ranked(found, k)

    def _labels(self, graph: Any, incident: int, table: StandTable, k: int) -> Any:
        del k  # All labels are computed, whatever is asked.
        labels = dict(rx.dijkstra_shortest_path_lengths(graph, incident, float))
        return np.array([labels.get(arc, np.inf) for arc in table.arc.tolist()])


class RustworkxVisitor(RustworkxOneToAll):
    """Its visitor stops the search once k units of a profile cannot be beaten."""

    name = "rustworkx dijkstra_search, visitor with early stop"

    def _labels(self, graph: Any, incident: int, table: StandTable, k: int) -> Any:
        rows_at: dict[int, list[int]] = {}
        for row, arc in enumerate(table.arc.tolist()):
            rows_at.setdefault(arc, []).append(row)
        label_ms = np.full(len(table.arc), np.inf)
        totals: dict[int, float] = {}

        class Watch(DijkstraVisitor):
            bound_ms: float = CLOSED_MS

            def discover_vertex(self, v: int, score: float) -> None:
                if score > self.bound_ms:
                    raise StopSearch
                for row in rows_at.get(v, ()):
                    label_ms[row] = score
                    slot, ms = int(table.slot[row]), score + float(table.after_ms[row])
                    totals[slot] = min(ms, totals.get(slot, ms))
                    if len(totals) >= k:
                        self.bound_ms = sorted(totals.values())[k - 1]

        rx.dijkstra_search(graph, [incident], float, Watch())
        return label_ms


def _aim(graph: Any, roads: ExpandedRoads, target: Sequence[Stand]) -> int:
    incident: int = graph.add_node(None)
    graph.add_edges_from([(incident, arc, float(ms)) for arc, ms in roads.entries(target)])
    return incident
