"""Every number of a recommendation, checked by another program on the exported roads."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from tests.scenarios.http.client import Json
from tests.scenarios.http.street_map import LONELY_MOVING_M, Stand, StreetMap
from tests.scenarios.http.town import Town

PROFILE = {"motorcycle": "motorcycle", "response_car": "response_car"}
WITHIN_S = 0.02
"""Whole milliseconds on both ends of a way, and a centimetre of rounding in the coordinates."""

CENTRE = (111.467, 27.239)
UNITS, INCIDENTS = 12, 12
STORY_PLATFORMS = ("P01", "P02", "P03", "P07")


def test_travel_times_of_all_candidates_are_those_of_an_independent_search(
    town: Town, street_map: StreetMap
) -> None:
    chance = Random(20260101)
    area = town.city_area
    # A unit cannot be put anywhere twice: those of other stories are left to them.
    able = [
        one
        for one in town.units_of(area)
        if one["kind"] in PROFILE and one["platform_id"] not in STORY_PLATFORMS
    ]
    units = chance.sample(able, UNITS)
    town.only_on_duty(area, [one["id"] for one in units])
    found = street_map.streets(chance, around=CENTRE, within_m=6_000.0)
    streets = (one for one in found if street_map.is_lonely(one, within_m=LONELY_MOVING_M))
    stands: dict[str, list[Stand]] = {}
    for nth, unit in enumerate(units):
        number = next(streets)
        stands[unit["id"]] = place_unit(town, street_map, unit, number, moving=nth % 2 == 0)

    seen = 0
    for number in islice(streets, INCIDENTS):
        answer = recommend(town, street_map, number)
        # Nobody is nearer than said, or as near as said: farther need not be looked.
        farthest_s = max(one["travel_s"] for one in answer["candidates"]) + 1.0
        searches = {
            profile: street_map.search(profile, street_map.stands(number), at_most=farthest_s)
            for profile in PROFILE.values()
        }
        assert {one["unit_id"] for one in answer["candidates"]} == stands.keys()
        for one in answer["candidates"]:
            truth_s = searches[PROFILE[one["kind"]]](stands[one["unit_id"]])
            assert one["travel_s"] == pytest.approx(truth_s, abs=WITHIN_S), (number, one)
            seen += 1
        etas = [one["eta_s"] for one in answer["candidates"]]
        assert etas == sorted(etas)
        assert answer["chosen"] == [answer["candidates"][0]["unit_id"]]
    assert seen == UNITS * INCIDENTS


def place_unit(
    town: Town, street_map: StreetMap, unit: Json, number: int, *, moving: bool
) -> list[Stand]:
    """Put a unit in the middle of a street, driving along it or parked; returns its stands."""
    arc = street_map.arcs[number]
    lon, lat = arc.point(0.5)
    if moving:
        town.fix(unit["id"], lon, lat, heading=arc.heading_deg, speed_mps=8.0)
        return [(number, 0.5)]
    town.fix(unit["id"], lon, lat, speed_mps=0.0)
    return street_map.stands(number)


def recommend(town: Town, street_map: StreetMap, number: int) -> Json:
    """A recommendation for an incident in the middle of a street."""
    lon, lat = street_map.arcs[number].point(0.5)
    body = {
        "location": {"lon": lon, "lat": lat},
        "category": "dispute",
        "required": {"any": 1},
        "k": UNITS,
    }
    answer: Json = town.desk.post("/v1/recommendations", body, expect=200).json()
    return answer


def test_the_export_is_of_the_network_that_is_served(
    town: Town, street_map: StreetMap, stand_in_network: object
) -> None:
    from tests.scenarios.http.process import kuaijing  # noqa: PLC0415

    body = {"location": town.home(town.city_area), "category": "dispute"}
    answer = town.desk.post("/v1/recommendations", body, expect=200).json()
    info = kuaijing("roads", "info", str(stand_in_network), "--json")
    assert answer["road_version"] in info.stdout
