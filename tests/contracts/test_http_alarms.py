"""What is wrong is seen wherever somebody looks: list, snapshot, feed, metrics, the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.clock import now_ms
from api.settings import Settings
from dispatch.alarms import AlarmRules
from dispatch.words import AssignmentId, UnitId
from tests.contracts.http_town import HttpTown, Json, fix, served

SEEN_WITHIN_S = 30.0
"""Generous: the service looks each second, and the machine may be busy."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpTown]:
    """A town that watches itself, with short patience."""
    rules = AlarmRules(urgent_unattended_s=0.5, unacked_grace_s=0.0)
    folder = tmp_path_factory.mktemp("alarms") / "data"
    with served(folder, Settings(alarms=rules), watched=True) as town:
        yield town


def eventually(look: Callable[[], Any], what: str) -> Any:
    until_s = time.monotonic() + SEEN_WITHIN_S
    while time.monotonic() < until_s:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"within {SEEN_WITHIN_S} s not so: {what}")


def alarms(town: HttpTown, kind: str) -> list[Json]:
    items: list[Json] = town.client().get("/v1/alarms").json()["items"]
    return [one for one in items if one["kind"] == kind]


def metric(town: HttpTown, name: str) -> float:
    for line in town.client().get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no {name} among the metrics")


def test_a_device_whose_clock_runs_ahead_is_told_until_it_is_right(town: HttpTown) -> None:
    name = 'kuaijing_alarms{kind="device_clock_ahead"}'
    after = town.client().get("/v1/snapshot").json()["seq"]
    assert (alarms(town, "device_clock_ahead"), metric(town, name)) == ([], 0)

    def send(ahead_s: float) -> None:
        at = (datetime.now(UTC) + timedelta(seconds=ahead_s)).isoformat()
        reply = town.client().post("/v1/positions", json=[fix("P01-C1", 0, 0, at)])
        # Set right, it is behind its own last fix for a while.
        assert reply.json()["items"][0]["result"] == ("accepted" if ahead_s else "late"), reply.text

    send(20)
    (alarm,) = eventually(lambda: alarms(town, "device_clock_ahead"), "the alarm is raised")
    assert alarm["about"] == "P01-C1"
    assert "the clock of P01-C1's device runs" in alarm["why"]
    assert metric(town, name) == 1
    held = eventually(
        lambda: town.client().get("/v1/snapshot").json()["alarms"], "the snapshot shows it"
    )
    assert [one["about"] for one in held] == ["P01-C1"]
    send(0)
    eventually(lambda: not alarms(town, "device_clock_ahead"), "the alarm is cleared")

    def seen() -> list[Json]:
        items = town.client().get(f"/v1/events?after={after}").json()["items"]
        return [one for one in items if one["type"] in {"alarm_raised", "alarm_cleared"}]

    raised, cleared = eventually(lambda: seen() if len(seen()) == 2 else None, "both are events")
    assert (raised["type"], raised["kind"], raised["actor"]) == (
        "alarm_raised",
        "device_clock_ahead",
        "system",
    )
    assert raised["why"].partition(" runs ")[0] == alarm["why"].partition(" runs ")[0]
    assert (cleared["type"], cleared["about"]) == ("alarm_cleared", "P01-C1")
    assert cleared["lasted_s"] > 0


def test_a_grave_call_that_nobody_goes_to_is_told(town: HttpTown) -> None:
    made = town.report(0, 0, priority=1, dispatch="manual")
    number = made["incident"]["incident_no"]
    (alarm,) = eventually(lambda: alarms(town, "urgent_unattended"), "the alarm is raised")
    assert alarm["why"].startswith(f"{number}, priority 1: no unit goes to it, for ")
    town.quiet()
    eventually(lambda: not alarms(town, "urgent_unattended"), "the alarm is cleared")


def test_a_planted_second_order_for_a_unit_raises_the_alarm(
    town: HttpTown, capfd: pytest.CaptureFixture[str]
) -> None:
    made = town.report(200, 0, priority=3)
    order = made["assignments"][0]
    key = AssignmentId(order["id"])

    def plant() -> None:
        ledger = town.service.runner._ledger
        board = ledger.decided
        twin = replace(board.assignments[key], assignment_id=AssignmentId("A999999"))
        incident = board.incidents[twin.incident_id]
        known = replace(incident, assignment_ids=(*incident.assignment_ids, twin.assignment_id))
        harmed = replace(
            board,
            assignments={**board.assignments, twin.assignment_id: twin},
            incidents={**board.incidents, known.incident_id: known},
        )
        ledger.decided = ledger.durable = harmed

    town.loop.call_soon_threadsafe(plant)
    (alarm,) = eventually(lambda: alarms(town, "unit_doubly_bound"), "the alarm is raised")
    assert alarm["about"] == UnitId(order["unit_id"])
    assert f"{order['id']} and A999999" in alarm["why"]
    assert metric(town, 'kuaijing_alarms{kind="unit_doubly_bound"}') == 1
    assert "unit_doubly_bound" in "".join(capfd.readouterr())


def test_alarms_outlive_a_restart(tmp_path: Path) -> None:
    quick = Settings(alarms=AlarmRules(urgent_unattended_s=0.0))
    with served(tmp_path / "data", quick, watched=True) as town:
        town.report(0, 0, priority=1, dispatch="manual")
        eventually(
            lambda: town.client().get("/v1/snapshot").json()["alarms"], "the alarm is recorded"
        )
        began_ms = now_ms()
    with served(tmp_path / "data", quick) as town:
        (alarm,) = town.client().get("/v1/alarms").json()["items"]
        assert alarm["kind"] == "urgent_unattended"
        assert alarm["raised_at"] < datetime.fromtimestamp(began_ms / 1000, UTC).isoformat()
