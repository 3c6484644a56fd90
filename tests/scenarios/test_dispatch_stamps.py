"""A crew's steps: in order, once, with honest times; corrections keep what was first said."""

from __future__ import annotations

import pytest

from dispatch.decide.late_steps import LATE_STEPS_MAX
from dispatch.errors import (
    AssignmentUnknown,
    BadStamp,
    ClockSkew,
    StateConflict,
    VersionStale,
)
from dispatch.events import AssignmentArrived, AssignmentDeparted, LateStampRecorded
from dispatch.facts import Feedback
from dispatch.questions import (
    CloseIncident,
    CorrectStamp,
    DeclineAssignment,
    StampAssignment,
)
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    IncidentId,
    IncidentStatus,
    Stamp,
    UnitStatus,
    UnixMs,
)
from tests.toy_town import T0, Town, call, kinds

A1 = AssignmentId("A000001")


@pytest.fixture
def town() -> Town:
    """One crew, just ordered; the time is T0."""
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5, priority=4))
    return town


def stamped(
    town: Town,
    stamp: Stamp,
    *,
    at_s: float | None = None,
    after_s: float = 0,
    feedback: Feedback | None = None,
) -> list[str]:
    at_ms = None if at_s is None else UnixMs(T0 + round(at_s * 1000))
    question = StampAssignment(assignment_id=A1, stamp=stamp, at_ms=at_ms, feedback=feedback)
    return kinds(town.ask(question, after_s=after_s).events)


def test_a_later_step_implies_the_earlier(town: Town) -> None:
    assert stamped(town, Stamp.ARRIVED, after_s=40) == [
        "AssignmentAcked",
        "AssignmentDeparted",
        "AssignmentArrived",
    ]
    stamps = town.assignment().stamps
    assert [stamps[one].inferred for one in (Stamp.ACKED, Stamp.DEPARTED)] == [True, True]
    assert stamps[Stamp.ARRIVED].inferred is False


def test_clearing_at_once_implies_all_but_a_report(town: Town) -> None:
    stamped(town, Stamp.CLEARED, after_s=40)
    assert Stamp.FEEDBACK not in town.assignment().stamps
    assert town.incident().status is IncidentStatus.ON_SCENE


def test_a_late_depart_after_arrive_is_kept_and_not_applied(town: Town) -> None:
    stamped(town, Stamp.ARRIVED, after_s=40)
    decision = town.ask(
        StampAssignment(
            assignment_id=A1, stamp=Stamp.DEPARTED, at_ms=UnixMs(T0 + 10_000), device_seq=2
        )
    )
    assert decision.applied is False
    [late] = decision.events
    assert isinstance(late, LateStampRecorded)
    assert (late.at_ms, late.device_seq, late.applied) == (T0 + 10_000, 2, False)
    assert decision.assignment is not None
    assert decision.assignment.stamp_ms(Stamp.DEPARTED) == T0 + 40_000
    # and a repeat of it is not logged again
    assert stamped(town, Stamp.DEPARTED) == []


def test_the_same_step_twice_is_written_once(town: Town) -> None:
    assert stamped(town, Stamp.ACKED) == ["AssignmentAcked"]
    decision = town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.ACKED), after_s=5)
    assert (decision.events, decision.applied) == ((), False)
    assert town.assignment().stamp_ms(Stamp.ACKED) == T0


def test_taps_made_offline_keep_their_own_time(town: Town) -> None:
    stamped(town, Stamp.ACKED, at_s=3, after_s=500)
    stamped(town, Stamp.DEPARTED, at_s=8)
    stamped(town, Stamp.ARRIVED, at_s=45)
    assert town.incident().arrived_at_ms == T0 + 45_000
    assert town.assignment().stamps[Stamp.ARRIVED].recorded_at_ms == T0 + 500_000
    assert town.incident().on_target is True


def test_a_clock_a_little_slow_is_moved_up_to_the_order(town: Town) -> None:
    stamped(town, Stamp.DEPARTED, at_s=-20, after_s=5)
    departed = town.log[-1].event
    assert isinstance(departed, AssignmentDeparted)
    assert (departed.at_ms, departed.device_at_ms) == (T0, T0 - 20_000)


def test_a_clock_far_behind_never_makes_an_arrival_faster(town: Town) -> None:
    stamped(town, Stamp.ARRIVED, at_s=-3600, after_s=400)
    arrived = town.log[-1].event
    assert isinstance(arrived, AssignmentArrived)
    assert (arrived.at_ms, arrived.device_at_ms) == (T0 + 400_000, T0 - 3_600_000)
    assert arrived.on_target is False


def test_a_clock_that_runs_ahead_a_little_is_taken_as_now(town: Town) -> None:
    stamped(town, Stamp.ACKED, at_s=60, after_s=0)
    assert town.assignment().stamp_ms(Stamp.ACKED) == T0


