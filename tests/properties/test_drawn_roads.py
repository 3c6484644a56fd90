"""Compiled drawing and snapping against their plain twins, and the drawing against the graph."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.conditions import Conditions
from routing.errors import UnknownRoad
from routing.graph import RoadGraph
from routing.moment import Moment
from routing.osm.importer import import_network
from routing.roads import Roads
from routing.routes import way_arrays
from routing.search import kernel, kernel_python
from routing.search.arrays import CLOSED_MS, FollowedWay
from routing.search.street_grid import street_grid
from routing.speeds import Profile, shipped_speed_table
from routing.stands import Stand
from routing.weights import WeightMaker
from tests.road_graphs import Street, build_graph, grid_graph


def plain(value: object) -> object:
    """Arrays as lists, so that values compare as a whole."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def same(one: FollowedWay, other: FollowedWay) -> bool:
    """Equal to the last bit."""
    return [plain(item) for item in one] == [plain(item) for item in other]


class Pair:
    """One network, drawn by both kernels, with some arcs and turns closed."""

    def __init__(self, graph: RoadGraph, rng: np.random.Generator) -> None:
        self.graph = graph
        self.rng = rng
        self.ways = way_arrays(graph)
        maker = WeightMaker(graph, shipped_speed_table())
        moment = Moment.of(maker, Conditions(), 0, 12, version=0)
        self.present = moment.milliseconds(Profile.RESPONSE_CAR)
        self.present.arc_ms[rng.random(graph.arc_count) < 0.01] = CLOSED_MS

    def wander(self, arcs: int) -> list[int]:
        """A way of so many arcs at most; now and then one that breaks."""
        way = [int(self.rng.integers(self.graph.arc_count))]
        while len(way) < arcs:
            first, end = self.graph.turn_start[way[-1] : way[-1] + 2].tolist()
            if first == end:
                break
            way.append(int(self.graph.turn_to[self.rng.integers(first, end)]))
        if self.rng.random() < 0.1:
            way.insert(1, int(self.rng.integers(self.graph.arc_count)))
        return way

    def shares(self, arcs: int) -> tuple[float, float]:
        shares = self.rng.choice([0.0, 1.0, self.rng.random(), self.rng.random()], 2).tolist()
        return (min(shares), max(shares)) if arcs == 1 else (shares[0], shares[1])

    def draw(self, way: list[int], shares: tuple[float, float]) -> FollowedWay:
        """What both kernels answer, which is the same."""
        asked = (self.ways, self.present.arc_ms, self.present.turn_ms, way, *shares)
        compiled, twin = kernel.follow(*asked), kernel_python.follow(*asked)
        assert same(compiled, twin), (way, shares)
        return compiled


def check_drawing(pair: Pair, way: list[int], shares: tuple[float, float]) -> None:
    """The drawing against the definition."""
    drawn = pair.draw(way, shares)
    if drawn.broken_at >= 0:
        arc, after = way[drawn.broken_at : drawn.broken_at + 2]
        options = pair.graph.turn_to[pair.graph.turn_start[arc] : pair.graph.turn_start[arc + 1]]
        assert after not in options
        return
    closed = bool((pair.present.arc_ms[way] >= CLOSED_MS).any())
    if drawn.travel_ms >= CLOSED_MS:
        turns_closed = (pair.present.turn_ms >= CLOSED_MS).any()
        assert closed or turns_closed
        return
    assert not closed
    assert drawn.step[:, 2].sum() == drawn.travel_ms
    metres = pair.graph.arc_length_m[way]
    driven = metres.sum() - shares[0] * metres[0] - (1 - shares[1]) * metres[-1]
    assert drawn.step_m.sum() == pytest.approx(driven, abs=1e-6)
    whole = np.concatenate([pair.graph.arc_line(arc) for arc in way])
    for place, share in ((0, shares[0]), (-1, shares[1])):
        if share in {0.0, 1.0}:
            end = pair.graph.arc_line(way[place])[-1 if share else 0]
            assert (drawn.lon[place], drawn.lat[place]) == pytest.approx(end, abs=1e-9)
    inner = set(zip(drawn.lon[1:-1].tolist(), drawn.lat[1:-1].tolist(), strict=True))
    assert inner <= {(lon, lat) for lon, lat in whole.tolist()}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 30), columns=st.integers(2, 5), rows=st.integers(2, 5))
