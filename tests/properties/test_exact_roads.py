"""The searches against brute force written from the definition, on made-up and on real streets."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.conditions import Closure, Conditions, Direction, SpeedFactor
from routing.errors import Unreachable
from routing.graph import ArcFlag, RoadGraph, TurnFlag
from routing.osm.importer import import_network
from routing.roads import Reach, Roads
from routing.search.fleet import Fleet
from routing.speeds import Profile, arc_milliseconds, turn_milliseconds
from routing.stands import Snap, Stand
from tests.road_graphs import Street, build_graph

CLOSED = 1 << 30
HOUR = 12


FIRST, OPEN, LAST = range(3)
"""Parts of a way, in this order: closed arcs, open arcs, closed arcs."""


@dataclass
class BruteForce:
    """Plain forward Dijkstra over arcs, from a stand to every arc; one profile.

    Closed arcs may begin a way and end it, and nobody passes through: a state is an arc and the
    part of the way that it is driven in.
    """

    graph: RoadGraph
    arc_ms: list[int]
    turn_ms: list[int]
    closed: frozenset[int]

    @classmethod
    def of(cls, graph: RoadGraph, profile: Profile, closed: frozenset[int] = frozenset()):
        arc_ms = arc_milliseconds(graph, profile, HOUR).tolist()
        return cls(graph, arc_ms, turn_milliseconds(graph, profile).tolist(), closed)

    def part(self, stand: Stand) -> int:
        length_m = float(self.graph.arc_length_m[stand.arc])
        return floor(self.arc_ms[stand.arc] * (stand.offset_m / length_m) + 0.5)

    def entries(self, stand: Stand) -> dict[int, int]:
        """Milliseconds from the stand to the start of each arc that is entered."""
        if self.arc_ms[stand.arc] == CLOSED:
            return {}
        begun = FIRST if stand.arc in self.closed else OPEN
        queue = list(self.turns(stand.arc, begun, self.arc_ms[stand.arc] - self.part(stand)))
        heapq.heapify(queue)
        states = set()
        entered: dict[int, int] = {}
        while queue:
            ms, arc, part = heapq.heappop(queue)
            if (arc, part) in states:
                continue
            states.add((arc, part))
            entered.setdefault(arc, ms)
            for item in self.turns(arc, part, ms + self.arc_ms[arc]):
                heapq.heappush(queue, item)
        return entered

    def turns(self, arc: int, part: int, ms: int):
        for turn in range(self.graph.turn_start[arc], self.graph.turn_start[arc + 1]):
            after = int(self.graph.turn_to[turn])
            if max(self.turn_ms[turn], self.arc_ms[after]) == CLOSED:
                continue
            if after in self.closed:
                yield ms + self.turn_ms[turn], after, FIRST if part == FIRST else LAST
            elif part != LAST:
                yield ms + self.turn_ms[turn], after, OPEN

    def travel(self, start: Stand, ends: Sequence[Stand], entered: dict[int, int]) -> float:
        best = inf
        for end in ends:
            if self.arc_ms[end.arc] == CLOSED:
                continue
            if start.arc == end.arc and start.offset_m <= end.offset_m:
                best = min(best, self.part(end) - self.part(start))
            if end.arc in entered:
                best = min(best, entered[end.arc] + self.part(end))
        return best


@dataclass(frozen=True)
class PlacedUnit:
    profile: Profile
    stands: tuple[Stand, ...]
    extra_ms: int


def place_of(stands: Sequence[Stand]) -> Snap:
    return Snap(0.0, 0.0, 0.0, 0.0, 0.0, "", tuple(stands))


def fleet_of(roads: Roads, units: Sequence[PlacedUnit]) -> Fleet:
    fleet = roads.new_fleet(len(units))
    for slot, unit in enumerate(units):
        fleet.place(slot, unit.profile, unit.stands, unit.extra_ms)
    return fleet


class BruteFleet:
    """All units' entries, computed once; then any target is a look-up."""

    def __init__(self, graph: RoadGraph, units: Sequence[PlacedUnit], closed=frozenset()) -> None:
        self.brute = {profile: BruteForce.of(graph, profile, closed) for profile in Profile}
        self.units = units
        self.entered = [
            [self.brute[unit.profile].entries(stand) for stand in unit.stands] for unit in units
        ]

    def order(self, targets: Sequence[Stand], *, k: int, limit_ms: float = inf):
        totals = []
        for slot, unit in enumerate(self.units):
            brute = self.brute[unit.profile]
            travel = min(
                brute.travel(stand, targets, entered)
                for stand, entered in zip(unit.stands, self.entered[slot], strict=True)
            )
            if travel + unit.extra_ms <= min(limit_ms, CLOSED - 1):
                totals.append((travel + unit.extra_ms, slot))
        return sorted(totals)[:k]


