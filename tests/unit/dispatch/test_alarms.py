"""What must never be so, or not for long, raises an alarm once, and clears it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dispatch.alarms import DEFECTS, AlarmKind, AlarmRules, Surroundings
from dispatch.board import Board
from dispatch.decide.alarms import RAISED_AT_ONCE
from dispatch.decide.violations import contradictions
from dispatch.events import AlarmCleared, AlarmRaised
from dispatch.questions import (
    CancelIncident,
    DeclineAssignment,
    LookForAlarms,
    ReopenIncident,
    StampAssignment,
)
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    IncidentId,
    IncidentStatus,
    Stamp,
    UnitId,
    UnixMs,
)
from tests.toy_town import Town, call

LIMITS = AlarmRules()
FIRST = AssignmentId("A000001")


def town_with_a_call(**more: object) -> Town:
    """One incident of priority 1, one car on its way, another far off."""
    town = Town().with_unit("C1", (0, 0)).with_unit("C2", (9, 9))
    town.ask(call(2, 0, priority=1, **more))  # type: ignore[arg-type]
    return town


def look(town: Town, *, after_s: float = 0.0, **around: object) -> list[tuple[str, str, str]]:
    """What began (`+`) and what ended (`-`), by kind and thing."""
    question = LookForAlarms(around=Surroundings(**around), limits=LIMITS)  # type: ignore[arg-type]
    events = town.ask(question, after_s=after_s).events
    assert all(isinstance(one, AlarmRaised | AlarmCleared) for one in events)
    signs = {AlarmRaised: "+", AlarmCleared: "-"}
    return [(signs[type(one)], one.kind, one.about) for one in events]  # type: ignore[union-attr]


def test_a_day_in_order_raises_nothing() -> None:
    town = town_with_a_call()
    assert look(town) == []
    town.ask(StampAssignment(assignment_id=FIRST, stamp=Stamp.ARRIVED), after_s=20)
    assert look(town, after_s=3_000) == []
    town.ask(StampAssignment(assignment_id=FIRST, stamp=Stamp.CLEARED))
    assert look(town, after_s=3_000) == []


def test_an_order_that_nobody_signs_for_is_told_once_and_cleared_when_signed() -> None:
    town = town_with_a_call()
    limit_s = town.rules.timeout_s[1] + LIMITS.unacked_grace_s
    assert look(town, after_s=limit_s) == []
    assert look(town, after_s=1) == [("+", "order_unanswered", FIRST)]
    assert look(town, after_s=1) == []
    (alarm,) = town.board.alarms.values()
    assert "unit C1 has not signed for A000001 in 31 s" in alarm.why
    town.ask(StampAssignment(assignment_id=FIRST, stamp=Stamp.ACKED))
    assert look(town, after_s=5) == [("-", "order_unanswered", FIRST)]
    assert town.board.alarms == {}
    (cleared,) = [one.event for one in town.log if isinstance(one.event, AlarmCleared)]
    assert cleared.lasted_s == 6.0
    assert town.replayed() == town.board


def test_a_grave_incident_without_any_unit_is_told() -> None:
    town = Town()
    town.ask(call(2, 0, priority=1))
    town.ask(call(2, 0, priority=2))
    assert look(town, after_s=LIMITS.urgent_unattended_s) == []
    assert look(town, after_s=1) == [("+", "urgent_unattended", "I000001")]


def test_a_grave_incident_that_comes_back_waits_from_then_on() -> None:
    town = Town()
    town.ask(call(2, 0, priority=1))
    first = IncidentId("I000001")
    town.ask(CancelIncident(incident_id=first, reason="called off"), after_s=30)
    town.ask(ReopenIncident(incident_id=first, reason="called again"), after_s=3_600)
    assert look(town, after_s=LIMITS.urgent_unattended_s) == []
    assert look(town, after_s=1) == [("+", "urgent_unattended", "I000001")]
    (alarm,) = town.board.alarms.values()
    assert "for 61 s" in alarm.why
    assert town.replayed() == town.board


def test_a_crew_that_declines_counts_until_it_did() -> None:
    town = Town().with_unit("C1", (0, 0))
    town.ask(call(2, 0, priority=1))
    town.ask(StampAssignment(assignment_id=FIRST, stamp=Stamp.ACKED), after_s=5)
    town.ask(DeclineAssignment(assignment_id=FIRST, reason="no fuel"), after_s=100)
    assert look(town, after_s=60) == []
    assert look(town, after_s=1) == [("+", "urgent_unattended", "I000001")]


def test_a_grave_incident_whose_only_crew_is_lost_is_told_and_a_crew_never_seen_is_not() -> None:
    town = town_with_a_call()
    town.ask(StampAssignment(assignment_id=FIRST, stamp=Stamp.ACKED), after_s=5)
    since = {UnitId("C1"): UnixMs(town.now_ms + 100_000)}
    assert look(town, after_s=160, lost_since_ms=since) == []
    assert look(town, after_s=1, lost_since_ms=since) == [("+", "urgent_unattended", "I000001")]
    (alarm,) = town.board.alarms.values()
    assert "the position of C1 is lost, for 61 s" in alarm.why
    assert look(town, after_s=1) == [("-", "urgent_unattended", "I000001")]


def test_clocks_that_disagree_are_told() -> None:
    town = Town().with_unit("C1", (0, 0))
    assert look(town, clock_jump_s=2.0, ahead_s={"C1": 2.0}) == []
    assert look(town, clock_jump_s=-2.1, ahead_s={"C1": 2.1}) == [
        ("+", "clock_jumped", "service"),
        ("+", "device_clock_ahead", "C1"),
    ]
    assert "jumped 2.1 s back" in town.board.alarms["clock_jumped:service"].why
    # At its bound a device's alarm would come and go with each fix.
    assert look(town, ahead_s={"C1": 1.5}) == [("-", "clock_jumped", "service")]
    assert look(town, ahead_s={"C1": 0.9}) == [("-", "device_clock_ahead", "C1")]


def test_a_failure_all_over_the_city_is_raised_in_portions() -> None:
    town = Town()
    ahead = {f"C{number:03d}": 5.0 for number in range(RAISED_AT_ONCE + 3)}
    assert len(look(town, ahead_s=ahead)) == RAISED_AT_ONCE
    assert len(look(town, ahead_s=ahead)) == 3


def _double(board: Board) -> Board:
    again = replace(board.assignments[FIRST], assignment_id=AssignmentId("A000009"))
    incident = board.incidents[IncidentId("I000001")]
    ids = (*incident.assignment_ids, again.assignment_id)
    return replace(
        board,
        assignments={**board.assignments, again.assignment_id: again},
        incidents={incident.incident_id: replace(incident, assignment_ids=ids)},
    )


def _with_incident(board: Board, **changes: object) -> Board:
    incident = board.incidents[IncidentId("I000001")]
    changed = replace(incident, **changes)  # type: ignore[arg-type]
    return replace(board, incidents={incident.incident_id: changed})


def _with_first(board: Board, **changes: object) -> Board:
    one = replace(board.assignments[FIRST], **changes)  # type: ignore[arg-type]
    return replace(board, assignments={**board.assignments, FIRST: one})


def _unbound(board: Board) -> Board:
    unit = replace(board.units[UnitId("C1")], assignment_id=None)
    return replace(board, units={**board.units, unit.unit_id: unit})


RELEASED = {"state": AssignmentState.RELEASED, "ended_at_ms": UnixMs(1)}
PLANTED: Mapping[str, tuple[object, set[tuple[str, str]]]] = {
    "two orders for a unit": (_double, {("unit_doubly_bound", "C1")}),
    "an order that its unit does not know": (_unbound, {("assignment_adrift", FIRST)}),
    "an order that its incident does not know": (
        lambda board: _with_incident(board, assignment_ids=()),
        {("assignment_adrift", FIRST), ("incident_unqueued", "I000001")},
    ),
    "an order whose incident is gone": (
        lambda board: replace(board, incidents={}),
        {("assignment_adrift", FIRST)},
    ),
    "an order whose unit is gone": (
        lambda board: replace(board, units={}),
        {("assignment_adrift", FIRST)},
    ),
    "a unit bound by what has ended": (
        lambda board: _with_first(board, **RELEASED),
        {("unit_stuck", "C1"), ("incident_unqueued", "I000001")},
    ),
    "an incident that ended and stays": (
        lambda board: _with_incident(board, status=IncidentStatus.CLOSED),
        {("incident_unqueued", "I000001")},
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_board_that_contradicts_itself_is_told(name: str) -> None:
    harm, expected = PLANTED[name]
    town = town_with_a_call()
    assert list(contradictions(town.board)) == []
    town.board = harm(town.board)  # type: ignore[operator]
    assert {(kind, about) for _, kind, about in look(town)} == expected
    assert {AlarmKind(kind) for kind, _ in expected} <= DEFECTS
