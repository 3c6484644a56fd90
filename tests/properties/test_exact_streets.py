"""The searches against brute force, on the streets of Helsinki."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from routing.conditions import Conditions, SpeedFactor
from routing.graph import RoadGraph
from routing.osm.importer import import_network
from routing.roads import Roads
from routing.speeds import Profile, arc_milliseconds
from tests.brute_force import HOUR, place_of
from tests.exact_questions import check, mismatches, on_closed_roads, random_stands


@pytest.fixture(scope="module")
def helsinki(helsinki_pbf: Path) -> RoadGraph:
    return import_network(helsinki_pbf, allow_pieces=True)[0]


def test_a_thousand_questions_on_helsinki(helsinki: RoadGraph) -> None:
    assert mismatches(helsinki, queries=1000, units=60, seed=1) == 0
    assert mismatches(helsinki, queries=200, units=60, seed=2, twin=True) == 0


def test_six_hundred_questions_on_closed_roads_of_helsinki(helsinki: RoadGraph) -> None:
    check(on_closed_roads(helsinki, scenes=6, questions=100, units=15, seed=11), questions=600)
    twin = on_closed_roads(helsinki, scenes=2, questions=60, units=15, seed=12, twin=True)
    check(twin, questions=120)


def test_a_slow_down_is_part_of_the_way_and_gone_when_lifted(helsinki: RoadGraph) -> None:
    roads = Roads(helsinki)
    rng = np.random.default_rng(5)
    start, end = (place_of(random_stands(helsinki, rng, heading=False)) for _ in range(2))
    before = roads.travel(start, end, Profile.PATROL)
    half = Conditions(speed_factors=(SpeedFactor(factor_id="ice", factor=0.5),))
    roads.set_conditions(half, 0, HOUR)
    arcs_ms = sum(arc_milliseconds(helsinki, Profile.PATROL, HOUR)[list(before.arcs)])
    assert roads.travel(start, end, Profile.PATROL).travel_ms > before.travel_ms
    assert roads.travel(start, end, Profile.PATROL).travel_ms <= before.travel_ms + arcs_ms + 1
    roads.set_conditions(Conditions(), 0, HOUR)
    assert roads.travel(start, end, Profile.PATROL) == before
