"""What the load's judge finds in a log: each fault that it is there for."""

from __future__ import annotations

from typing import Any

import pytest

from api.bench.load.log_check import LogCheck, checked


def log(*events: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"seq": nth, "type": kind, **more} for nth, (kind, more) in enumerate(events, start=1)]


def received(incident_id: str) -> tuple[str, dict[str, Any]]:
    return "incident_received", {"incident_id": incident_id}


def sent(assignment_id: str, unit_id: str = "C1") -> tuple[str, dict[str, Any]]:
    return "unit_dispatched", {"assignment_id": assignment_id, "unit_id": unit_id}


def ended(assignment_id: str, kind: str, unit_id: str = "C1") -> tuple[str, dict[str, Any]]:
    return f"assignment_{kind}", {"assignment_id": assignment_id, "unit_id": unit_id}


def test_a_sound_log_has_no_faults() -> None:
    events = log(
        received("I1"), sent("A1"), ended("A1", "cleared"), received("I2"), sent("A2"),
        ended("A2", "declined"), sent("A3", "C2"), sent("A4"),
    )  # fmt: skip
    found = checked(events, ["I1", "I2"])
    assert (found.events, found.faults) == (8, 0)


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        (log(received("I2")), "lost"),
        (log(received("I1"), received("I1")), "doubled"),
        (log(received("I1"), sent("A1"))[1:] + log(received("I1")), "gaps"),
        (log(received("I1"), sent("A1"), sent("A2")), "double_assignments"),
        # The end of another order frees nobody.
        (log(received("I1"), sent("A1"), ended("A0", "cleared"), sent("A2")), "double_assignments"),
    ],
)
def test_each_fault_is_found(events: list[dict[str, Any]], fault: str) -> None:
    found: LogCheck = checked(events, ["I1"])
    assert getattr(found, fault) > 0
