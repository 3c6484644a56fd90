"""Orders that nobody answers, and crews that cannot go: somebody else is sent."""

from __future__ import annotations

import pytest

from dispatch.decide import next_due_ms
from dispatch.errors import AssignmentUnknown, StateConflict
from dispatch.events import AckRealerted, OverdueFlagged, TargetMissed
from dispatch.questions import (
    AssignUnit,
    CloseIncident,
    DeclineAssignment,
    PassTime,
    StampAssignment,
)
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    ChosenBy,
    Clock,
    DispatchMode,
    IncidentId,
    IncidentStatus,
    Overdue,
    Stamp,
    UnixMs,
)
from tests.toy_town import T0, Town, call, kinds


def town_of_three() -> Town:
    """Three crews: one, two and three blocks from the place of the calls."""
    return Town().with_unit("C1", (5, 4)).with_unit("C2", (5, 3)).with_unit("C3", (5, 2))


def ack(town: Town, number: int) -> list[str]:
    assignment_id = AssignmentId(f"A{number:06d}")
    return kinds(town.ask(StampAssignment(assignment_id=assignment_id, stamp=Stamp.ACKED)).events)


def test_an_urgent_order_is_realerted_then_a_substitute_goes_and_signs_first() -> None:
    # given an urgent incident and a crew that does not answer
    town = town_of_three()
    town.ask(call(5, 5, priority=1))
    assert next_due_ms(town.board, town.rules) == T0 + 10_000
    assert kinds(town.ask(PassTime(), after_s=9.9).events) == []
    # when 10 s are over, then it is alerted again, once
    realerted = town.ask(PassTime(), after_s=0.1)
    assert kinds(realerted.events) == ["AckRealerted"]
    assert isinstance(realerted.events[0], AckRealerted)
    assert realerted.events[0].waited_s == 10.0
    # when 20 s are over, then the next best goes, and the first is not withdrawn yet
    assert kinds(town.ask(PassTime(), after_s=10).events) == ["UnitsChosen", "UnitDispatched"]
    substitute = town.assignment(2)
    assert (substitute.unit_id, substitute.by) == ("C2", ChosenBy.SUBSTITUTE)
    assert substitute.replaces == "A000001"
    assert town.assignment(1).state is AssignmentState.DISPATCHED
    assert town.incident().unmet == {}
    # when the second signs, then the first is withdrawn as timed out
    assert ack(town, 2) == ["AssignmentAcked", "AssignmentTimedOut"]
    assert town.assignment(1).state is AssignmentState.TIMED_OUT
    assert town.unit("C1").is_free
    assert town.incident().not_again == ("C1",)
    # when the first signs after all, then that is kept and changes nothing
    late = town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ACKED))
    assert kinds(late.events) == ["LateStampRecorded"]
    assert late.applied is False
    assert ack(town, 1) == []


def test_the_first_crew_signs_after_all_and_the_substitute_is_released() -> None:
    town = town_of_three()
    town.ask(call(5, 5, priority=1))
    town.ask(PassTime(), after_s=21)
    town.ask(call(5, 6), after_s=1)  # C3 goes there
    town.ask(call(5, 7), after_s=1)  # nobody is left: it waits
    assert town.incident(3).status is IncidentStatus.PENDING
    # when the first signs, then the substitute is let go and serves who waits
    assert ack(town, 1) == [
        "AssignmentAcked",
        "AssignmentReleased",
        "UnitsChosen",
        "UnitDispatched",
    ]
    assert town.assignment(2).state is AssignmentState.RELEASED
    assert town.assignment(4).unit_id == "C2"


def test_an_order_answered_by_arriving_counts_as_signed() -> None:
    town = town_of_three()
    town.ask(call(5, 5, priority=1))
    town.ask(PassTime(), after_s=21)
    decision = town.ask(StampAssignment(assignment_id=AssignmentId("A000002"), stamp=Stamp.ARRIVED))
    assert kinds(decision.events) == [
        "AssignmentAcked",
        "AssignmentDeparted",
        "AssignmentArrived",
        "AssignmentTimedOut",
    ]


