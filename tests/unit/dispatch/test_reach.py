"""Road times of the units: from their fixes, in the core's order, only for those who may go."""

from __future__ import annotations

import pytest

from dispatch.whereabouts.positions import Fix, Positions
from dispatch.whereabouts.reach import UnitRoads, profile_of
from dispatch.words import UnitId, UnixMs
from platforms.categories import UnitKind
from routing.conditions import Closure, Conditions
from routing.speeds import Profile
from tests.road_graphs import point
from tests.shell_town import SPAN_M, START_MS, make_city, make_roads, place_at

NOW = UnixMs(START_MS)
EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)


def town() -> tuple[UnitRoads, Positions]:
    city = make_city()
    positions = Positions((UnitId(unit.unit_id) for unit in city.units), bounds=EVERYWHERE)
    return UnitRoads(make_roads(), city, positions, lambda: NOW), positions


def a_fix(unit: str, east_m: float, north_m: float, **changes: float) -> Fix:
    lon, lat = point(east_m, north_m)
    return Fix(unit_id=UnitId(unit), lon=lon, lat=lat, at_ms=NOW, **changes)  # type: ignore[arg-type]


def test_a_unit_without_a_fix_stands_at_its_platform() -> None:
    roads, _ = town()
    reach = roads.travel(UnitId("P01-C1"), place_at(400, 0))
    assert reach is not None
    assert reach.distance_m == pytest.approx(400, abs=1)
    assert reach.position_age_s is None


def test_a_fix_moves_the_unit_for_the_next_question() -> None:
    roads, positions = town()
    before = roads.travel(UnitId("P04-C1"), place_at(400, 0))
    positions.accept([a_fix("P04-C1", 450, 0)], NOW)
    after = roads.travel(UnitId("P04-C1"), place_at(400, 0))
    assert before is not None
    assert after is not None
    assert after.distance_m == pytest.approx(50, abs=2)
    assert after.travel_s < before.travel_s
    assert after.straight_line_m == pytest.approx(50, abs=2)
    assert after.position_age_s == 0.0


def test_units_are_ordered_by_turnout_plus_travel_and_ties_by_id() -> None:
    roads, _ = town()
    ids = [UnitId(f"P0{number}-C1") for number in (4, 3, 2, 1)]
    # In the middle of the town, nearly equally far from all four corners.
    middle = place_at(SPAN_M / 2, SPAN_M / 2 - 100)
    reaches = roads.nearest(middle, dict.fromkeys(ids, 20.0), k=4)
    keys = [(round(one.travel_s * 1000), one.unit_id) for one in reaches]
    assert keys == sorted(keys)
    assert len(reaches) == 4
    # A turn-out that is long enough turns the order round.
    slow = dict.fromkeys(ids, 20.0) | {reaches[0].unit_id: 500.0}
    assert roads.nearest(middle, slow, k=4)[-1].unit_id == reaches[0].unit_id
    assert roads.nearest(middle, dict.fromkeys(ids, 20.0), k=4) == reaches


def test_only_units_that_may_go_are_answered() -> None:
    roads, _ = town()
    at_the_door = place_at(10, 0)
    reaches = roads.nearest(at_the_door, {UnitId("P04-M1"): 0.0, UnitId("nobody"): 0.0}, k=5)
    assert [one.unit_id for one in reaches] == ["P04-M1"]
    assert list(roads.nearest(at_the_door, {}, k=5)) == []


def test_a_unit_far_from_any_road_is_left_out_until_it_comes_back() -> None:
    roads, positions = town()
    positions.accept([a_fix("P01-C1", -3_000, 0)], NOW)
    assert roads.travel(UnitId("P01-C1"), place_at(400, 0)) is None
    later = Fix(
        unit_id=UnitId("P01-C1"),
        lon=point(0, 0)[0],
        lat=point(0, 0)[1],
        at_ms=UnixMs(NOW + 60_000),
    )
    positions.accept([later], UnixMs(NOW + 60_000))
    assert roads.travel(UnitId("P01-C1"), place_at(400, 0)) is not None


def test_a_moving_unit_goes_on_along_its_way() -> None:
    roads, positions = town()
    # It drives east at the middle of a block; the place is 50 m behind it.
    east = {"speed_mps": 10.0, "heading_deg": 90.0}
    positions.accept([a_fix("P01-C1", 300, 0, **east)], NOW)
    driving = roads.travel(UnitId("P01-C1"), place_at(250, 0))
    parked = {"speed_mps": 0.5, "heading_deg": 90.0}
    positions.accept([a_fix("P02-C1", 300, 0, **parked)], NOW)
    standing = roads.travel(UnitId("P02-C1"), place_at(250, 0))
    assert driving is not None
    assert standing is not None
    assert standing.distance_m == pytest.approx(50, abs=2)
    assert driving.distance_m == pytest.approx(250, abs=2)


def close(roads: UnitRoads, *arcs: int) -> None:
    closure = Closure(closure_id="C000007", arcs=arcs)
    roads.roads.set_conditions(Conditions((closure,)), NOW, 12)


def test_a_unit_drives_on_over_a_street_that_is_closed_beneath_it() -> None:
    roads, positions = town()
    east = {"speed_mps": 10.0, "heading_deg": 90.0}
    positions.accept([a_fix("P01-C1", 250, 0, **east)], NOW)
    before = roads.travel(UnitId("P01-C1"), place_at(500, 0))
    assert before is not None
    assert (before.closed_first, before.closed_last) == (None, None)
    close(roads, before.arcs[0])
    after = roads.travel(UnitId("P01-C1"), place_at(500, 0))
    assert after is not None
    assert (after.travel_s, after.arcs) == (before.travel_s, before.arcs)
    assert after.closed_last is None
    assert after.closed_first is not None
    assert after.closed_first.length_m == pytest.approx(150, abs=1)
    assert (after.closed_first.roads, after.closed_first.closure_ids) == (("R0",), ("C000007",))


def test_a_unit_comes_to_a_place_on_a_closed_street() -> None:
    roads, _ = town()
    before = roads.travel(UnitId("P01-C1"), place_at(470, 0))
    assert before is not None
    close(roads, before.arcs[-1])
    after = roads.travel(UnitId("P01-C1"), place_at(470, 0))
    assert after is not None
    assert (after.travel_s, after.arcs) == (before.travel_s, before.arcs)
    assert after.closed_last is not None
    assert after.closed_last.length_m == pytest.approx(70, abs=1)


def test_nobody_has_a_way_to_a_place_that_the_network_does_not_know() -> None:
    roads, _ = town()
    assert roads.travel(UnitId("P01-C1"), place_at(-9_000, 0)) is None


def test_motorcycles_ride_and_all_others_drive() -> None:
    assert profile_of(UnitKind.MOTORCYCLE) is Profile.MOTORCYCLE
    assert profile_of(UnitKind.COMMAND_VEHICLE) is Profile.RESPONSE_CAR


def test_moved_units_are_put_on_the_road_a_few_at_a_time() -> None:
    roads, positions = town()
    positions.accept([a_fix(f"P0{n}-C1", 100 * n, 0) for n in (1, 2, 3)], NOW)
    assert roads.settle(2)
    assert not roads.settle(2)
