"""Random questions on a network, answered by the searches and by brute force."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.conditions import Closure, Conditions, Direction
from routing.graph import RoadGraph
from routing.roads import Reach, Roads
from routing.speeds import Profile
from routing.stands import Stand
from tests.brute_force import HOUR, BruteFleet, PlacedUnit, answers, fleet_of, place_of


def random_stands(
    graph: RoadGraph,
    rng: np.random.Generator,
    *,
    heading: bool,
    arcs: np.ndarray | None = None,
) -> tuple[Stand, ...]:
    arc = int(rng.choice(np.flatnonzero(graph.arc_core) if arcs is None else arcs))
    length_m = float(graph.arc_length_m[arc])
    offset_m = round(float(rng.uniform(0, length_m)), 3)
    stands = [Stand(arc, min(offset_m, length_m))]
    reverse = int(graph.arc_reverse[arc])
    if reverse >= 0 and not heading:
        stands.append(Stand(reverse, max(0.0, length_m - offset_m)))
    return tuple(stands)


def random_units(graph: RoadGraph, rng: np.random.Generator, count: int) -> list[PlacedUnit]:
    profiles = [Profile.RESPONSE_CAR, Profile.MOTORCYCLE, Profile.PATROL]
    return [
        PlacedUnit(
            profiles[slot % 3] if slot % 10 == 0 else profiles[slot % 2],
            random_stands(graph, rng, heading=slot % 2 == 0),
            # Whole seconds, so that equal totals occur.
            int(rng.integers(0, 30)) * 1000,
        )
        for slot in range(count)
    ]


def mismatches(graph: RoadGraph, *, queries: int, units: int, seed: int, twin: bool = False) -> int:
    rng = np.random.default_rng(seed)
    roads = Roads(graph, python_twin=twin)
    placed = random_units(graph, rng, units)
    closed = frozenset(rng.choice(graph.arc_count, graph.arc_count // 50, replace=False).tolist())
    roads.set_conditions(
        Conditions((Closure(closure_id="works", arcs=tuple(closed), direction=Direction.FORWARD),)),
        0,
        HOUR,
    )
    brute = BruteFleet(graph, placed, closed)
    fleet = fleet_of(roads, placed)
    wrong = 0
    for query in range(queries):
        target = random_stands(graph, rng, heading=query % 5 == 0)
        k = (1, 5, units)[query % 3]
        wrong += answers(roads.nearest(place_of(target), fleet, k=k)) != brute.order(target, k=k)
    return wrong


def nobody_passes_through(arcs: Sequence[int], closed: frozenset[int]) -> bool:
    """Whether no closed arc lies between open ones."""
    return (
        re.fullmatch("x*o*x*", "".join("x" if arc in closed else "o" for arc in arcs)) is not None
    )


@dataclass
class Tally:
    """What a comparison on closed roads saw: answers that differ, and what the others were."""

    questions: int = 0
    wrong: int = 0
    begin_closed: int = 0
    end_closed: int = 0
    closed_as_a_whole: int = 0

    def note(self, reach: Reach, closed: frozenset[int]) -> None:
        shut = [arc in closed for arc in reach.arcs]
        self.closed_as_a_whole += all(shut)
        self.begin_closed += shut[0] and not all(shut)
        self.end_closed += shut[-1] and not all(shut)


def closed_patch(graph: RoadGraph, rng: np.random.Generator, size: int) -> set[int]:
    """So many streets that hang together, a few of them closed in one direction only."""
    arcs = [int(rng.choice(np.flatnonzero(graph.arc_core)))]
    closed: set[int] = set()
    for arc in arcs:
        closed.add(arc)
        if graph.arc_reverse[arc] >= 0 and rng.random() < 0.9:
            closed.add(int(graph.arc_reverse[arc]))
        after = graph.turn_to[graph.turn_start[arc] : graph.turn_start[arc + 1]].tolist()
        arcs += [one for one in after if one not in closed][: size - len(arcs)]
    return closed


def on_closed_roads(
    graph: RoadGraph, *, scenes: int, questions: int, units: int, seed: int, twin: bool = False
) -> Tally:
    """Ask for places on closed roads and beside them, with a third of the units on such roads."""
    rng = np.random.default_rng(seed)
    roads, tally = Roads(graph, python_twin=twin), Tally()
    for _ in range(scenes):
        closed: frozenset[int] = frozenset()
        for size in (1, 2, 5, 12, 30, 200):
            closed |= closed_patch(graph, rng, size)
        works = Closure(closure_id="works", arcs=tuple(closed), direction=Direction.FORWARD)
        roads.set_conditions(Conditions((works,)), 0, HOUR)
        drivable = np.array(sorted(closed))
        placed = random_units(graph, rng, units)
        for slot in range(0, units, 3):
            stands = random_stands(graph, rng, heading=slot % 2 == 0, arcs=drivable)
            placed[slot] = replace(placed[slot], stands=stands)
        brute, fleet = BruteFleet(graph, placed, closed), fleet_of(roads, placed)
        for question in range(questions):
            on = drivable if question % 3 else None
            target = random_stands(graph, rng, heading=question % 5 == 0, arcs=on)
            k = (1, 5, units)[question % 3]
            reaches = roads.nearest(place_of(target), fleet, k=k)
            tally.questions += 1
            tally.wrong += answers(reaches) != brute.order(target, k=k)
            for reach in reaches:
                assert nobody_passes_through(reach.arcs, closed)
                assert (
                    roads.travel_ms_of(reach.arcs, reach.start, reach.end, reach.profile)
                    == reach.travel_ms
                )
                tally.note(reach, closed)
    return tally


def check(tally: Tally, *, questions: int) -> None:
    assert (tally.questions, tally.wrong) == (questions, 0)
    # A comparison that never met the cases would be worth nothing.
    few = min(tally.begin_closed, tally.end_closed, tally.closed_as_a_whole)
    assert few > questions // 10, tally