def test_when_nobody_is_left_the_queue_brings_the_substitute_later() -> None:
    # given two crews, both ordered, the first does not answer
    town = Town().with_unit("C1", (5, 4)).with_unit("C2", (5, 3))
    town.ask(call(5, 5, priority=1))
    town.ask(call(0, 0, priority=4))
    # when its time is up, then the need is written down, once
    assert kinds(town.ask(PassTime(), after_s=21).events) == ["AckRealerted", "UnitsChosen"]
    assert kinds(town.ask(PassTime(), after_s=5).events) == []
    assert town.incident().unmet == {"any": 1}
    # when the other crew frees, then it goes in the stead of the first
    town.ask(StampAssignment(assignment_id=AssignmentId("A000002"), stamp=Stamp.CLEARED))
    assert (town.assignment(3).unit_id, town.assignment(3).replaces) == ("C2", "A000001")
    assert ack(town, 3)[-1] == "AssignmentTimedOut"


def test_a_substitute_that_declines_is_followed_by_the_next() -> None:
    town = town_of_three()
    town.ask(call(5, 5, priority=1))
    town.ask(PassTime(), after_s=21)
    town.ask(DeclineAssignment(assignment_id=AssignmentId("A000002"), reason="puncture"))
    assert (town.assignment(3).unit_id, town.assignment(3).replaces) == ("C3", "A000001")
    assert ack(town, 3) == ["AssignmentAcked", "AssignmentTimedOut"]


def test_substitutes_of_substitutes_end_together_and_are_bounded() -> None:
    # given a town where nobody answers, with at most two substitutes for an order
    town = town_of_three().with_unit("C4", (5, 1))
    town.rules = Rules(substitutes_max=2)
    town.ask(call(5, 5, priority=1))
    for _ in range(4):
        town.ask(PassTime(), after_s=21)
    # then two are sent, and no more
    assert [one.replaces for one in town.board.assignments.values()] == [
        None,
        "A000001",
        "A000002",
    ]
    due_ms = next_due_ms(town.board, town.rules)
    assert due_ms is None or due_ms > town.now_ms
    # when the one in the middle signs, then the earlier has timed out and the later is released
    assert ack(town, 2) == ["AssignmentAcked", "AssignmentTimedOut", "AssignmentReleased"]
    assert town.assignment(1).state is AssignmentState.TIMED_OUT
    assert town.assignment(3).state is AssignmentState.RELEASED


def test_only_its_own_chain_is_let_go() -> None:
    """Two crews are wanted; the substitute of one does not end the other."""
    town = town_of_three()
    town.ask(call(5, 5, priority=1, required={"any": 2}))
    town.ask(PassTime(), after_s=21)
    assert town.assignment(3).replaces == "A000001"
    assert ack(town, 3) == ["AssignmentAcked", "AssignmentTimedOut"]
    assert town.assignment(2).state is AssignmentState.DISPATCHED


def test_in_manual_mode_nobody_is_substituted() -> None:
    town = town_of_three()
    town.ask(call(5, 5, priority=1, mode=DispatchMode.MANUAL))
    assert next_due_ms(town.board, Rules(clock=Clock.DISPATCHED)) == T0 + 180_001
    town.ask(AssignUnit(incident_id=IncidentId("I000001")))
    assert kinds(town.ask(PassTime(), after_s=25).events) == ["AckRealerted"]


def test_who_declines_is_replaced_at_once_and_not_asked_again() -> None:
    town = town_of_three()
    town.ask(call(5, 5))
    for assignment_id, expected in (("A000001", "C2"), ("A000002", "C3")):
        decision = town.ask(
            DeclineAssignment(assignment_id=AssignmentId(assignment_id), reason="no fuel")
        )
        assert kinds(decision.events) == ["AssignmentDeclined", "UnitsChosen", "UnitDispatched"]
        assert decision.assignments[0].unit_id == expected
        assert decision.assignments[0].by is ChosenBy.SUBSTITUTE
        assert decision.assignment is not None
        assert decision.assignment.state is AssignmentState.DECLINED
        assert decision.recommendation is not None
    # when the last declines too, then the need stays, though all three are free
    last_question = DeclineAssignment(assignment_id=AssignmentId("A000003"), reason="no fuel")
    last = town.ask(last_question)
    assert kinds(last.events) == ["AssignmentDeclined", "UnitsChosen"]
    assert town.incident().status is IncidentStatus.PENDING
    assert town.incident().not_again == ("C1", "C2", "C3")
    # and history still knows each of them
    town.ask(CloseIncident(incident_id=IncidentId("I000001")))
    from_history = town.ask(last_question).assignment
    assert from_history is not None
    assert from_history.unit_id == "C3"


