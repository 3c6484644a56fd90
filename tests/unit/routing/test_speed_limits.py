"""Posted limits as OSM writes them."""

from __future__ import annotations

import pytest

from routing.osm.speed_limits import limits_kmh, parse_limit_kmh


@pytest.mark.parametrize(
    ("value", "expected_kmh"),
    [
        ("50", 50.0),
        ("50 km/h", 50.0),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("10 knots", 18.52),
        ("CN:urban", 50.0),
        ("CN:rural", 70.0),
        ("PT:motorway", 120.0),
        ("DE:zone:30", 30.0),
        ("zone:30", 30.0),
        ("walk", 7.0),
        ("50;30", 30.0),
        ("none", None),
        ("signals", None),
        ("0", None),
        ("-5", None),
        ("999", None),
        ("fast", None),
    ],
)
def test_one_value(value: str, expected_kmh: float | None) -> None:
    assert parse_limit_kmh(value) == pytest.approx(expected_kmh)


@pytest.mark.parametrize(
    ("tags", "expected_kmh"),
    [
        ({}, (0.0, 0.0)),
        ({"maxspeed": "60"}, (60.0, 60.0)),
        ({"maxspeed": "60", "maxspeed:forward": "40"}, (40.0, 60.0)),
        ({"maxspeed:backward": "40"}, (0.0, 40.0)),
        ({"source:maxspeed": "CN:urban"}, (50.0, 50.0)),
        ({"maxspeed": "60", "source:maxspeed": "CN:urban"}, (60.0, 60.0)),
        ({"maxspeed": "signals", "maxspeed:type": "CN:urban"}, (50.0, 50.0)),
    ],
)
def test_both_directions(tags: dict[str, str], expected_kmh: tuple[float, float]) -> None:
    assert limits_kmh(tags) == expected_kmh
