"""The searches against brute force, on made-up streets."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.conditions import Closure, Conditions, Direction
from routing.errors import Unreachable
from routing.graph import ArcFlag, RoadGraph, TurnFlag
from routing.roads import Roads
from routing.speeds import Profile
from routing.stands import Stand
from tests.brute_force import (
    CLOSED,
    HOUR,
    BruteFleet,
    BruteForce,
    PlacedUnit,
    answers,
    fleet_of,
    place_of,
)
from tests.exact_questions import nobody_passes_through
from tests.road_graphs import Street, build_graph

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


def test_what_is_cut_off_is_unreachable() -> None:
    graph = build_graph(
        [(0, 0), (100, 0), (500, 0), (600, 0)], [Street(start=0, end=1), Street(start=2, end=3)]
    )
    roads = Roads(graph)
    with pytest.raises(Unreachable, match="closures"):
        roads.travel(place_of([Stand(0, 5.0)]), place_of([Stand(2, 5.0)]), Profile.PATROL)