def nobody_passes_through(arcs: Sequence[int], closed: frozenset[int]) -> bool:
    """Whether no closed arc lies between open ones."""
    return (
        re.fullmatch("x*o*x*", "".join("x" if arc in closed else "o" for arc in arcs)) is not None
    )


def answers(reaches: Sequence[Reach]) -> list[tuple[int, int]]:
    return [(reach.total_ms, reach.slot) for reach in reaches]


# Made-up towns: short and long streets, one-ways, bans, private and bus streets, loops.

SMALL_COORDINATE = st.integers(0, 6).map(lambda step: step * 40.0)
NODE = st.tuples(SMALL_COORDINATE, SMALL_COORDINATE)


@st.composite
def towns(draw: st.DrawFn) -> RoadGraph:
    nodes = draw(st.lists(NODE, min_size=2, max_size=9, unique=True))
    # Two nodes that nearly touch make streets shorter than a bucket of the kernel.
    nodes += [(east + 0.4, north) for east, north in nodes[: draw(st.integers(0, 2))]]
    ends = st.integers(0, len(nodes) - 1)
    pairs = draw(
        st.lists(st.tuples(ends, ends).filter(lambda p: p[0] != p[1]), min_size=1, max_size=22)
    )
    streets = [
        Street(
            start=start,
            end=end,
            oneway=draw(st.booleans()),
            road_class=draw(st.sampled_from(["primary", "residential", "service", "motorway"])),
            maxspeed_kmh=draw(st.sampled_from([0.0, 30.0, 50.0])),
            flags=draw(
                st.sampled_from(
                    [
                        0,
                        0,
                        0,
                        ArcFlag.EMERGENCY_ONLY,
                        ArcFlag.PRIVATE,
                        ArcFlag.NO_CAR,
                        ArcFlag.NO_MOTORCYCLE,
                    ]
                )
            ),
        )
        for start, end in pairs
    ]
    arc_count = sum(1 if street.oneway else 2 for street in streets)
    arcs = st.integers(0, arc_count - 1)
    flag = st.sampled_from([TurnFlag.BANNED, TurnFlag.BANNED_EXCEPT_EMERGENCY, TurnFlag.JOINT])
    bans = draw(st.dictionaries(st.tuples(arcs, arcs), flag, max_size=12))
    signals = frozenset(draw(st.lists(ends, max_size=3)))
    return build_graph(nodes, streets, turn_flags=bans, signals=signals)


@st.composite
def stands_on(draw: st.DrawFn, graph: RoadGraph) -> tuple[Stand, ...]:
    arc = draw(st.integers(0, graph.arc_count - 1))
    share = draw(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
    length_m = float(graph.arc_length_m[arc])
    stands = [Stand(arc, share * length_m)]
    reverse = int(graph.arc_reverse[arc])
    if reverse >= 0 and draw(st.booleans()):
        stands.append(Stand(reverse, max(0.0, length_m - share * length_m)))
    return tuple(stands)


@st.composite
def scenes(draw: st.DrawFn):
    graph = draw(towns())
    unit = st.builds(
        PlacedUnit,
        st.sampled_from(list(Profile)),
        stands_on(graph),
        st.sampled_from([0, 0, 1, 1500, 20000]),
    )
    units = draw(st.lists(unit, min_size=1, max_size=8))
    arcs = st.integers(0, graph.arc_count - 1)
    closed = draw(st.one_of(st.frozensets(arcs, max_size=4), st.frozensets(arcs, max_size=30)))
    return graph, units, closed, draw(stands_on(graph)), draw(st.integers(1, 9))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.sampled_from([None, 5.0, 30.0]))
