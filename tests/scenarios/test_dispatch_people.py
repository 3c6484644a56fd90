"""What dispatchers do: send by hand, amend, close, cancel, reopen, merge, urge, remark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch.errors import (
    BadUnitStatus,
    IncidentUnknown,
    NoUnitFree,
    NoWay,
    QueueFull,
    StateConflict,
    UnitBusy,
    UnitOffDuty,
    UnitTaken,
    UnitUnknown,
    VersionStale,
)
from dispatch.events import AssignmentRechecked, UnitStatusIgnored
from dispatch.questions import (
    AddNote,
    AmendIncident,
    AssignUnit,
    CancelIncident,
    CloseIncident,
    MergeIncident,
    NudgeIncident,
    PassTime,
    ReopenIncident,
    SetUnitStatus,
    StampAssignment,
)
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    ChosenBy,
    DispatchMode,
    IncidentId,
    IncidentStatus,
    Stamp,
    UnitId,
    UnitStatus,
    UnixMs,
)
from platforms.categories import UnitKind
from tests.toy_town import T0, Town, call, kinds, place

I1, I2 = IncidentId("I000001"), IncidentId("I000002")
A1 = AssignmentId("A000001")


@pytest.fixture
def town() -> Town:
    """Two crews and a command vehicle, nothing going on."""
    town = Town().with_unit("C1", (5, 4)).with_unit("C2", (5, 1))
    return town.with_unit("V1", (5, 5), kind=UnitKind.COMMAND_VEHICLE)


# --- sending by hand -----------------------------------------------------------------------------


def test_a_dispatcher_sends_another_than_the_nearest(town: Town) -> None:
    town.ask(call(5, 5, mode=DispatchMode.MANUAL))
    decision = town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("C2")))
    assert kinds(decision.events) == ["UnitsChosen", "UnitDispatched"]
    [sent] = decision.assignments
    assert (sent.unit_id, sent.by, sent.fills) == ("C2", ChosenBy.HAND, "any")
    assert decision.recommendation is not None
    assert "C1 would be there 30 s sooner" in decision.recommendation.why
    assert [one.unit_id for one in decision.recommendation.candidates] == ["C1", "C2"]
    assert town.incident().unmet == {}


def test_a_command_vehicle_sent_by_hand_serves_as_any(town: Town) -> None:
    town.ask(call(5, 5, mode=DispatchMode.MANUAL))
    town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("V1")))
    assert town.incident().unmet == {}
    assert town.incident().required == {"any": 1}


def test_a_unit_beyond_the_need_raises_the_need(town: Town) -> None:
    """So that it is replaced like any other if it cannot go."""
    town.ask(call(5, 5))
    town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("V1")))
    assert town.incident().required == {"any": 1, "command_vehicle": 1}
    town.ask(AssignUnit(incident_id=I1))
    assert town.incident().required == {"any": 2, "command_vehicle": 1}
    assert [one.unit_id for one in town.board.assignments.values()] == ["C1", "V1", "C2"]


def test_the_next_best_fills_what_is_missing(town: Town) -> None:
    town.ask(call(5, 5, mode=DispatchMode.MANUAL, required={"any": 1, "command_vehicle": 1}))
    first = town.ask(AssignUnit(incident_id=I1))
    assert first.assignments[0].fills == "command_vehicle"
    second = town.ask(AssignUnit(incident_id=I1))
    assert (second.assignments[0].fills, second.assignments[0].by) == ("any", ChosenBy.AUTO)
    assert town.incident().required == {"any": 1, "command_vehicle": 1}


def test_a_taken_unit_is_refused_with_its_holder_and_who_else_could_go(town: Town) -> None:
    town.ask(call(5, 5))
    town.ask(call(5, 6, mode=DispatchMode.MANUAL))
    with pytest.raises(UnitTaken) as refusal:
        town.ask(AssignUnit(incident_id=I2, unit_id=UnitId("C1")))
    assert (refusal.value.holder, refusal.value.assignment_id) == (I1, A1)
    assert [one.unit_id for one in refusal.value.candidates] == ["C2"]
    assert "next best free: C2" in str(refusal.value)


def test_who_cannot_be_sent_is_refused_by_name(town: Town) -> None:
    town.ask(call(5, 5, mode=DispatchMode.MANUAL))
    with pytest.raises(UnitUnknown, match="C9"):
        town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("C9")))
    town.ask(SetUnitStatus(unit_id=UnitId("C1"), status=UnitStatus.OFF_DUTY))
    with pytest.raises(UnitOffDuty) as refusal:
        town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("C1")))
    assert refusal.value.candidates[0].unit_id == "C2"
    for neighbour in ((4, 1), (6, 1), (5, 0), (5, 2)):
        town.roads.shut((5, 1), neighbour) if neighbour > (5, 1) else town.roads.shut(
            neighbour, (5, 1)
        )
    with pytest.raises(NoWay, match="no open road leads from C2"):
        town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("C2")))


def test_when_nobody_is_left_the_next_best_is_refused() -> None:
    town = Town()
    town.ask(call(5, 5))
    with pytest.raises(NoUnitFree, match=I1):
        town.ask(AssignUnit(incident_id=I1))


def test_a_unit_of_another_area_may_be_lent_by_hand(town: Town) -> None:
    town = Town().with_unit("X1", (5, 4), area_id="county")
    assert town.ask(call(5, 5)).assignments == ()
    assert town.ask(AssignUnit(incident_id=I1, unit_id=UnitId("X1"))).assignments


def test_a_stale_reader_is_told_the_current_state(town: Town) -> None:
    town.ask(call(5, 5))
    seen = town.incident().version
    town.ask(NudgeIncident(incident_id=I1, if_version=seen))
    with pytest.raises(VersionStale) as refusal:
        town.ask(CancelIncident(incident_id=I1, if_version=seen))
    assert refusal.value.current == town.incident()
    assert refusal.value.given == seen


# --- amending ------------------------------------------------------------------------------------


def test_a_new_place_finds_the_ways_anew(town: Town) -> None:
    # given a crew that was to be in time
    town.ask(call(5, 5, target_s=60))
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.DEPARTED), after_s=5)
    # when the caller corrects the place
    decision = town.ask(AmendIncident(incident_id=I1, location=place(5, 10, target_s=60)))
    # then its way is new, and it is said that it will be late
    assert kinds(decision.events) == ["IncidentAmended", "AssignmentRechecked"]
    event = decision.events[1]
    assert isinstance(event, AssignmentRechecked)
    assert (event.cause, event.travel_s, event.turnout_s) == ("incident_moved", 60.0, 0.0)
    assert event.newly_late is True
    assert event.margin_s == -5.0
    assert town.assignment().eta_at_ms == T0 + 65_000
    assert len(town.assignment().arcs) == 6


def test_a_crew_not_yet_rolling_keeps_the_rest_of_its_turnout(town: Town) -> None:
    town.ask(call(5, 5, target_s=None))
    decision = town.ask(
        AmendIncident(incident_id=I1, location=place(5, 6, target_s=None)), after_s=0.5
    )
    event = decision.events[1]
    assert isinstance(event, AssignmentRechecked)
    assert (event.turnout_s, event.travel_s) == (1.5, 20.0)
    assert (event.margin_s, event.on_target_predicted, event.newly_late) == (None, None, False)


def test_a_place_that_cannot_be_reached_is_said(town: Town) -> None:
    town.ask(call(5, 5))
    for neighbour in ((0, 1), (1, 0)):
        town.roads.shut((0, 0), neighbour)
    decision = town.ask(AmendIncident(incident_id=I1, location=place(0, 0)))
    event = decision.events[1]
    assert isinstance(event, AssignmentRechecked)
    assert (event.travel_s, event.eta_s, event.eta_at_ms, event.arcs) == (None, None, None, ())
    assert (event.on_target_predicted, event.newly_late) == (False, True)


def test_who_is_on_scene_is_not_rechecked(town: Town) -> None:
    town.ask(call(5, 5))
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.ARRIVED))
    decision = town.ask(AmendIncident(incident_id=I1, location=place(5, 6)))
    assert kinds(decision.events) == ["IncidentAmended"]


def test_a_later_deadline_takes_back_that_the_target_was_missed(town: Town) -> None:
    town.ask(call(5, 5, target_s=60))
    town.ask(PassTime(), after_s=61)
    assert town.incident().on_target is False
    town.ask(AmendIncident(incident_id=I1, location=place(5, 5, target_s=300)))
    assert town.incident().on_target is None
    town.ask(AmendIncident(incident_id=I1, location=place(5, 5, target_s=None)))
    assert town.incident().deadline_ms is None


def test_other_changes_touch_what_they_name_only(town: Town) -> None:
    town.ask(call(5, 5, description="wallet"))
    before = town.incident()
    town.ask(AmendIncident(incident_id=I1, category="criminal", priority=1, description="knife"))
    after = town.incident()
    assert (after.category_initial, after.priority, after.description) == ("criminal", 1, "knife")
    assert after.location is before.location
    assert after.version == before.version + 1


def test_needing_more_sends_more(town: Town) -> None:
    town.ask(call(5, 5))
    decision = town.ask(AmendIncident(incident_id=I1, required={"any": 2}))
    assert [one.unit_id for one in decision.assignments] == ["C2"]


# --- ending --------------------------------------------------------------------------------------


def test_closing_is_refused_while_units_work_unless_they_are_released(town: Town) -> None:
    town.ask(call(5, 5))
    with pytest.raises(StateConflict, match="C1 still work on it") as refusal:
        town.ask(CloseIncident(incident_id=I1))
    assert refusal.value.state == "dispatched"
    decision = town.ask(CloseIncident(incident_id=I1, release_units=True))
    assert kinds(decision.events) == ["AssignmentReleased", "IncidentClosed"]
    assert town.unit("C1").is_free


def test_units_released_serve_the_queue(town: Town) -> None:
    for _ in range(3):
        town.ask(call(5, 5, required={"response_car": 1}))
    decision = town.ask(CancelIncident(incident_id=I1, reason="caller rang again"))
    assert kinds(decision.events) == [
        "AssignmentCancelled",
        "IncidentCancelled",
        "UnitsChosen",
        "UnitDispatched",
    ]
    assert decision.incident is not None
    assert decision.incident.status is IncidentStatus.CANCELLED
    assert decision.incident.closed_reason == "caller rang again"
    assert decision.assignments == ()


def test_cancelling_who_waits_frees_nobody() -> None:
    town = Town()
    town.ask(call(5, 5))
    assert kinds(town.ask(CancelIncident(incident_id=I1)).events) == ["IncidentCancelled"]


def test_a_closed_incident_is_not_changed_but_reopened(town: Town) -> None:
    town.ask(call(5, 5))
    town.ask(CloseIncident(incident_id=I1, release_units=True))
    with pytest.raises(StateConflict, match="reopen it"):
        town.ask(AddNote(incident_id=I1, text="late"))
    with pytest.raises(IncidentUnknown, match="I000009"):
        town.ask(AddNote(incident_id=IncidentId("I000009"), text="late"))


def test_reopening_brings_it_back_with_its_history_and_serves_it(town: Town) -> None:
    # given an incident that was done and closed
    town.ask(call(5, 5))
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.FEEDBACK), after_s=10)
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.CLEARED), after_s=10)
    town.ask(CloseIncident(incident_id=I1, reason="done"))
    version = town.history[I1].incident.version
    # when it is reopened
    with pytest.raises(VersionStale):
        town.ask(ReopenIncident(incident_id=I1, if_version=version - 1))
    decision = town.ask(ReopenIncident(incident_id=I1, if_version=version), after_s=60)
    # then it needs a unit anew, and what was stamped first stays
    assert kinds(decision.events) == ["IncidentReopened", "UnitsChosen", "UnitDispatched"]
    incident = town.incident()
    assert incident.status is IncidentStatus.DISPATCHED
    assert incident.version > version
    assert incident.assignment_ids == ("A000001", "A000002")
    assert incident.arrived_at_ms == T0 + 10_000
    assert (incident.closed_at_ms, incident.closed_reason) == (None, "")
    assert [one.assignment_id for one in decision.assignments] == ["A000002"]
    # and the new crew's time counts from its own order
    assert town.assignment(2).deadline_ms == town.now_ms + 180_000
    with pytest.raises(StateConflict, match="open already"):
        town.ask(ReopenIncident(incident_id=I1))
    assert town.replayed() == town.board


def test_reopening_what_nobody_knows_or_beyond_the_bound_is_refused(town: Town) -> None:
    with pytest.raises(IncidentUnknown):
        town.ask(ReopenIncident(incident_id=I1))
    town.ask(call(5, 5))
    town.ask(CloseIncident(incident_id=I1, release_units=True))
    town.ask(call(5, 5))
    town.rules = Rules(open_incidents_max=1)
    with pytest.raises(QueueFull):
        town.ask(ReopenIncident(incident_id=I1))


def test_a_duplicate_is_merged_and_its_unit_freed(town: Town) -> None:
    town.ask(call(5, 5))
    town.ask(call(5, 5))
    decision = town.ask(MergeIncident(incident_id=I2, into=I1))
    assert kinds(decision.events) == ["AssignmentReleased", "IncidentMerged"]
    assert decision.incident is not None
    assert decision.incident.status is IncidentStatus.MERGED
    assert decision.incident.linked_to == I1
    assert town.incident().duplicates == (I2,)
    assert town.unit("C2").is_free
    with pytest.raises(StateConflict, match="another incident"):
        town.ask(MergeIncident(incident_id=I1, into=I1))
    with pytest.raises(StateConflict, match="merged"):
        town.ask(CloseIncident(incident_id=I2))


def test_a_waiting_duplicate_is_merged_without_more() -> None:
    town = Town()
    town.ask(call(5, 5))
    town.ask(call(5, 5))
    merged = town.ask(MergeIncident(incident_id=I1, into=I2))
    assert kinds(merged.events) == ["IncidentMerged"]


def test_urging_and_remarks_are_kept(town: Town) -> None:
    town.rules = replace(town.rules, notes_max=1)
    town.ask(call(5, 5))
    town.ask(NudgeIncident(incident_id=I1, text="where are they"), after_s=3)
    town.ask(AddNote(incident_id=I1, text="he has a knife"), actor="dispatcher-7")
    assert (town.incident().nudges, town.incident().nudged_at_ms) == (1, T0 + 3000)
    assert town.incident().notes[0].author == "dispatcher-7"
    with pytest.raises(StateConflict, match="1 notes"):
        town.ask(AddNote(incident_id=I1, text="one too many"))


# --- units ---------------------------------------------------------------------------------------


def set_status(town: Town, status: UnitStatus, at_s: float | None = None) -> list[str]:
    at_ms = None if at_s is None else UnixMs(T0 + round(at_s * 1000))
    return kinds(town.ask(SetUnitStatus(unit_id=UnitId("C1"), status=status, at_ms=at_ms)).events)


def test_going_off_duty_with_an_order_is_refused(town: Town) -> None:
    town.ask(call(5, 5))
    with pytest.raises(UnitBusy) as refusal:
        set_status(town, UnitStatus.OFF_DUTY)
    assert refusal.value.assignment_id == A1


@pytest.mark.parametrize("status", [UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE, UnitStatus.OFFLINE])
def test_some_statuses_are_never_set(town: Town, status: UnitStatus) -> None:
    with pytest.raises(BadUnitStatus, match=status):
        set_status(town, status)
    with pytest.raises(UnitUnknown):
        town.ask(SetUnitStatus(unit_id=UnitId("C9"), status=UnitStatus.STANDBY))


def test_a_status_older_than_the_last_is_kept_and_not_applied(town: Town) -> None:
    town.now_ms = UnixMs(T0 + 100_000)
    assert set_status(town, UnitStatus.POSTED, at_s=50) == ["UnitStatusChanged"]
    decision = town.ask(
        SetUnitStatus(unit_id=UnitId("C1"), status=UnitStatus.STANDBY, at_ms=UnixMs(T0 + 40_000))
    )
    assert decision.applied is False
    [event] = decision.events
    assert isinstance(event, UnitStatusIgnored)
    assert "older" in event.why
    assert town.unit("C1").status is UnitStatus.POSTED
    # a dispatcher's word carries no device time and always counts
    assert set_status(town, UnitStatus.STANDBY) == ["UnitStatusChanged"]
    # the same again is nothing new
    assert set_status(town, UnitStatus.STANDBY) == []


def test_on_a_call_the_assignment_says_what_a_unit_does(town: Town) -> None:
    town.ask(call(5, 5))
    assert set_status(town, UnitStatus.POSTED) == ["UnitStatusChanged"]  # not under way yet
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.DEPARTED))
    assert set_status(town, UnitStatus.STANDBY) == ["UnitStatusIgnored"]
    assert town.unit("C1").status is UnitStatus.EN_ROUTE


def test_an_offline_unit_that_cleared_does_not_fall_back_to_an_old_status(town: Town) -> None:
    town.ask(call(5, 5))
    town.ask(StampAssignment(assignment_id=A1, stamp=Stamp.CLEARED), after_s=60)
    assert set_status(town, UnitStatus.PATROLLING, at_s=30) == ["UnitStatusIgnored"]
    assert town.unit("C1").status is UnitStatus.RETURNING
    assert town.assignment().state is AssignmentState.CLEARED
