"""Signals and barriers on nodes."""

from __future__ import annotations

import pytest

from routing.osm.node_tags import Barrier, Signal, read_barrier, read_signal


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "traffic_signals"}, Signal.FORWARD | Signal.BACKWARD),
        ({"highway": "traffic_signals", "traffic_signals:direction": "forward"}, Signal.FORWARD),
        ({"highway": "traffic_signals", "direction": "backward"}, Signal.BACKWARD),
        ({"highway": "crossing", "crossing": "traffic_signals"}, 0),
        ({}, 0),
    ],
)
def test_signal(tags: dict[str, str], expected: int) -> None:
    assert read_signal(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, Barrier.NONE),
        ({"barrier": "gate"}, Barrier.NONE),
        ({"barrier": "toll_booth"}, Barrier.NONE),
        ({"barrier": "lift_gate", "access": "private"}, Barrier.EXCEPT_EMERGENCY),
        ({"barrier": "gate", "access": "no"}, Barrier.EVERYBODY),
        ({"barrier": "gate", "access": "no", "emergency": "yes"}, Barrier.EXCEPT_EMERGENCY),
        ({"barrier": "gate", "locked": "yes"}, Barrier.EVERYBODY),
        ({"barrier": "bollard"}, Barrier.EVERYBODY),
        ({"barrier": "bollard", "access": "yes"}, Barrier.EVERYBODY),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, Barrier.NONE),
        ({"barrier": "bollard", "motor_vehicle": "private"}, Barrier.EXCEPT_EMERGENCY),
        ({"barrier": "bollard", "emergency": "yes"}, Barrier.EXCEPT_EMERGENCY),
        ({"barrier": "jersey_barrier"}, Barrier.EVERYBODY),
    ],
)
def test_barrier(tags: dict[str, str], expected: Barrier) -> None:
    assert read_barrier(tags) is expected