def test_kernel_twin_and_brute_force_agree_on_made_up_towns(scene, max_s: float | None) -> None:
    graph, units, closed, target, k = scene
    conditions = Conditions(
        tuple(
            Closure(closure_id=str(arc), arcs=(arc,), direction=Direction.FORWARD) for arc in closed
        )
    )
    limit_ms = inf if max_s is None else max_s * 1000
    expected = BruteFleet(graph, units, closed).order(target, k=k, limit_ms=limit_ms)
    found = []
    for python_twin in (False, True):
        roads = Roads(graph, python_twin=python_twin)
        roads.set_conditions(conditions, 0, HOUR)
        reaches = roads.nearest(place_of(target), fleet_of(roads, units), k=k, max_s=max_s)
        assert answers(reaches) == expected
        for reach in reaches:
            assert nobody_passes_through(reach.arcs, closed)
            route = roads.route(reach)
            assert route is not None
            assert route.travel_ms == reach.travel_ms
            assert route.length_m == pytest.approx(reach.length_m, abs=1e-6)
            assert sum(step.travel_ms for step in route.steps) == reach.travel_ms
        found.append(reaches)
    assert [reach.arcs for reach in found[0]] == [reach.arcs for reach in found[1]]
    assert [reach.start for reach in found[0]] == [reach.start for reach in found[1]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(towns().flatmap(lambda graph: st.tuples(st.just(graph), stands_on(graph))))
def test_entry_times_agree_with_brute_force(scene) -> None:
    graph, stands = scene
    for profile in (Profile.FUGITIVE, Profile.PATROL):
        brute = BruteForce.of(graph, profile)
        expected = np.full(graph.arc_count, inf)
        for stand in stands:
            for arc, ms in brute.entries(stand).items():
                expected[arc] = min(expected[arc], ms)
        for python_twin in (False, True):
            entry_ms = Roads(graph, python_twin=python_twin).entry_ms(
                place_of(stands), profile, 1e6
            )
            drivable = np.array(brute.arc_ms) < CLOSED
            got = np.where(entry_ms < CLOSED, entry_ms, inf)
            assert (got[drivable] == expected[drivable]).all()


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


def test_a_thousand_questions_on_helsinki(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    assert mismatches(graph, queries=1000, units=60, seed=1) == 0
    assert mismatches(graph, queries=200, units=60, seed=2, twin=True) == 0


@pytest.mark.shared
def test_a_thousand_questions_on_porto(porto_pbf: Path) -> None:
    graph, _ = import_network(porto_pbf, allow_pieces=True)
    assert mismatches(graph, queries=1000, units=14, seed=3) == 0


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


def test_six_hundred_questions_on_closed_roads_of_helsinki(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    check(on_closed_roads(graph, scenes=6, questions=100, units=15, seed=11), questions=600)
    twin = on_closed_roads(graph, scenes=2, questions=60, units=15, seed=12, twin=True)
    check(twin, questions=120)


@pytest.mark.shared
def test_five_hundred_questions_on_closed_roads_of_porto(porto_pbf: Path) -> None:
    graph, _ = import_network(porto_pbf, allow_pieces=True)
    check(on_closed_roads(graph, scenes=1, questions=500, units=6, seed=13), questions=500)


def test_a_slow_down_is_part_of_the_way_and_gone_when_lifted(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    roads = Roads(graph)
    rng = np.random.default_rng(5)
    start, end = (place_of(random_stands(graph, rng, heading=False)) for _ in range(2))
    before = roads.travel(start, end, Profile.PATROL)
    half = Conditions(speed_factors=(SpeedFactor(factor_id="ice", factor=0.5),))
    roads.set_conditions(half, 0, HOUR)
    arcs_ms = sum(arc_milliseconds(graph, Profile.PATROL, HOUR)[list(before.arcs)])
    assert roads.travel(start, end, Profile.PATROL).travel_ms > before.travel_ms
    assert roads.travel(start, end, Profile.PATROL).travel_ms <= before.travel_ms + arcs_ms + 1
    roads.set_conditions(Conditions(), 0, HOUR)
    assert roads.travel(start, end, Profile.PATROL) == before


def test_what_is_cut_off_is_unreachable() -> None:
    graph = build_graph(
        [(0, 0), (100, 0), (500, 0), (600, 0)], [Street(start=0, end=1), Street(start=2, end=3)]
    )
    roads = Roads(graph)
    with pytest.raises(Unreachable, match="closures"):
        roads.travel(place_of([Stand(0, 5.0)]), place_of([Stand(2, 5.0)]), Profile.PATROL)