@pytest.mark.parametrize(("at_s", "side"), [(60.1, "in the future"), (-86_401, "in the past")])
def test_a_clock_out_of_bounds_is_refused(town: Town, at_s: float, side: str) -> None:
    with pytest.raises(ClockSkew, match=side):
        stamped(town, Stamp.ACKED, at_s=at_s)


def test_a_service_clock_set_back_keeps_the_order_of_steps(town: Town) -> None:
    stamped(town, Stamp.ACKED, after_s=10)
    stamped(town, Stamp.DEPARTED, after_s=-3600)
    assert town.assignment().stamp_ms(Stamp.DEPARTED) == T0 + 10_000


def test_a_report_may_come_after_clearing_and_be_supplemented(town: Town) -> None:
    stamped(town, Stamp.CLEARED, after_s=60)
    assert stamped(town, Stamp.FEEDBACK, after_s=60, feedback=Feedback(valid=True)) == [
        "FeedbackGiven"
    ]
    first_ms = town.assignment().stamp_ms(Stamp.FEEDBACK)
    supplement = Feedback(category_final="dispute", text="补充反馈")
    assert stamped(town, Stamp.FEEDBACK, after_s=60, feedback=supplement) == ["FeedbackGiven"]
    assert town.assignment().feedback == supplement
    assert town.assignment().stamp_ms(Stamp.FEEDBACK) == first_ms
    assert (town.incident().category_final, town.incident().valid) == ("dispute", True)
    # the same words again are nothing new
    assert stamped(town, Stamp.FEEDBACK, feedback=supplement) == []
    assert town.incident().status is IncidentStatus.FED_BACK


def test_an_empty_report_is_a_report(town: Town) -> None:
    stamped(town, Stamp.FEEDBACK, after_s=60)
    assert town.assignment().feedback == Feedback()
    assert town.unit("C1").status is UnitStatus.ON_SCENE


def test_steps_after_the_incident_closed_are_kept_in_the_log(town: Town) -> None:
    stamped(town, Stamp.ACKED)
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True))
    late = town.ask(
        StampAssignment(assignment_id=A1, stamp=Stamp.FEEDBACK, feedback=Feedback(text="late"))
    )
    assert late.applied is False
    [event] = late.events
    assert isinstance(event, LateStampRecorded)
    assert event.feedback == Feedback(text="late")
    assert late.assignment is not None
    assert late.assignment.state is AssignmentState.RELEASED
    assert late.incident is not None
    assert late.incident.status is IncidentStatus.CLOSED
    # a step that was written before is no news
    assert stamped(town, Stamp.ACKED) == []
    assert town.replayed() == town.board


def test_the_same_report_after_the_end_is_no_news(town: Town) -> None:
    report = Feedback(text="done")
    stamped(town, Stamp.FEEDBACK, feedback=report)
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True))
    assert stamped(town, Stamp.FEEDBACK, feedback=report) == []
    assert stamped(town, Stamp.FEEDBACK, feedback=Feedback(text="more")) == ["LateStampRecorded"]


def test_a_step_after_the_end_is_logged_once_for_each_time_the_device_gives(town: Town) -> None:
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True), after_s=60)
    assert stamped(town, Stamp.ARRIVED, at_s=30, after_s=5) == ["LateStampRecorded"]
    for _ in range(3):
        assert stamped(town, Stamp.ARRIVED, at_s=30, after_s=5) == []
    # another time, another step, or no time at all is news, once
    for step, at_s in ((Stamp.ARRIVED, 31), (Stamp.DEPARTED, 30), (Stamp.ARRIVED, None)):
        assert stamped(town, step, at_s=at_s, after_s=5) == ["LateStampRecorded"]
        assert stamped(town, step, at_s=at_s, after_s=5) == []
    # reports by their words too
    for text in ("gone", "gone, and back"):
        report = Feedback(text=text)
        assert stamped(town, Stamp.FEEDBACK, at_s=50, feedback=report) == ["LateStampRecorded"]
        assert stamped(town, Stamp.FEEDBACK, at_s=50, feedback=report) == []
    assert town.replayed() == town.board


def test_a_device_ahead_of_us_repeats_itself_too(town: Town) -> None:
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True))
    assert stamped(town, Stamp.ACKED, at_s=40, after_s=5) == ["LateStampRecorded"]
    assert stamped(town, Stamp.ACKED, at_s=40, after_s=5) == []


def test_a_step_late_before_and_after_the_end_is_logged_once(town: Town) -> None:
    stamped(town, Stamp.ARRIVED, after_s=40)
    assert stamped(town, Stamp.DEPARTED, at_s=10) == ["LateStampRecorded"]
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True))
    assert stamped(town, Stamp.DEPARTED, at_s=10) == []


