"""The searches against brute force, on the streets of Porto."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routing.graph import RoadGraph
from routing.osm.importer import import_network
from tests.exact_questions import check, mismatches, on_closed_roads

pytestmark = pytest.mark.shared

LONG = bool(os.environ.get("KUAIJING_LONG"))
UNITS = 14 if LONG else 3
"""Brute force takes two seconds a unit and profile; questions cost it nothing."""


@pytest.fixture(scope="module")
def porto(porto_pbf: Path) -> RoadGraph:
    return import_network(porto_pbf, allow_pieces=True)[0]


def test_a_thousand_questions_on_porto(porto: RoadGraph) -> None:
    assert mismatches(porto, queries=1000, units=UNITS, seed=3) == 0


def test_five_hundred_questions_on_closed_roads_of_porto(porto: RoadGraph) -> None:
    units = 6 if LONG else 2
    check(on_closed_roads(porto, scenes=1, questions=500, units=units, seed=13), questions=500)
