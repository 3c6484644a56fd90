"""The comparison on a small real network: everybody answers the same, and a wrong answer shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from api.bench.contest import Answer
from api.bench.exactness import BruteForce, check_exactness
from api.bench.expanded import expand
from api.bench.field import BENCH_HOUR, FLEET_PROFILES, Entry, Field, expanded_roads, gather
from api.bench.ours import KERNEL_NAME, OurSearch
from api.bench.part_search import drivable, run_search
from api.bench.peer_scipy import ScipyPeer
from api.bench.report import Part
from api.bench.scenario import BenchUnit, PointDraw, Scenario, parked, patrolling, snap_at
from api.bench.search import compare
from routing.conditions import Conditions
from routing.graph import RoadGraph
from routing.osm.importer import import_network
from routing.roads import Roads
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile, arc_milliseconds, turn_milliseconds
from routing.stands import Stand


@pytest.fixture(scope="module")
def graph(helsinki_pbf: Path) -> RoadGraph:
    return import_network(helsinki_pbf, allow_pieces=True)[0]


@pytest.fixture(scope="module")
def roads(graph: RoadGraph) -> Roads:
    return Roads(graph, hour=BENCH_HOUR)


@pytest.fixture(scope="module")
def twin(graph: RoadGraph) -> Roads:
    return Roads(graph, python_twin=True, hour=BENCH_HOUR)


def silent(text: str) -> None:
    del text


@pytest.mark.parametrize("make", [patrolling, parked])
@pytest.mark.parametrize("k", [1, 5, 300])
def test_all_libraries_give_the_same_milliseconds(roads: Roads, twin: Roads, make, k: int) -> None:
    draw = PointDraw(roads.graph, drivable(roads), 7)
    contestants = gather(roads, twin, silent)

    result = compare(contestants, make(draw, 40), draw, k=k, rounds=45, say=silent)

    assert result.mismatches == 0
    assert {score.family for score in result.scores.values()} >= {"kernel", "twin", "scipy"}
    assert all(score.taken.count > 0 for score in result.scores.values())


def test_labels_by_bellman_ford_are_those_of_the_brute_force(graph: RoadGraph) -> None:
    """The judge is judged: plain relaxation of every turn until nothing changes."""
    unit = BenchUnit(Profile.RESPONSE_CAR, (PointDraw(graph, _all(graph), 3).heading_stand(),))
    truth = BruteForce(graph, Conditions())
    truth.place([unit])
    draw = PointDraw(graph, _all(graph), 4)

    for _ in range(30):
        target = draw.place().stands
        expected = _bellman_ford_ms(graph, unit, target)
        answer = truth.nearest(target, 1)
        assert answer == ([] if expected >= CLOSED_MS else [(expected, 0)])


def test_a_contestant_that_is_one_millisecond_off_is_counted(roads: Roads) -> None:
    class Liar(OurSearch):
        def nearest(self, target: Sequence[Stand], k: int) -> Answer:
            return [(ms + 1, slot) for ms, slot in super().nearest(target, k)]

    scipy_peer = ScipyPeer(expanded_roads(roads.graph))
    entries = [Entry(Liar(roads, KERNEL_NAME), 1, "kernel"), Entry(scipy_peer, 1, "scipy")]
    draw = PointDraw(roads.graph, drivable(roads), 7)

    result = compare(Field(entries), patrolling(draw, 20), draw, k=3, rounds=5, say=silent)

    assert result.mismatches == 5


def test_exactness_holds_and_leaves_the_roads_open(roads: Roads) -> None:
    found = check_exactness(
        roads, queries=80, units=25, seed=1, say=silent, kernel_name=KERNEL_NAME
    )

    assert (found.queries, found.mismatches) == (80, 0)
    assert found.same_arc == 16
    assert found.on_closed >= 8
    assert not roads.effective_conditions.closures


def test_exactness_sees_a_kernel_that_does_not_know_of_closures(
    roads: Roads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Roads, "set_conditions", lambda *ignored: None)

    found = check_exactness(
        roads, queries=80, units=25, seed=1, say=silent, kernel_name=KERNEL_NAME
    )

    assert found.mismatches > 0
    assert found.examples


def test_the_part_tells_answers_times_and_budgets(roads: Roads) -> None:
    part = Part("search")

    run_search(roads, units=30, rounds=2, part=part, say=silent)

    titles = [table.title for table in part.tables]
    assert titles[0] == "Answers against brute force"
    assert "The k nearest units" in titles
    assert part.mismatches == 0
    assert {row["k"] for row in part.tables[2].rows} == {1, 5, 10}
    assert any("networkx" in budget.name for budget in part.budgets)


def test_the_same_seed_draws_the_same_city(graph: RoadGraph) -> None:
    def drawn() -> Scenario:
        return parked(PointDraw(graph, _all(graph), 5), 231)

    assert drawn() == drawn()
    assert len({unit.stands for unit in drawn().units}) == 33
    cars = [unit for unit in drawn().units if unit.profile is Profile.RESPONSE_CAR]
    assert len(cars) == 99


def test_both_directions_of_a_place_are_the_same_place(graph: RoadGraph) -> None:
    arc = int(np.flatnonzero(graph.arc_reverse >= 0)[0])
    length_m = float(graph.arc_length_m[arc])

    stands = snap_at(graph, Stand(arc, 0.25 * length_m)).stands

    assert stands[1].arc == graph.arc_reverse[arc]
    assert stands[1].offset_m == pytest.approx(0.75 * length_m, rel=1e-6)


def _all(graph: RoadGraph) -> np.ndarray:
    return np.ones(graph.arc_count, dtype=np.bool_)


def _bellman_ford_ms(graph: RoadGraph, unit: BenchUnit, target: Sequence[Stand]) -> int:
    profile = unit.profile
    assert profile in FLEET_PROFILES
    roads = expand(
        graph, arc_milliseconds(graph, profile, BENCH_HOUR), turn_milliseconds(graph, profile)
    )
    start = unit.stands[0]
    if roads.arc_ms[start.arc] >= CLOSED_MS:
        return CLOSED_MS
    enter_ms = np.full(roads.arc_count, CLOSED_MS, dtype=np.int64)
    leave_ms = enter_ms.copy()
    leave_ms[start.arc] = roads.rest_ms(start)
    while True:
        offered = np.minimum(leave_ms[roads.edge_from] + roads.turn_ms, CLOSED_MS)
        better = enter_ms.copy()
        np.minimum.at(better, roads.edge_to, offered)
        if np.array_equal(better, enter_ms):
            break
        enter_ms = better
        leave_ms = np.minimum(leave_ms, np.minimum(enter_ms + roads.arc_ms, CLOSED_MS))
    best = CLOSED_MS
    for end in target:
        whole = int(roads.arc_ms[end.arc])
        if whole < CLOSED_MS:
            last = int(whole * roads.share(end) + 0.5)
            best = min(best, int(enter_ms[end.arc]) + last, roads.same_arc_ms(start, end))
    return best