def test_steps_after_the_end_have_a_bound_that_refuses_no_crew(town: Town) -> None:
    town.ask(CloseIncident(incident_id=IncidentId("I000001"), release_units=True), after_s=60)
    logged = [stamped(town, Stamp.ACKED, at_s=second) for second in range(LATE_STEPS_MAX + 5)]
    assert [one for one in logged if one] == [["LateStampRecorded"]] * LATE_STEPS_MAX
    for number in range(LATE_STEPS_MAX):
        stamped(town, Stamp.FEEDBACK, feedback=Feedback(text=f"{number}"))
    with pytest.raises(StateConflict, match="it has 20 late reports"):
        stamped(town, Stamp.FEEDBACK, feedback=Feedback(text="one more"))


def test_late_reports_are_all_kept_up_to_a_bound(town: Town) -> None:
    town.ask(DeclineAssignment(assignment_id=A1, reason="flat tyre"))
    for number in range(LATE_STEPS_MAX):
        report = Feedback(text=f"report {number}")
        assert stamped(town, Stamp.FEEDBACK, feedback=report) == ["LateStampRecorded"]
    with pytest.raises(StateConflict, match="it has 20 late reports"):
        stamped(town, Stamp.FEEDBACK, feedback=Feedback(text="one more"))
    # other steps say nothing new the second time
    assert stamped(town, Stamp.ARRIVED) == ["LateStampRecorded"]
    assert stamped(town, Stamp.ARRIVED) == []


def test_an_assignment_that_never_was_is_unknown(town: Town) -> None:
    with pytest.raises(AssignmentUnknown, match="A000077"):
        town.ask(StampAssignment(assignment_id=AssignmentId("A000077"), stamp=Stamp.ACKED))


# --- corrections ---------------------------------------------------------------------------------


def correction(stamp: Stamp, at_s: float, **more: int) -> CorrectStamp:
    return CorrectStamp(
        assignment_id=A1, stamp=stamp, at_ms=UnixMs(T0 + round(at_s * 1000)), reason="typo", **more
    )


def test_a_correction_counts_and_the_first_time_is_kept(town: Town) -> None:
    # given an arrival that was stamped too late to be in time
    stamped(town, Stamp.ACKED, after_s=5)
    stamped(town, Stamp.DEPARTED, after_s=5)
    stamped(town, Stamp.ARRIVED, after_s=300)
    assert town.incident().on_target is False
    # when the crew's head corrects it
    decision = town.ask(correction(Stamp.ARRIVED, 120))
    # then the promise was kept, and both times stand
    assert kinds(decision.events) == ["StampCorrected"]
    assert town.incident().on_target is True
    assert town.assignment().on_target is True
    arrived = town.assignment().stamps[Stamp.ARRIVED]
    assert (arrived.first_at_ms, arrived.at_ms) == (T0 + 310_000, T0 + 120_000)


def test_inferred_steps_move_along_with_a_correction(town: Town) -> None:
    stamped(town, Stamp.ARRIVED, after_s=300)
    decision = town.ask(correction(Stamp.ARRIVED, 100))
    assert kinds(decision.events) == ["StampCorrected"] * 3
    assert town.assignment().stamp_ms(Stamp.ACKED) == T0 + 100_000


def test_a_correction_may_not_break_the_order(town: Town) -> None:
    stamped(town, Stamp.ACKED, after_s=10)
    stamped(town, Stamp.ARRIVED, after_s=50)
    with pytest.raises(BadStamp, match="neighbours"):
        town.ask(correction(Stamp.ARRIVED, 5), after_s=20)
    with pytest.raises(BadStamp, match="neighbours"):
        town.ask(correction(Stamp.ACKED, 60.5))
    with pytest.raises(BadStamp, match="not happened"):
        town.ask(correction(Stamp.CLEARED, 60))
    with pytest.raises(ClockSkew):
        town.ask(correction(Stamp.ARRIVED, 81))
    with pytest.raises(VersionStale):
        town.ask(correction(Stamp.ARRIVED, 55, if_version=1))


def test_a_report_written_after_clearing_binds_neither(town: Town) -> None:
    stamped(town, Stamp.CLEARED, after_s=60)
    stamped(town, Stamp.FEEDBACK, after_s=60)
    assert town.ask(correction(Stamp.CLEARED, 90)).applied
    assert town.ask(correction(Stamp.FEEDBACK, 100)).applied
    with pytest.raises(BadStamp, match="neighbours"):
        town.ask(correction(Stamp.FEEDBACK, -1))


def test_a_closed_incident_s_steps_are_corrected_after_reopening(town: Town) -> None:
    stamped(town, Stamp.CLEARED, after_s=10)
    town.ask(CloseIncident(incident_id=IncidentId("I000001")))
    with pytest.raises(StateConflict, match="reopen its incident"):
        town.ask(correction(Stamp.CLEARED, 5))
