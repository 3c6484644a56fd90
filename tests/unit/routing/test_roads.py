"""What the facade promises: turns, closures, hours, ways, areas, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from shapely import Point

from routing.closed_ends import ClosedEnds, ClosedStretch
from routing.conditions import Closure, Conditions, Direction, SpeedFactor
from routing.daily import DailyHours
from routing.errors import UnknownRoad, Unreachable
from routing.graph import ROAD_CLASSES, ArcFlag, TurnFlag, TurnKind
from routing.roads import Roads
from routing.routes import ARRIVE, DEPART
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile, shipped_speed_table
from routing.stands import Snap, Stand
from tests.road_graphs import Street, build_graph, grid_graph, point

CAR, MOTORCYCLE, PATROL = Profile.RESPONSE_CAR, Profile.MOTORCYCLE, Profile.PATROL

# A cross: node 0 west, 1 middle, 2 east, 3 north, 4 south; node 5 lies farther east.
CROSS_NODES = [
    (-300.0, 0.0),
    (0.0, 0.0),
    (300.0, 0.0),
    (0.0, 300.0),
    (0.0, -300.0),
    (600.0, 0.0),
]
CROSS_STREETS = [
    Street(start=0, end=1, name="红旗路", way_id=11),
    Street(start=1, end=2, name="红旗路", way_id=11),
    Street(start=1, end=3, name="宝庆路", way_id=12),
    Street(start=4, end=1, name="宝庆路", way_id=13),
    Street(start=2, end=5, name="红旗东路", way_id=14),
]
W_TO_M, M_TO_W, M_TO_E, E_TO_M, M_TO_N, N_TO_M, S_TO_M, M_TO_S, E_TO_F, F_TO_E = range(10)


@pytest.fixture(params=[False, True], ids=["compiled", "python"])
def cross(request: pytest.FixtureRequest) -> Roads:
    return Roads(build_graph(CROSS_NODES, CROSS_STREETS), python_twin=request.param)


def at(*stands: Stand) -> Snap:
    return Snap(0.0, 0.0, 0.0, 0.0, 0.0, "", stands)


def turn_ms(roads: Roads, kind: str, profile: Profile = CAR) -> int:
    return int(shipped_speed_table().profiles[profile].turn_ms[TurnKind[kind.upper()]])


def test_a_unit_goes_on_along_its_heading_and_turns_round_at_the_next_node(cross: Roads) -> None:
    length_m = float(cross.graph.arc_length_m[W_TO_M])
    behind = at(Stand(W_TO_M, 50.0))
    reach = cross.travel(at(Stand(W_TO_M, 100.0)), behind, CAR)
    # To the crossing, round by the shortest U-turn there is, to the dead end in the west, back.
    assert reach.arcs == (W_TO_M, M_TO_W, W_TO_M)
    assert reach.length_m == pytest.approx(length_m - 100 + length_m + 50)
    route = cross.route(reach)
    assert route is not None
    assert [step.turn for step in route.steps] == [DEPART, "u_turn", "u_turn", ARRIVE]
    whole_ms = cross.travel(at(Stand(W_TO_M, 0.0)), at(Stand(W_TO_M, length_m)), CAR).travel_ms
    driven_ms = whole_ms * (length_m - 100 + length_m + 50) / length_m
    assert reach.travel_ms == pytest.approx(driven_ms + 2 * turn_ms(cross, "u_turn"), abs=2)


def test_a_unit_without_heading_may_leave_either_way(cross: Roads) -> None:
    length_m = float(cross.graph.arc_length_m[W_TO_M])
    unit = at(Stand(W_TO_M, 100.0), Stand(M_TO_W, length_m - 100.0))
    target = at(Stand(W_TO_M, 50.0), Stand(M_TO_W, length_m - 50.0))
    reach = cross.travel(unit, target, CAR)
    assert reach.arcs == (M_TO_W,)
    assert reach.length_m == pytest.approx(50.0)


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("slow_last", [False, True])
def test_a_shorter_way_over_tiny_arcs_is_still_found(*, twin: bool, slow_last: bool) -> None:
    # The slow way and the faster one over two arcs differ by less than a bucket of the kernel.
    nodes = [(-100.0, 0.0), (0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (100.0, 0.0)]
    slow = [Street(start=1, end=3, oneway=True, road_class="service")]
    fast = [
        Street(start=1, end=2, oneway=True, road_class="motorway"),
        Street(start=2, end=3, oneway=True, road_class="motorway"),
    ]
    ends = [Street(start=0, end=1, oneway=True), Street(start=3, end=4, oneway=True)]
    middle = fast + slow if slow_last else slow + fast
    roads = Roads(build_graph(nodes, ends + middle), python_twin=twin)
    reach = roads.travel(at(Stand(0, 90.0)), at(Stand(1, 0.0)), CAR)
    assert [ROAD_CLASSES[roads.graph.arc_class[arc]] for arc in reach.arcs[1:-1]] == [
        "motorway"
    ] * 2


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_tie_at_the_bound_is_not_lost(*, twin: bool, swapped: bool) -> None:
    # Two streets of equal length and bend lead into the target's street, mirrored about it.
    nodes = [(0.0, 0.0), (0.0, 200.0), (-200.0, -200.0), (200.0, -200.0)]
    streets = [
        Street(start=0, end=1, oneway=True),
        Street(start=2, end=0, oneway=True),
        Street(start=3, end=0, oneway=True),
    ]
    bans = {(1, 0): TurnFlag.JOINT, (2, 0): TurnFlag.JOINT}
    graph = build_graph(nodes, streets, turn_flags=bans)
    roads = Roads(graph, python_twin=twin)
    fleet = roads.new_fleet(2)
    ends = [Stand(arc, float(graph.arc_length_m[arc])) for arc in (1, 2)]
    for slot, stand in enumerate(reversed(ends) if swapped else ends):
        fleet.place(slot, CAR, [stand])
    nearest = roads.nearest(at(Stand(0, 100.0)), fleet, k=1)
    assert [reach.slot for reach in nearest] == [0]


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_of_equal_ways_the_first_stand_is_left_from(*, twin: bool, swapped: bool) -> None:
    nodes = [(0.0, 0.0), (0.0, 200.0), (-200.0, -200.0), (200.0, -200.0)]
    streets = [
        Street(start=0, end=1, oneway=True),
        Street(start=2, end=0, oneway=True),
        Street(start=3, end=0, oneway=True),
    ]
    bans = {(1, 0): TurnFlag.JOINT, (2, 0): TurnFlag.JOINT}
    graph = build_graph(nodes, streets, turn_flags=bans)
    roads = Roads(graph, python_twin=twin)
    stands = [Stand(arc, float(graph.arc_length_m[arc])) for arc in (1, 2)]
    stands = stands[::-1] if swapped else stands
    reach = roads.travel(at(*stands), at(Stand(0, 100.0)), CAR)
    assert reach.start == stands[0]


def test_the_route_names_streets_and_turns_and_sums_up(cross: Roads) -> None:
    origin, target = at(Stand(W_TO_M, 100.0)), at(Stand(M_TO_N, 200.0))
    reach = cross.travel(origin, target, CAR)
    route = cross.route(reach)
    assert route is not None
    assert [(step.road, step.turn) for step in route.steps] == [
        ("红旗路", DEPART),
        ("宝庆路", "left"),
        ("宝庆路", ARRIVE),
    ]
    assert sum(step.travel_ms for step in route.steps) == route.travel_ms == reach.travel_ms
    assert route.length_m == pytest.approx(400.0, rel=1e-3)
    assert route.geometry[0] == pytest.approx(point(-200.0, 0.0))
    assert route.geometry[-1] == pytest.approx(point(0.0, 200.0))
    assert cross.travel_ms_of(reach.arcs, reach.start, reach.end, CAR) == reach.travel_ms


def test_a_street_that_goes_on_is_one_step(cross: Roads) -> None:
    route = cross.route(cross.travel(at(Stand(W_TO_M, 0.0)), at(Stand(M_TO_E, 10.0)), PATROL))
    assert route is not None
    assert [step.turn for step in route.steps] == [DEPART, ARRIVE]


def test_a_way_that_does_not_hang_together_is_refused(cross: Roads) -> None:
    with pytest.raises(UnknownRoad, match="no turn leads"):
        cross.route_of([W_TO_M, S_TO_M], Stand(W_TO_M, 0.0), Stand(S_TO_M, 1.0), CAR)
    with pytest.raises(UnknownRoad, match="begins"):
        cross.route_of([W_TO_M], Stand(M_TO_E, 0.0), Stand(W_TO_M, 1.0), CAR)
    with pytest.raises(UnknownRoad, match="backwards"):
        cross.route_of([W_TO_M], Stand(W_TO_M, 9.0), Stand(W_TO_M, 1.0), CAR)


def test_a_closure_counts_at_the_next_question_and_leaves_no_trace(cross: Roads) -> None:
    origin, target = at(Stand(W_TO_M, 100.0)), at(Stand(E_TO_F, 200.0))
    before = cross.travel(origin, target, CAR)
    weights_before = cross._moment.weights.arc_ms.copy()
    closed = Conditions((Closure(closure_id="works", arcs=(M_TO_E,)),))
    cross.set_conditions(closed, 0, 12)
    assert cross.conditions_version == 1
    with pytest.raises(Unreachable):
        cross.travel(origin, target, CAR)
    assert cross.route(before) is None
    assert cross.travel_ms_of(before.arcs, before.start, before.end, CAR) is None
    cross.set_conditions(Conditions(), 0, 12)
    assert cross.conditions_version == 2
    assert cross.travel(origin, target, CAR) == before
    assert (cross._moment.weights.arc_ms == weights_before).all()


def test_one_direction_may_be_closed_along_the_way_or_against_it(cross: Roads) -> None:
    for direction, closed_arcs in (
        (Direction.FORWARD, (W_TO_M, M_TO_E)),
        (Direction.BACKWARD, (M_TO_W, E_TO_M)),
        (Direction.BOTH, (W_TO_M, M_TO_W, M_TO_E, E_TO_M)),
    ):
        closure = Closure(closure_id="way", way_ids=(11,), direction=direction)
        assert cross.closed_arcs(closure) == closed_arcs
        assert cross.arcs_of_way(11, direction) == closed_arcs
    assert cross.closed_arcs(Closure(closure_id="arc", arcs=(W_TO_M,))) == (W_TO_M, M_TO_W)
    backward = Closure(closure_id="arc", arcs=(W_TO_M,), direction=Direction.BACKWARD)
    assert cross.closed_arcs(backward) == (M_TO_W,)


def test_emergency_vehicles_pass_where_they_are_exempt(cross: Roads) -> None:
    closure = Closure(closure_id="market", arcs=(M_TO_E,), emergency_exempt=True)
    cross.set_conditions(Conditions((closure,)), 0, 12)
    origin, target = at(Stand(W_TO_M, 0.0)), at(Stand(E_TO_F, 9.0))
    for profile in (CAR, MOTORCYCLE):
        reach = cross.travel(origin, target, profile)
        assert cross.closed_ends(reach.arcs, reach.start, reach.end, profile) == (None, None)
    for profile in (PATROL, Profile.FUGITIVE):
        with pytest.raises(Unreachable):
            cross.travel(origin, target, profile)


def test_a_place_on_a_closed_road_is_reached_and_nobody_passes_through(cross: Roads) -> None:
    bridge = Closure(closure_id="C000001", arcs=(M_TO_E,))
    west, east = at(Stand(W_TO_M, 100.0)), at(Stand(F_TO_E, 100.0))
    bridge_west, bridge_east = at(Stand(M_TO_E, 120.0)), at(Stand(E_TO_M, 120.0))
    before = {
        (origin, target): cross.travel(origin, target, CAR)
        for origin, target in ((west, bridge_west), (east, bridge_east), (bridge_west, east))
    }
    cross.set_conditions(Conditions((bridge,)), 0, 12)
    # As fast as ever onto the closed bridge from both ends, and off it at the far end.
    for (origin, target), reach in before.items():
        assert cross.travel(origin, target, CAR) == reach
        route = cross.route(reach)
        assert route is not None
        assert route.travel_ms == reach.travel_ms
        assert sum(step.travel_ms for step in route.steps) == reach.travel_ms
    for origin, target in ((west, at(Stand(E_TO_F, 9.0))), (east, at(Stand(M_TO_N, 9.0)))):
        with pytest.raises(Unreachable, match="look at the closures"):
            cross.travel(origin, target, CAR)


def test_the_closed_stretches_of_a_way_are_told_with_their_streets(cross: Roads) -> None:
    bridge = Closure(closure_id="C000002", arcs=(M_TO_E, M_TO_W))
    market = Closure(closure_id="C000001", arcs=(M_TO_N, M_TO_E))
    fair = Closure(closure_id="C000003", arcs=(M_TO_N,), emergency_exempt=True)
    cross.set_conditions(Conditions((bridge, market, fair)), 0, 12)

    def ends(origin: Snap, target: Snap, profile: Profile = CAR) -> ClosedEnds:
        reach = cross.travel(origin, target, profile)
        return cross.closed_ends(reach.arcs, reach.start, reach.end, profile)

    south, north, east = at(Stand(S_TO_M, 9.0)), at(Stand(M_TO_N, 50.0)), at(Stand(E_TO_F, 9.0))
    first, last = ends(south, north)
    assert (first, last) == (None, ClosedStretch(50.0, ("宝庆路",), ("C000001",)))
    # The fair bars a patrol too.
    _, last = ends(south, north, PATROL)
    assert last is not None
    assert last.closure_ids == ("C000001", "C000003")
    first, last = ends(at(Stand(M_TO_E, 60.0)), east)
    assert first is not None
    assert last is None
    assert first.length_m == pytest.approx(float(cross.graph.arc_length_m[M_TO_E]) - 60.0)
    assert (first.roads, first.closure_ids) == (("红旗路",), ("C000001", "C000002"))
    # A way that is closed as a whole ends closed.
    first, last = ends(at(Stand(M_TO_E, 60.0)), at(Stand(M_TO_E, 100.0)))
    assert (first, last) == (None, ClosedStretch(40.0, ("红旗路",), ("C000001", "C000002")))
    assert ends(south, at(Stand(M_TO_S, 9.0))) == (None, None)


def test_timed_closures_begin_and_end_with_advance(cross: Roads) -> None:
    hour_ms = 3_600_000
    bridge = Closure(closure_id="bridge", arcs=(M_TO_E,), from_ms=100, until_ms=hour_ms + 7)
    hours = DailyHours(from_minute=7 * 60, until_minute=9 * 60)
    rush = Closure(closure_id="rush", arcs=(W_TO_M,), direction=Direction.FORWARD, daily=(hours,))
    cross.set_conditions(Conditions((bridge, rush)), 0, 6)
    west, north, east = at(Stand(M_TO_W, 290.0)), at(Stand(N_TO_M, 0.0)), at(Stand(E_TO_F, 9.0))

    def open_roads() -> tuple[bool, bool]:
        found = []
        for origin, target in ((north, east), (west, north)):
            fleet = cross.new_fleet(1)
            fleet.place(0, CAR, origin.stands)
            found.append(bool(cross.nearest(target, fleet, k=1)))
        return found[0], found[1]

    assert open_roads() == (True, True)
    assert cross.next_change_ms == 100
    assert cross.advance(100, 6)
    assert open_roads() == (False, True)
    assert cross.next_change_ms == hour_ms
    assert cross.advance(hour_ms, 7)
    assert open_roads() == (False, False)
    assert cross.next_change_ms == hour_ms + 7
    assert cross.advance(hour_ms + 7, 7)
    assert open_roads() == (True, False)
    version = cross.conditions_version
    assert not cross.advance(hour_ms + 8, 7)
    assert cross.conditions_version == version


def test_the_hour_changes_the_speeds_of_those_on_call(cross: Roads) -> None:
    origin, target = at(Stand(W_TO_M, 0.0)), at(Stand(M_TO_E, 200.0))
    noon_ms = cross.travel(origin, target, CAR).travel_ms
    assert cross.advance(0, 18)
    assert cross.travel(origin, target, CAR).travel_ms > noon_ms
    assert cross.advance(0, 12)
    assert cross.travel(origin, target, CAR).travel_ms == noon_ms
    assert not cross.advance(0, 13)


def test_an_unknown_way_changes_nothing(cross: Roads) -> None:
    with pytest.raises(UnknownRoad, match="way 999"):
        cross.set_conditions(Conditions((Closure(closure_id="x", way_ids=(999,)),)), 0, 12)
    factor = SpeedFactor(factor_id="x", factor=0.5, arcs=(99,))
    with pytest.raises(UnknownRoad, match="arcs 99"):
        cross.set_conditions(Conditions(speed_factors=(factor,)), 0, 12)
    assert cross.conditions_version == 0
    assert cross.conditions == Conditions()


def test_factors_multiply_and_do_not_open_what_is_closed(cross: Roads) -> None:
    origin, target = at(Stand(W_TO_M, 0.0)), at(Stand(W_TO_M, 299.0))
    whole_ms = cross.travel(origin, target, PATROL).travel_ms
    factors = (
        SpeedFactor(factor_id="rain", factor=0.5),
        SpeedFactor(factor_id="crowd", factor=0.5, road_class="residential"),
        SpeedFactor(factor_id="escort", factor=2.0, way_ids=(12,)),
    )
    cross.set_conditions(Conditions(speed_factors=factors), 0, 12)
    assert cross.travel(origin, target, PATROL).travel_ms == pytest.approx(4 * whole_ms, abs=3)
    closure = Closure(closure_id="x", arcs=(W_TO_M,), direction=Direction.FORWARD)
    slow_ms = cross.travel(origin, target, PATROL).travel_ms
    cross.set_conditions(Conditions((closure,), factors), 0, 12)
    with pytest.raises(Unreachable):
        cross.travel(at(Stand(M_TO_W, 290.0)), at(Stand(M_TO_N, 9.0)), PATROL)
    # Where a closed road may be driven, at the end of a way, it is as slow as it would be.
    assert cross.travel(origin, target, PATROL).travel_ms == slow_ms


def test_a_motorcycle_goes_where_no_car_may() -> None:
    nodes = [(0.0, 0.0), (200.0, 0.0), (400.0, 0.0)]
    lane = Street(start=1, end=2, flags=ArcFlag.NO_CAR)
    roads = Roads(build_graph(nodes, [Street(start=0, end=1), lane]))
    origin, target = at(Stand(0, 0.0)), at(Stand(2, 100.0))
    assert roads.travel(origin, target, MOTORCYCLE).arcs == (0, 2)
    with pytest.raises(Unreachable):
        roads.travel(origin, target, CAR)


def test_areas_grow_with_time_and_follow_the_streets() -> None:
    roads = Roads(grid_graph(15, 15))
    origin = roads.snap(*point(710.0, 703.0))
    small, medium, large = roads.isochrones(origin, [20, 60, 120], CAR)
    assert small.within(medium)
    assert medium.within(large)
    assert small.contains(Point(origin.snapped_lon, origin.snapped_lat))
    for east, north in ((700.0, 350.0), (350.0, 700.0), (900.0, 900.0), (1400.0, 700.0)):
        place = roads.snap(*point(east, north))
        travel_s = roads.travel(origin, place, CAR).travel_ms / 1000
        for limit_s, area in ((20, small), (60, medium), (120, large)):
            if travel_s < limit_s:
                assert area.contains(Point(place.lon, place.lat))
            elif travel_s > limit_s + 15:
                assert not area.contains(Point(place.lon, place.lat))


def test_a_place_on_a_closed_street_has_a_small_area(cross: Roads) -> None:
    cross.set_conditions(Conditions((Closure(closure_id="x", way_ids=(11,)),)), 0, 12)
    (area,) = cross.isochrones(at(Stand(W_TO_M, 100.0)), [60], CAR)
    assert area.area > 0


def test_entry_times_end_at_the_limit(cross: Roads) -> None:
    entry_ms = cross.entry_ms(at(Stand(W_TO_M, 290.0)), CAR, 20)
    assert entry_ms[M_TO_E] < 5_000
    assert entry_ms[E_TO_M] == CLOSED_MS


def test_a_limit_leaves_out_who_comes_too_late(cross: Roads) -> None:
    fleet = cross.new_fleet(2)
    fleet.place(0, CAR, [Stand(W_TO_M, 200.0)])
    fleet.place(1, CAR, [Stand(W_TO_M, 200.0)], extra_ms=60_000)
    target = at(Stand(M_TO_E, 9.0))
    assert [reach.slot for reach in cross.nearest(target, fleet, k=2)] == [0, 1]
    assert [reach.slot for reach in cross.nearest(target, fleet, k=2, max_s=60)] == [0]
    nobody = np.zeros(2, dtype=np.bool_)
    assert cross.nearest(target, fleet, k=2, eligible=nobody) == []
    only_second = np.array([False, True])
    assert [r.slot for r in cross.nearest(target, fleet, k=2, eligible=only_second)] == [1]


def test_threads_get_the_answers_of_one(cross: Roads) -> None:
    roads = Roads(grid_graph(20, 20), python_twin=not cross.compiled)
    rng = np.random.default_rng(4)
    fleet = roads.new_fleet(40)
    for slot in range(40):
        place = roads.snap(*point(*rng.uniform(0, 1900, 2)))
        fleet.place(slot, (CAR, MOTORCYCLE)[slot % 2], place.stands, int(rng.integers(0, 9000)))
    targets = [roads.snap(*point(*rng.uniform(0, 1900, 2))) for _ in range(60)]
    alone = [roads.nearest(target, fleet, k=5) for target in targets]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda t: roads.nearest(t, fleet, k=5), targets * 2))
    assert together == alone * 2