def test_ways_on_a_chessboard_are_drawn_alike(seed: int, columns: int, rows: int) -> None:
    pair = Pair(grid_graph(columns, rows), np.random.default_rng(seed))
    for arcs in (1, 2, 3, 12):
        way = pair.wander(arcs)
        check_drawing(pair, way, pair.shares(len(way)))


def test_ways_on_helsinki_are_drawn_alike(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    pair = Pair(graph, np.random.default_rng(8))
    drawn = 0
    for _ in range(1500):
        way = pair.wander(int(pair.rng.integers(1, 40)))
        shares = pair.shares(len(way))
        check_drawing(pair, way, shares)
        drawn += len(pair.draw(way, shares).lon) > 0
    assert drawn > 500


def test_an_arc_without_length_is_a_point() -> None:
    graph = build_graph(
        [(0.0, 0.0), (0.0, 0.0), (50.0, 0.0)], [Street(start=0, end=1), Street(start=1, end=2)]
    )
    pair = Pair(graph, np.random.default_rng(0))
    pair.present.arc_ms[:] = 1000
    for way in ([0], [0, 2], [3, 1]):
        assert len(pair.draw(way, (0.0, 0.0)).lon) >= 2


@pytest.mark.parametrize("twin", [False, True])
def test_a_way_that_does_not_hang_together_is_refused(*, twin: bool) -> None:
    roads = Roads(grid_graph(3, 3), python_twin=twin)
    start, end = Stand(0, 10.0), Stand(8, 10.0)
    with pytest.raises(UnknownRoad, match="no turn leads from arc 0 into arc 8"):
        roads.route_of((0, 8), start, end, Profile.RESPONSE_CAR)
    with pytest.raises(UnknownRoad, match="not in this network"):
        roads.travel_ms_of((0, 10**12, 8), start, end, Profile.RESPONSE_CAR)
    with pytest.raises(UnknownRoad, match="backwards"):
        roads.travel_ms_of((0,), start, Stand(0, 5.0), Profile.RESPONSE_CAR)


def test_a_drawing_is_rounded_when_asked_for() -> None:
    for twin in (False, True):
        roads = Roads(grid_graph(3, 3), python_twin=twin)
        start, end = Stand(0, 33.3), Stand(0, 66.6)
        exact = roads.route_of((0,), start, end, Profile.PATROL)
        drawn = roads.route_of((0,), start, end, Profile.PATROL, digits=6)
        assert exact is not None
        assert drawn is not None
        assert drawn.geometry != exact.geometry
        assert drawn.geometry == tuple(
            (float(np.round(lon, 6)), float(np.round(lat, 6))) for lon, lat in exact.geometry
        )


def snap_points(graph: RoadGraph, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Points on corners, beside streets and far off."""
    corner = graph.geom_lonlat[rng.integers(0, len(graph.geom_lonlat), count)]
    spread_deg = rng.choice([0.0, 1e-5, 3e-4, 5e-3, 0.2], (count, 1))
    points: NDArray[np.float64] = corner + rng.normal(0.0, 1.0, (count, 2)) * spread_deg
    return points


def check_snaps(graph: RoadGraph, rng: np.random.Generator, count: int) -> int:
    """Both searches on the same points; returns how many found a street."""
    grid, found = street_grid(graph), 0
    for lon, lat in snap_points(graph, rng, count).tolist():
        heading_deg = float(rng.choice([math.nan, rng.uniform(0, 360), 0.0, 90.0]))
        max_m = float(rng.choice([30.0, 200.0, 2_000.0, 1e6]))
        asked = (grid, lon, lat, heading_deg, max_m)
        compiled = kernel.nearest_street(*asked)
        assert tuple(compiled) == tuple(kernel_python.nearest_street(*asked)), asked[1:]
        found += compiled.segment >= 0
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 30), columns=st.integers(2, 6), rows=st.integers(1, 6))
def test_points_on_a_chessboard_are_snapped_alike(seed: int, columns: int, rows: int) -> None:
    check_snaps(grid_graph(columns, rows), np.random.default_rng(seed), 20)


def test_points_on_helsinki_are_snapped_alike(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    assert check_snaps(graph, np.random.default_rng(9), 1500) > 700