def test_declining_twice_or_too_late_changes_nothing() -> None:
    town = town_of_three()
    town.ask(call(5, 5))
    question = DeclineAssignment(assignment_id=AssignmentId("A000001"), reason="no fuel")
    assert town.ask(question).applied
    again = town.ask(question)
    assert (again.applied, again.events) == (False, ())
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True))
    after_the_end = town.ask(question)
    assert (after_the_end.applied, after_the_end.events) == (False, ())
    assert after_the_end.incident is not None
    assert after_the_end.incident.status is IncidentStatus.CLOSED
    with pytest.raises(AssignmentUnknown, match="A000099"):
        town.ask(DeclineAssignment(assignment_id=AssignmentId("A000099"), reason="no fuel"))


def test_a_crew_on_scene_cannot_decline() -> None:
    town = town_of_three()
    town.ask(call(5, 5))
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    with pytest.raises(StateConflict, match="on_scene"):
        town.ask(DeclineAssignment(assignment_id=AssignmentId("A000001"), reason="no fuel"))


def test_a_crew_that_declines_under_way_goes_back() -> None:
    town = town_of_three()
    town.ask(call(5, 5))
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.DEPARTED))
    town.ask(DeclineAssignment(assignment_id=AssignmentId("A000001"), reason="crash"))
    assert town.unit("C1").status == "returning"
    assert town.unit("C2").status == "patrolling"


def test_bands_of_practice_are_flagged_once_each() -> None:
    # given one crew that is slow in everything
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5, priority=4))
    flags = []

    def wait(after_s: float) -> None:
        for event in town.ask(PassTime(), after_s=after_s).events:
            if isinstance(event, OverdueFlagged):
                flags.append((event.flag, event.assignment_id, event.limit_s))
            elif isinstance(event, TargetMissed):
                flags.append(("missed", event.incident_id, event.target_s))

    wait(31)
    ack(town, 1)
    wait(150)
    assert town.incident().on_target is False
    wait(200)
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    wait(1801)
    wait(5000)
    assert flags == [
        (Overdue.ACK, "A000001", 30.0),
        ("missed", "I000001", 180),
        (Overdue.DEPARTED, "A000001", 300.0),
        (Overdue.FEEDBACK, None, 1800.0),
    ]
    assert town.incident().overdue == (
        Overdue.ACK,
        Overdue.ARRIVAL,
        Overdue.DEPARTED,
        Overdue.FEEDBACK,
    )
    assert town.assignment().overdue == (Overdue.ACK, Overdue.DEPARTED)


def test_a_crew_that_never_answers_is_flagged_for_both_bands() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5, priority=4, target_s=None))
    town.ask(PassTime(), after_s=3600)
    assert town.assignment().overdue == (Overdue.ACK, Overdue.DEPARTED)
    assert town.ask(PassTime(), after_s=3600).events == ()


def test_who_waits_for_a_unit_beyond_the_target_is_flagged_but_its_promise_has_not_begun() -> None:
    town = Town()
    town.ask(call(5, 5, target_s=60))
    town.ask(call(5, 5, target_s=None))
    town.ask(call(5, 5, target_s=60, required={}))
    decision = town.ask(PassTime(), after_s=60.001)
    assert kinds(decision.events) == ["OverdueFlagged"]
    assert town.incident(1).overdue == (Overdue.ARRIVAL,)
    assert town.incident(1).on_target is None
    assert next_due_ms(town.board, town.rules) is None


def test_arriving_at_the_deadline_itself_is_in_time() -> None:
    town = Town(rules=Rules(clock=Clock.RECEIVED)).with_unit("C1", (5, 4))
    town.ask(call(5, 5, target_s=60, priority=4))
    assert "TargetMissed" not in kinds(town.ask(PassTime(), after_s=60).events)
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    assert town.incident().on_target is True
    assert kinds(town.ask(PassTime(), after_s=1).events) == []


def test_a_stamp_made_offline_takes_back_that_the_target_was_missed() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5, target_s=60))
    ack(town, 1)
    town.ask(PassTime(), after_s=61)
    assert town.incident().on_target is False
    town.ask(
        StampAssignment(
            assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED, at_ms=UnixMs(T0 + 50_000)
        ),
        after_s=100,
    )
    assert town.incident().on_target is True
    assert town.incident().overdue == (Overdue.ARRIVAL,)
