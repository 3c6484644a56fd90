"""The board's closures and speed factors on the roads of today, also after a change of network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dispatch.board import Board
from dispatch.facts import DailyHours
from dispatch.resources import Closure, SpeedFactor
from dispatch.whereabouts.road_conditions import RoadConditions
from dispatch.words import ClosureId, Direction, SpeedFactorId, UnixMs
from routing.roads import Roads
from tests.shell_town import START_MS, make_city, make_roads

NOW = UnixMs(START_MS)


def closure(roads: Roads, **changes: object) -> Closure:
    fields: dict[str, object] = {
        "closure_id": ClosureId("C000001"),
        "arcs": (0,),
        "way_ids": (100,),
        "direction": Direction.BOTH,
        "from_ms": NOW,
        "road_version": roads.road_version,
    }
    return Closure(**(fields | changes))  # type: ignore[arg-type]


def factor(roads: Roads, **changes: object) -> SpeedFactor:
    fields: dict[str, object] = {
        "factor_id": SpeedFactorId("F000001"),
        "factor": 0.5,
        "from_ms": NOW,
        "road_version": roads.road_version,
    }
    return SpeedFactor(**(fields | changes))  # type: ignore[arg-type]


def closed_arcs(roads: Roads, one: Closure) -> set[int]:
    RoadConditions(roads, make_city()).apply(Board(closures={one.closure_id: one}), NOW)
    found = roads.conditions.closures
    return set(roads.closed_arcs(found[0])) if found else set()


def test_only_the_directed_arcs_that_were_resolved_are_shut() -> None:
    roads = make_roads()
    assert closed_arcs(roads, closure(roads)) == {0}


def test_on_a_new_network_the_ways_are_shut_and_unknown_ones_left_out() -> None:
    roads = make_roads()
    old = closure(roads, arcs=(7_777,), way_ids=(100, 424_242), road_version="of last year")
    assert closed_arcs(roads, old) == set(roads.arcs_of_way(100))


def test_a_closure_without_any_way_of_this_network_closes_nothing() -> None:
    roads = make_roads()
    old = closure(roads, arcs=(3,), way_ids=(), road_version="of last year")
    assert closed_arcs(roads, old) == set()


def test_a_factor_on_an_area_slows_the_roads_that_begin_in_it() -> None:
    roads, city = make_roads(), make_city()
    one = factor(roads, area_id="city", road_class="tertiary")
    RoadConditions(roads, city).apply(Board(speed_factors={one.factor_id: one}), NOW)
    (applied,) = roads.conditions.speed_factors
    assert applied.road_class is None
    assert len(applied.arcs) == np.count_nonzero(roads.graph.arc_class == 8)
    gone = replace(one, area_id="no such area")
    RoadConditions(roads, city).apply(Board(speed_factors={one.factor_id: gone}), NOW)
    assert roads.conditions.speed_factors == ()


def test_timed_closures_begin_and_end_by_themselves() -> None:
    roads = make_roads()
    conditions = RoadConditions(roads, make_city())
    one = closure(roads, from_ms=UnixMs(NOW + 5_000), until_ms=UnixMs(NOW + 9_000))
    conditions.apply(Board(closures={one.closure_id: one}), NOW)
    shut = []
    for second in range(12):
        conditions.advance(UnixMs(NOW + second * 1000))
        shut.append(bool(roads.effective_conditions.closures))
    assert shut == [5 <= second < 9 for second in range(12)]


def test_the_time_of_day_is_that_of_the_city_to_the_minute() -> None:
    conditions = RoadConditions(make_roads(), make_city())
    assert conditions.local_time(NOW) == (8, 0)
    assert conditions.local_time(UnixMs(NOW + 29 * 60_000 + 59_999)) == (8, 29)
    in_india = RoadConditions(make_roads(), replace(make_city(), timezone="Asia/Kolkata"))
    assert in_india.local_time(NOW) == (5, 30)


def test_what_changed_is_told_for_the_recheck() -> None:
    roads = make_roads()
    conditions = RoadConditions(roads, make_city())
    one = closure(roads, arcs=(4, 5))
    shut = Board(closures={one.closure_id: one})
    assert conditions.apply(shut, NOW) == {4, 5}
    slow = factor(roads)
    assert conditions.apply(replace(shut, speed_factors={slow.factor_id: slow}), NOW) == set()
    assert conditions.apply(Board(), NOW) == {4, 5}


def test_a_closure_that_does_not_hold_yet_changes_nothing_until_it_does() -> None:
    roads = make_roads()
    conditions = RoadConditions(roads, make_city())
    noon = DailyHours(from_minute=12 * 60, until_minute=12 * 60 + 30)
    one = closure(roads, arcs=(4, 5), daily=(noon,))
    assert conditions.apply(Board(closures={one.closure_id: one}), NOW) == set()
    told = {
        minute: conditions.advance(UnixMs(NOW + minute * 60_000)) for minute in range(4 * 60 + 45)
    }
    assert {minute: arcs for minute, arcs in told.items() if arcs} == {
        4 * 60: {4, 5},
        4 * 60 + 30: {4, 5},
    }


def test_a_closure_that_contradicts_itself_keeps_nobody_from_the_others() -> None:
    roads = make_roads()
    good = closure(roads, closure_id=ClosureId("C000002"), arcs=(3,))
    bad = closure(roads, until_ms=UnixMs(NOW - 1))
    board = Board(closures={bad.closure_id: bad, good.closure_id: good})
    RoadConditions(roads, make_city()).apply(board, NOW)
    assert [one.closure_id for one in roads.conditions.closures] == ["C000002"]
