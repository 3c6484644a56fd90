"""Roads, not straight lines: the river between, the bridge that is shut, the turn that is not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import inf
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from tests.scenarios.http.client import Json, eventually
from tests.scenarios.http.street_map import Point, StreetMap, straight_m
from tests.scenarios.http.town import Town

CAR = "response_car"
BIKE = "motorcycle"
CONFLUENCE = (111.4638, 27.2459)
BRIDGE = "西湖桥"
TRIES = 400
"""Streets looked at around the bridge."""


class AcrossTheRiver(NamedTuple):
    """Streets of the story: numbers of arcs."""

    incident: int
    over_the_water: int
    by_road: int


class OverTheBridge(NamedTuple):
    """Streets of the story: one unit needs the bridge, the other, farther off, does not."""

    incident: int
    beyond_the_bridge: int
    on_this_side: int
    bridge: tuple[int, ...]


def middle(street_map: StreetMap, number: int) -> Point:
    """The middle of a street."""
    return street_map.arcs[number].point(0.5)


def park(town: Town, street_map: StreetMap, unit_id: str, number: int) -> None:
    """Leave a unit standing in the middle of a street."""
    lon, lat = middle(street_map, number)
    town.fix(unit_id, lon, lat, speed_mps=0.0)


def weigh(town: Town, street_map: StreetMap, number: int, *, kind: str = CAR) -> Json:
    """Who would go to the middle of a street now."""
    lon, lat = middle(street_map, number)
    body = {"location": {"lon": lon, "lat": lat}, "category": "dispute", "required": {kind: 1}}
    answer: Json = town.desk.post("/v1/recommendations", body, expect=200).json()
    return answer


def cars(town: Town, platform_name: str, *, kind: str = CAR) -> list[str]:
    """The cars of a platform, or its units of another kind."""
    platform = next(one for one in town.platforms.values() if platform_name in one["name"])
    units = town.desk.items("/v1/units", platform=platform["id"])
    return [one["id"] for one in units if one["kind"] == kind]


@pytest.fixture(scope="session")
def across(street_map: StreetMap) -> AcrossTheRiver:
    """A place with one unit 250 m off over the water and one 900 m off by road."""
    streets = street_map.streets(Random(1), around=CONFLUENCE, within_m=8_000.0)
    bank = street_map.banks()
    numbers = np.array(streets)
    for incident in streets:
        if not street_map.is_lonely(incident):
            continue
        over_water = [
            one
            for one in street_map.around(incident, numbers, from_m=200.0, to_m=300.0)
            if bank[one] != bank[incident] and street_map.is_lonely(one)
        ]
        if not over_water:
            continue
        metres_by_road = street_map.search(
            CAR, street_map.stands(incident), by_length=True, at_most=9_000.0
        )
        far = [one for one in over_water if 1_800 < metres_by_road(street_map.stands(one)) < inf]
        near = [
            one
            for one in streets
            if 850 <= metres_by_road(street_map.stands(one)) <= 950 and street_map.is_lonely(one)
        ]
        if far and near:
            return AcrossTheRiver(incident, far[0], near[0])
    pytest.fail("the stand-in has no place where the river lies between near and far")


@pytest.fixture(scope="session")
def over(street_map: StreetMap) -> OverTheBridge:
    """A place whose fastest unit comes over the bridge, and the runner-up does not."""
    bridge = tuple(
        arc.number for arc in street_map.arcs if arc.name == BRIDGE and "bridge" in arc.flags
    )
    assert bridge, f"the stand-in has no {BRIDGE}"
    around = street_map.arcs[bridge[0]].start
    streets = street_map.streets(Random(2), around=around, within_m=2_500.0)
    lonely = [one for one in streets[:TRIES] if street_map.is_lonely(one)]
    for incident in sorted(lonely, key=lambda one: straight_m(around, middle(street_map, one))):
        target = street_map.stands(incident)
        now_s = street_map.search(CAR, target)
        then_s = street_map.search(CAR, target, closed=bridge)
        both = {one: (now_s(at), then_s(at)) for one in lonely if (at := street_map.stands(one))}
        for beyond, (usual_s, round_s) in both.items():
            if not 30 < usual_s < 400 or round_s < usual_s + 60:
                continue
            for other, (here_s, same_s) in both.items():
                if usual_s + 20 < here_s == same_s < round_s - 20:
                    return OverTheBridge(incident, beyond, other, bridge)
    pytest.fail(f"the stand-in has no two places of which one needs {BRIDGE}")


def test_250_m_over_the_water_lose_to_900_m_by_road(
    town: Town, street_map: StreetMap, across: AcrossTheRiver
) -> None:
    over_water, by_road = cars(town, "沿江桥")[:2]
    town.only_on_duty(town.city_area, [over_water, by_road])
    park(town, street_map, over_water, across.over_the_water)
    park(town, street_map, by_road, across.by_road)

    answer = weigh(town, street_map, across.incident)
    assert answer["chosen"] == [by_road]
    listed = {one["unit_id"]: one for one in answer["candidates"]}
    near, far = listed[over_water], listed[by_road]
    assert 200 <= near["straight_line_m"] <= 300
    assert near["distance_m"] > 1_800
    assert 800 <= far["distance_m"] <= 1_200
    assert near["travel_s"] > far["travel_s"] + 20
    truth_s = street_map.search(CAR, street_map.stands(across.incident))
    for one, number in ((near, across.over_the_water), (far, across.by_road)):
        assert one["travel_s"] == pytest.approx(truth_s(street_map.stands(number)), abs=0.02)


def test_a_shut_bridge_changes_who_is_sent_and_the_way_of_who_is_under_way(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    sent, twin = cars(town, "北塔2号")
    other = cars(town, "大祥3号")[0]
    town.only_on_duty(town.city_area, [sent, twin, other])
    for unit, number in (
        (sent, over.beyond_the_bridge),
        (twin, over.beyond_the_bridge),
        (other, over.on_this_side),
    ):
        park(town, street_map, unit, number)

    # Before: the unit from beyond the bridge goes, over the bridge.
    lon, lat = middle(street_map, over.incident)
    report = town.report({"lon": lon, "lat": lat}, required={CAR: 1})
    (order,) = report["assignments"]
    assert order["unit_id"] in (sent, twin)
    rest = ({sent, twin} - {order["unit_id"]}).pop()
    town.stamp(order, "depart")
    before = town.assignment(order["id"])
    assert BRIDGE in [step["road"] for step in before["route"]["steps"]]
    assert weigh(town, street_map, over.incident)["chosen"] == [rest]

    # The bridge is shut.
    seq = town.seq()
    ways = sorted({street_map.arcs[number].way for number in over.bridge})
    closure = town.desk.post(
        "/v1/roads/closures", {"way_ids": ways, "reason": "桥面检修"}, expect=201
    ).json()

    # The next decision already knows, and so does the crew under way.
    answer = weigh(town, street_map, over.incident)
    assert answer["chosen"] == [other]
    truth_s = street_map.search(CAR, street_map.stands(over.incident), closed=over.bridge)
    by_unit = {one["unit_id"]: one["travel_s"] for one in answer["candidates"]}
    assert by_unit[rest] == pytest.approx(
        truth_s(street_map.stands(over.beyond_the_bridge)), abs=0.02
    )
    after = eventually(
        lambda: (
            found
            if (found := town.assignment(order["id"]))["version"] > before["version"]
            else None
        ),
        within_s=1.0,
        what="the way is looked at again",
    )
    assert BRIDGE not in [step["road"] for step in after["route"]["steps"]]
    assert after["travel_s"] == pytest.approx(by_unit[rest], abs=0.02)
    assert after["eta_at"] > before["eta_at"]
    kinds = [one["type"] for one in town.events(seq)]
    assert kinds.count("road_closed") == 1
    assert "assignment_rechecked" in kinds
    inbox = town.crew(order["unit_id"]).get(f"/v1/units/{order['unit_id']}/inbox", wait=0).json()
    assert inbox["assignments"][0]["route"] == after["route"]

    # The bridge is open again: all as before.
    town.desk.delete(f"/v1/roads/closures/{closure['id']}", expect=200)
    assert weigh(town, street_map, over.incident)["chosen"] == [rest]
    again = eventually(
        lambda: (
            found if (found := town.assignment(order["id"]))["version"] > after["version"] else None
        ),
        within_s=1.0,
        what="the way is looked at once more",
    )
    assert BRIDGE in [step["road"] for step in again["route"]["steps"]]


def test_a_call_from_the_closed_bridge_is_answered_and_nobody_crosses_it(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    # Bikes, because the cars of these platforms are parked for other stories, and none can jump.
    near, across, on_it = cars(town, "北塔2号", kind=BIKE)[:3]
    span = max(over.bridge, key=lambda number: street_map.arcs[number].length_m)
    # The bridge is closed because of a crash on it, end to end and in both directions.
    ways = sorted({street_map.arcs[number].way for number in over.bridge})
    shut = {arc.number for arc in street_map.arcs if arc.way in ways}
    closure = town.desk.post(
        "/v1/roads/closures", {"way_ids": ways, "reason": "桥面事故"}, expect=201
    ).json()
    assert set(map(int, closure["edge_ids"])) == shut

    # Units on both banks come; each drives the closed bridge only as far as to the crash.
    town.only_on_duty(town.city_area, [near, across])
    park(town, street_map, near, over.incident)
    park(town, street_map, across, over.beyond_the_bridge)
    lon, lat = street_map.arcs[span].point(0.3)
    crash = street_map.stands(span, 0.3)
    truth_s = street_map.search(BIKE, crash, closed=shut)
    report = town.report({"lon": lon, "lat": lat}, category="traffic", required={BIKE: 1})
    (order,) = report["assignments"]
    weighed = {one["unit_id"]: one for one in report["recommendation"]["candidates"]}
    assert weighed.keys() == {near, across}
    for unit, number in ((near, over.incident), (across, over.beyond_the_bridge)):
        one = weighed[unit]
        assert one["travel_s"] == pytest.approx(truth_s(street_map.stands(number)), abs=0.02)
        assert re.search(rf"; the last \d+ m are closed: .*{closure['id']}", one["reason"])
    assert order["unit_id"] == min(weighed, key=lambda unit: weighed[unit]["travel_s"])
    assert weighed[order["unit_id"]]["reason"] in report["recommendation"]["why"]
    route = town.assignment(order["id"])["route"]
    end = route["geometry"]["coordinates"][-1]
    assert straight_m((end[0], end[1]), (lon, lat)) < 2.0
    assert 0 < route["closed_last_m"] <= sum(street_map.arcs[one].length_m for one in shut) / 2
    assert route["closed_first_m"] == 0

    # Who stands on the bridge may leave it at either end, and is the first at both.
    town.close_incident(report["incident"]["id"], release_units=True)
    town.only_on_duty(town.city_area, [on_it])
    park(town, street_map, on_it, span)
    for number in (over.incident, over.beyond_the_bridge):
        (one,) = weigh(town, street_map, number, kind=BIKE)["candidates"]
        out_s = street_map.search(BIKE, street_map.stands(number), closed=shut)
        assert one["unit_id"] == on_it
        assert one["travel_s"] == pytest.approx(out_s(street_map.stands(span)), abs=0.02)
        assert re.search(rf"; the first \d+ m are closed: .*{closure['id']}", one["reason"])


def test_a_unit_that_would_have_to_cross_the_closed_bridge_is_not_counted(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    here = cars(town, "北塔2号", kind=BIKE)[3]
    town.only_on_duty(town.city_area, [here])
    park(town, street_map, here, over.beyond_the_bridge)
    # With all bridges closed at once, the banks are cut off from each other.
    bank = street_map.banks()
    bridges = {arc.way for arc in street_map.arcs if "bridge" in arc.flags}
    assert bank[over.beyond_the_bridge] != bank[over.incident]
    closure = town.desk.post(
        "/v1/roads/closures", {"way_ids": sorted(bridges), "reason": "洪水"}, expect=201
    ).json()

    (short,) = weigh(town, street_map, over.incident, kind=BIKE)["shortfall"]
    assert "1 more are free but have no open road to the place" in short["why"]
    assert f"lift the closure that bars it ({closure['id']})" in short["why"]
    way = {
        "from": dict(zip(("lon", "lat"), middle(street_map, over.beyond_the_bridge), strict=True)),
        "to": dict(zip(("lon", "lat"), middle(street_map, over.incident), strict=True)),
        "profile": BIKE,
    }
    town.desk.post("/v1/routes", way, expect=422)
    # Onto the bridge it may go, to its far end.
    lon, lat = middle(street_map, over.bridge[0])
    onto = town.desk.post("/v1/routes", {**way, "to": {"lon": lon, "lat": lat}}, expect=200).json()
    assert onto["closed_last_m"] > 0


def test_a_closure_with_hours_begins_and_ends_by_itself(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    begins = datetime.now(UTC) + timedelta(seconds=1.5)
    ends = begins + timedelta(seconds=2.0)
    way = {
        "from": dict(zip(("lon", "lat"), middle(street_map, over.beyond_the_bridge), strict=True)),
        "to": dict(zip(("lon", "lat"), middle(street_map, over.incident), strict=True)),
        "profile": CAR,
    }

    def leads_over_the_bridge() -> bool:
        steps = town.desk.post("/v1/routes", way, expect=200).json()["steps"]
        return BRIDGE in [step["road"] for step in steps]

    body = {
        "way_ids": sorted({street_map.arcs[number].way for number in over.bridge}),
        "from": begins.isoformat().replace("+00:00", "Z"),
        "until": ends.isoformat().replace("+00:00", "Z"),
        "reason": "早高峰",
    }
    town.desk.post("/v1/roads/closures", body, expect=201)
    assert leads_over_the_bridge()
    eventually(lambda: not leads_over_the_bridge(), within_s=4.0, what="the closure begins")
    assert datetime.now(UTC) >= begins
    eventually(leads_over_the_bridge, within_s=4.0, what="the closure ends")
    assert datetime.now(UTC) >= ends


def test_a_closure_of_one_direction_leaves_the_other_open(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    here, there = (
        dict(zip(("lon", "lat"), middle(street_map, number), strict=True))
        for number in (over.beyond_the_bridge, over.incident)
    )
    to_incident = street_map.search(CAR, street_map.stands(over.incident))
    one_way = [
        number
        for number in over.bridge
        if street_map.search(CAR, street_map.stands(over.incident), closed=[number])(
            street_map.stands(over.beyond_the_bridge)
        )
        > to_incident(street_map.stands(over.beyond_the_bridge)) + 1.0
    ]
    town.desk.post("/v1/roads/closures", {"edge_ids": one_way, "direction": "forward"}, expect=201)

    def roads(start: Json, end: Json) -> list[str]:
        body = {"from": start, "to": end, "profile": CAR}
        steps = town.desk.post("/v1/routes", body, expect=200).json()["steps"]
        return [step["road"] for step in steps]

    assert BRIDGE not in roads(here, there)
    assert BRIDGE in roads(there, here)


def test_a_corrected_place_finds_the_way_anew(
    town: Town, street_map: StreetMap, over: OverTheBridge
) -> None:
    car = cars(town, "北塔2号")[0]
    town.only_on_duty(town.city_area, [car])
    lon, lat = middle(street_map, over.on_this_side)
    report = town.report({"lon": lon, "lat": lat}, required={CAR: 1})
    (order,) = report["assignments"]
    before = town.assignment(order["id"])
    lon, lat = middle(street_map, over.incident)
    version = town.incident(report["incident"]["id"])["version"]
    path = f"/v1/incidents/{report['incident']['id']}"
    moved = town.desk.patch(
        path, {"location": {"lon": lon, "lat": lat}}, expect=200, if_match=version
    ).json()
    assert moved["location"]["lon"] == pytest.approx(lon, abs=1e-6)
    after = town.assignment(order["id"])
    assert after["unit_id"] == car
    assert after["route"]["geometry"] != before["route"]["geometry"]
    end = after["route"]["geometry"]["coordinates"][-1]
    assert straight_m((end[0], end[1]), (lon, lat)) < 2.0
