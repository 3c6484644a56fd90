"""Closures and speed factors of another network, on the roads of today."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch.facts import Stretch
from dispatch.resources import Closure, SpeedFactor
from dispatch.whereabouts.fitting import NOTHING_KEPT, NOTHING_THERE, Fitted, Fitting
from dispatch.words import ClosureId, Direction, SpeedFactorId, UnixMs
from tests.road_graphs import point
from tests.two_banks import (
    BRIDGE_WAY,
    NEW_NORTHBOUND,
    NEW_SOUTHBOUND,
    NORTHBOUND,
    SOUTHBOUND,
    make_new_roads,
    make_roads,
    stretches,
)

OLD = make_roads()
NEW = make_new_roads()
BOTH_WAYS = tuple(sorted(NEW_SOUTHBOUND + NEW_NORTHBOUND))


def closure(*arcs: int, **fields: object) -> Closure:
    """A closure of the old network."""
    made: dict[str, object] = {
        "closure_id": ClosureId("C000001"),
        "arcs": arcs,
        "from_ms": UnixMs(0),
        "road_version": OLD.road_version,
    }
    return Closure(**(made | fields))  # type: ignore[arg-type]


def test_on_its_own_network_a_closure_means_its_arcs_and_nothing_is_looked_for() -> None:
    assert Fitting(OLD).closure(closure(3)) == Fitted((3,))


@pytest.mark.parametrize(
    ("arcs", "expected"),
    [
        ((SOUTHBOUND,), NEW_SOUTHBOUND),
        ((NORTHBOUND,), NEW_NORTHBOUND),
        ((SOUTHBOUND, NORTHBOUND), BOTH_WAYS),
    ],
)
def test_edges_are_found_as_they_lay_in_their_direction(
    arcs: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    found = Fitting(NEW).closure(closure(*arcs, stretches=stretches(*arcs)))
    assert found == Fitted(tuple(sorted(expected)))


def test_edges_of_which_only_numbers_were_kept_are_named() -> None:
    assert Fitting(NEW).closure(closure(SOUTHBOUND)) == Fitted((), NOTHING_KEPT)


def test_edges_whose_street_is_gone_are_named_and_the_rest_is_shut() -> None:
    gone = make_new_roads(bridge=False)
    north_road = 0
    one = closure(SOUTHBOUND, north_road, stretches=stretches(SOUTHBOUND, north_road))
    found = Fitting(gone).closure(one)
    [arc] = found.arcs
    assert gone.graph.names[gone.graph.arc_name[arc]] == "北路"
    assert found.missing == f"1 of its 2 stretches, of way {BRIDGE_WAY}, lie on no road here"


def test_a_street_that_only_crosses_is_not_taken_for_one_that_is_gone() -> None:
    crossing = (point(-400, -50), point(-400, 50))
    lay = (Stretch(points=crossing, both_ways=True, way_id=7),)
    found = Fitting(NEW).closure(closure(0, stretches=lay))
    assert found.arcs == ()


def test_ways_that_are_still_there_are_taken_by_their_ids_and_the_others_as_they_lay() -> None:
    still_there = 500
    one = closure(
        SOUTHBOUND,
        0,
        way_ids=(still_there, BRIDGE_WAY),
        direction=Direction.FORWARD,
        stretches=stretches(SOUTHBOUND, 0),
    )
    found = Fitting(NEW).closure(one)
    [road] = NEW.arcs_of_way(still_there, direction=Direction.FORWARD)  # type: ignore[arg-type]
    assert found == Fitted(tuple(sorted((*NEW_SOUTHBOUND, road))))


def test_ways_that_are_gone_and_of_which_nothing_was_kept_are_named() -> None:
    one = closure(SOUTHBOUND, 0, way_ids=(500, BRIDGE_WAY, *range(1, 7)))
    found = Fitting(NEW).closure(one)
    assert found.arcs == NEW.arcs_of_way(500)
    assert found.missing == "this network has no way 501, way 1, way 2, way 3, way 4 and 2 more"


def test_what_was_drawn_is_found_as_it_was_drawn() -> None:
    drawn = (point(3, 390), point(-2, 10))
    one = closure(SOUTHBOUND, geometry=drawn, is_area=False, direction=Direction.FORWARD)
    assert Fitting(NEW).closure(one) == Fitted(tuple(sorted(NEW_SOUTHBOUND)))
    nowhere = replace(one, geometry=(point(5_000, 0), point(5_000, 100)))
    assert Fitting(NEW).closure(nowhere) == Fitted((), NOTHING_THERE)


def names(fitted: Fitted) -> set[str]:
    return {NEW.graph.names[NEW.graph.arc_name[arc]] for arc in fitted.arcs}


def ring(west: float, south: float, east: float, north: float) -> tuple[tuple[float, float], ...]:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return tuple(point(*corner) for corner in corners)


def test_an_area_means_the_roads_in_it_without_its_holes() -> None:
    area = closure(SOUTHBOUND, geometry=ring(-50, -20, 2_000, 450), is_area=True)
    all_roads = {"西湖桥", "东桥", "北岸路", "南岸路", "北路", "南路"}
    assert names(Fitting(NEW).closure(area)) == all_roads
    # The far bridge lies wholly in what is left out.
    holed = replace(area, holes=(ring(1_400, -10, 1_600, 420),))
    assert names(Fitting(NEW).closure(holed)) == all_roads - {"东桥"}


def test_a_line_drawn_round_a_block_is_no_area() -> None:
    block = ring(0, 0, 1_500, 400)
    line = closure(SOUTHBOUND, geometry=block, is_area=False)
    assert names(Fitting(NEW).closure(line)) == {"西湖桥", "东桥", "北岸路", "南岸路"}
    # Logs that did not say which it was meant an area by it.
    assert replace(line, is_area=None).encloses
    assert not line.encloses


def test_a_speed_factor_of_edges_is_found_too() -> None:
    one = SpeedFactor(
        factor_id=SpeedFactorId("F000001"),
        factor=0.5,
        arcs=(SOUTHBOUND,),
        stretches=stretches(SOUTHBOUND),
        from_ms=UnixMs(0),
        road_version=OLD.road_version,
    )
    assert Fitting(NEW).factor(one) == Fitted(tuple(sorted(NEW_SOUTHBOUND)))
    assert Fitting(OLD).factor(one) == Fitted((SOUTHBOUND,))
    assert Fitting(NEW).factor(replace(one, stretches=())).missing == NOTHING_KEPT
