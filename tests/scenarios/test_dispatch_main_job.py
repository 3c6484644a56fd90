"""The main job: a call comes in, the fastest unit goes, stamps its steps, serves the next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch.board import queue
from dispatch.errors import BadRequirement, IncidentUnknown, QueueFull
from dispatch.events import AssignmentArrived, UnitDispatched, UnitsChosen
from dispatch.facts import Feedback
from dispatch.questions import (
    CloseIncident,
    CloseRoad,
    Recommend,
    SetUnitStatus,
    StampAssignment,
)
from dispatch.road_times import ClosedStretch
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentState,
    ChosenBy,
    Clock,
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


def step(town: Town, stamp: Stamp, *, number: int = 1, after_s: float = 0.0) -> list[str]:
    question = StampAssignment(assignment_id=town.assignment(number).assignment_id, stamp=stamp)
    return kinds(town.ask(question, after_s=after_s).events)


def test_west_lake_bridge() -> None:
    """18:00, "someone is about to jump at 西湖桥": the patrolling unit is there in a minute."""
    # given two patrolling crews, one of them five blocks from the bridge
    town = Town().with_unit("北塔1号-车1", (2, 3)).with_unit("大祥1号-车1", (9, 9))
    # when the call comes in
    decision = town.ask(call(5, 5, priority=1, target_s=60, description="有人要跳桥"))
    # then the nearest is sent in the same breath, with what was known
    assert kinds(decision.events) == ["IncidentReceived", "UnitsChosen", "UnitDispatched"]
    sent = decision.events[2]
    assert isinstance(sent, UnitDispatched)
    assert (sent.unit_id, sent.travel_s, sent.turnout_s) == ("北塔1号-车1", 50.0, 2.0)
    assert (sent.eta_s, sent.margin_s, sent.on_target_predicted) == (52.0, 8.0, True)
    assert sent.eta_at_ms == T0 + 52_000
    assert sent.deadline_ms == T0 + 60_000
    assert len(sent.arcs) == 5
    assert decision.incident is not None
    assert decision.incident.status is IncidentStatus.DISPATCHED
    assert decision.incident.incident_no == "JQ2026010100001"
    # when the crew signs, leaves and arrives
    assert step(town, Stamp.ACKED, after_s=4) == ["AssignmentAcked"]
    assert town.incident().status is IncidentStatus.ACKED
    assert step(town, Stamp.DEPARTED, after_s=2) == ["AssignmentDeparted"]
    assert town.unit("北塔1号-车1").status is UnitStatus.EN_ROUTE
    assert step(town, Stamp.ARRIVED, after_s=50) == ["AssignmentArrived"]
    # then the promise is kept, and both clocks are told
    arrived = town.log[-1].event
    assert isinstance(arrived, AssignmentArrived)
    assert (arrived.from_dispatch_s, arrived.from_received_s) == (56.0, 56.0)
    assert arrived.on_target is True
    assert town.incident().on_target is True
    assert town.incident().status is IncidentStatus.ON_SCENE
    assert town.unit("北塔1号-车1").status is UnitStatus.ON_SCENE
    # when it reports, clears, and the incident is closed
    report = Feedback(category_final="help", valid=True, text="已劝下")
    town.ask(
        StampAssignment(
            assignment_id=town.assignment().assignment_id, stamp=Stamp.FEEDBACK, feedback=report
        ),
        after_s=600,
    )
    assert town.incident().status is IncidentStatus.FED_BACK
    assert (town.incident().category_final, town.incident().valid) == ("help", True)
    assert step(town, Stamp.CLEARED, after_s=60) == ["AssignmentCleared"]
    assert town.unit("北塔1号-车1").status is UnitStatus.RETURNING
    assert town.unit("北塔1号-车1").is_free
    closed = town.ask(CloseIncident(incident_id=IncidentId("I000001"), reason="已办结"))
    # then it leaves the board and goes to history whole
    assert town.board.incidents == {}
    assert town.board.assignments == {}
    assert closed.incident is not None
    assert closed.incident.status is IncidentStatus.CLOSED
    assert closed.closed[0].assignments[0].state is AssignmentState.CLEARED
    assert town.replayed() == town.board


def test_the_fastest_by_road_goes_not_the_nearest_as_the_crow_flies() -> None:
    # given a crew across the river, one block away, and one three blocks away on this side
    town = Town().with_unit("C1", (5, 4)).with_unit("C2", (2, 5))
    town.roads.size = 8
    for x in range(7):
        town.roads.shut((x, 4), (x, 5))  # the only bridge is at x = 7
    # when a call comes in on this side
    decision = town.ask(call(5, 5))
    # then the second goes, and the receipt shows both
    assert decision.recommendation is not None
    first, second = decision.recommendation.candidates
    assert (first.unit_id, first.straight_line_m, first.eta_s) == ("C2", 300.0, 32.0)
    assert (second.unit_id, second.straight_line_m, second.eta_s) == ("C1", 100.0, 52.0)
    assert decision.recommendation.chosen == ("C2",)


def test_equal_times_go_to_the_smaller_id() -> None:
    town = Town().with_unit("C2", (4, 5)).with_unit("C1", (6, 5))
    assert town.ask(call(5, 5)).assignments[0].unit_id == "C1"


def test_turnout_counts() -> None:
    """A crew that sits in its car beats a nearer one that has to get in."""
    town = Town().with_unit("C1", (5, 4), status=UnitStatus.STANDBY).with_unit("C2", (5, 3))
    decision = town.ask(call(5, 5))
    assert decision.recommendation is not None
    assert [one.eta_s for one in decision.recommendation.candidates] == [22.0, 30.0]
    assert decision.recommendation.chosen == ("C2",)


def test_nobody_free_the_incident_waits_and_the_first_freed_unit_serves_it() -> None:
    # given one crew, at work
    town = Town().with_unit("C1", (0, 0))
    town.ask(call(1, 1))
    # when two more calls come in, the second more urgent
    waiting = town.ask(call(2, 2, priority=3))
    town.ask(call(3, 3, priority=1), after_s=5)
    # then both are recorded, with what is missing
    assert kinds(waiting.events) == ["IncidentReceived", "UnitsChosen"]
    assert waiting.assignments == ()
    assert waiting.recommendation is not None
    [short] = waiting.recommendation.shortfall
    assert (short.kind, short.wanted, short.found) == ("any", 1, 0)
    assert "area city" in short.why
    assert [one.incident_id for one in queue(town.board, town.now_ms)] == ["I000003", "I000002"]
    # when the crew clears, then the more urgent is served in the same decision
    events = step(town, Stamp.CLEARED, after_s=60)
    assert events[-3:] == ["AssignmentCleared", "UnitsChosen", "UnitDispatched"]
    assert town.assignment(2).incident_id == "I000003"
    assert town.assignment(2).by is ChosenBy.QUEUE
    assert town.incident(2).status is IncidentStatus.PENDING


def test_the_queue_runs_by_priority_then_time_left_then_id() -> None:
    town = Town()
    town.ask(call(1, 1, priority=2, target_s=None))
    town.ask(call(1, 1, priority=2, target_s=300))
    town.ask(call(1, 1, priority=2, target_s=60))
    town.ask(call(1, 1, priority=2, target_s=60))
    town.ask(call(1, 1, priority=1, target_s=300))
    order = [one.incident_id for one in queue(town.board, town.now_ms)]
    assert order == ["I000005", "I000003", "I000004", "I000002", "I000001"]


def test_a_unit_that_comes_on_duty_serves_the_queue() -> None:
    town = Town().with_unit("C1", (0, 0), status=UnitStatus.OFF_DUTY)
    town.ask(call(1, 1))
    assert town.incident().status is IncidentStatus.PENDING
    decision = town.ask(SetUnitStatus(unit_id=UnitId("C1"), status=UnitStatus.STANDBY))
    assert kinds(decision.events) == ["UnitStatusChanged", "UnitsChosen", "UnitDispatched"]


def test_units_stay_in_their_area_unless_the_place_is_in_none() -> None:
    town = Town().with_unit("C1", (0, 0)).with_unit("X1", (5, 5), area_id="county")
    assert town.ask(call(5, 5)).assignments[0].unit_id == "C1"
    assert town.ask(call(5, 5, area_id=None)).assignments[0].unit_id == "X1"


def test_several_kinds_are_served_specific_kinds_first() -> None:
    """The nearest car is kept for "car"; "any" takes the next best."""
    town = Town().with_unit("C1", (5, 4)).with_unit("C2", (0, 0))
    town.with_unit("M1", (5, 1), kind=UnitKind.MOTORCYCLE)
    decision = town.ask(call(5, 5, required={"any": 1, "response_car": 1}))
    fills = {one.unit_id: one.fills for one in decision.assignments}
    assert fills == {"C1": "response_car", "M1": "any"}
    assert decision.recommendation is not None
    assert [one.unit_id for one in decision.recommendation.candidates] == ["C1", "M1", "C2"]


def test_a_shortfall_is_named_and_served_when_a_unit_frees() -> None:
    # given two crews, one at work, and a call that needs two
    town = Town().with_unit("C1", (0, 0)).with_unit("C2", (9, 9))
    town.ask(call(0, 1))
    decision = town.ask(call(8, 8, required={"any": 2}))
    # then one goes and the other is missing, by name
    assert [one.unit_id for one in decision.assignments] == ["C2"]
    assert decision.recommendation is not None
    assert decision.recommendation.shortfall[0].found == 1
    assert town.incident(2).unmet == {"any": 1}
    # when the first crew clears, then it goes too
    step(town, Stamp.CLEARED, after_s=10)
    assert town.assignment(3).unit_id == "C1"
    assert town.incident(2).unmet == {}


def test_alternatives_of_the_city_s_own_are_understood() -> None:
    town = Town().with_unit("V1", (0, 0), kind=UnitKind.COMMAND_VEHICLE)
    town.with_unit("C1", (5, 5))
    decision = town.ask(call(5, 4, required={"command_vehicle|assault_team": 1}))
    assert [one.unit_id for one in decision.assignments] == ["V1"]


@pytest.mark.parametrize(("last_resort", "sent"), [(True, ["V1"]), (False, [])])
def test_the_command_vehicle_is_the_last_resort(last_resort: bool, sent: list[str]) -> None:
    town = Town(rules=Rules(command_vehicle_last_resort=last_resort))
    town.with_unit("C1", (0, 0)).with_unit("V1", (5, 5), kind=UnitKind.COMMAND_VEHICLE)
    assert town.ask(call(5, 5)).assignments[0].unit_id == "C1"
    assert [one.unit_id for one in town.ask(call(5, 5)).assignments] == sent


def test_free_units_without_a_road_are_told_from_none_free() -> None:
    town = Town().with_unit("C1", (0, 0))
    town.roads.shut((0, 0), (1, 0))
    town.roads.shut((0, 0), (0, 1))
    decision = town.ask(call(5, 5))
    assert decision.recommendation is not None
    assert "no open road" in decision.recommendation.shortfall[0].why
    assert "no open road" in decision.recommendation.why
    outside = town.ask(call(5, 5, area_id=None, required={"motorcycle": 1}))
    assert outside.recommendation is not None
    assert outside.recommendation.shortfall[0].why == "no more are on duty and free"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, None, "20.0 s by road"),
        (
            None,
            ClosedStretch(length_m=120.4, roads=("西湖桥",), closure_ids=("C000002",)),
            "20.0 s by road; the last 120 m are closed: 西湖桥 (C000002)",
        ),
        (
            ClosedStretch(length_m=80.0, roads=(), closure_ids=("C000001", "C000003")),
            ClosedStretch(length_m=20.0, roads=("R1", "R2"), closure_ids=("C000001",)),
            "first 80 m are closed: C000001, C000003; the last 20 m are closed: R1, R2 (C000001)",
        ),
        (
            None,
            ClosedStretch(length_m=200.0, roads=("西湖桥",), closure_ids=("C000002",)),
            "20.0 s by road; all its 200 m are closed: 西湖桥 (C000002)",
        ),
    ],
)
def test_the_receipt_says_which_part_of_a_way_is_closed(
    first: ClosedStretch | None, last: ClosedStretch | None, said: str
) -> None:
    town = Town().with_unit("C1", (5, 3))
    town.roads.ends = (first, last)
    decision = town.ask(call(5, 5))
    assert decision.recommendation is not None
    assert decision.recommendation.candidates[0].reason.endswith(said)
    assert f"{said}; " in decision.recommendation.why


def test_manual_mode_proposes_and_sends_nobody() -> None:
    town = Town().with_unit("C1", (5, 4))
    decision = town.ask(call(5, 5, mode=DispatchMode.MANUAL))
    assert kinds(decision.events) == ["IncidentReceived"]
    assert decision.recommendation is not None
    assert decision.recommendation.chosen == ()
    assert decision.recommendation.candidates[0].unit_id == "C1"
    assert "waits for a dispatcher" in decision.recommendation.why
    # and a unit that frees is not sent either
    town.ask(SetUnitStatus(unit_id=UnitId("C1"), status=UnitStatus.OFF_DUTY))
    back = town.ask(SetUnitStatus(unit_id=UnitId("C1"), status=UnitStatus.POSTED))
    assert kinds(back.events) == ["UnitStatusChanged"]


def test_an_inquiry_needs_nobody() -> None:
    town = Town().with_unit("C1", (5, 4))
    decision = town.ask(call(5, 5, required={"any": 0}))
    assert kinds(decision.events) == ["IncidentReceived"]
    assert decision.recommendation is None
    assert queue(town.board, town.now_ms) == ()


def test_the_clock_may_start_when_the_call_is_received() -> None:
    """The same arrival: late by one clock, in time by the other."""
    for clock, kept in ((Clock.RECEIVED, False), (Clock.DISPATCHED, True)):
        town = Town(rules=Rules(clock=clock)).with_unit("C1", (5, 4))
        town.ask(call(5, 5, target_s=60))
        waiting = town.ask(call(5, 5, target_s=60))
        assert waiting.incident is not None
        step(town, Stamp.CLEARED, after_s=50)
        second = town.assignment(2)
        assert second.margin_s == (60 - 12 if kept else 60 - 50 - 12)
        assert second.on_target_predicted is kept
        step(town, Stamp.ARRIVED, number=2, after_s=30)
        assert town.incident(2).on_target is kept
        assert town.assignment(2).on_target is kept


def test_received_earlier_than_now_and_never_later() -> None:
    town = Town().with_unit("C1", (5, 4))
    earlier = town.ask(call(5, 5, received_at_ms=UnixMs(T0 - 30_000)))
    later = town.ask(call(5, 5, received_at_ms=UnixMs(T0 + 30_000)))
    assert earlier.incident is not None
    assert later.incident is not None
    assert earlier.incident.received_at_ms == T0 - 30_000
    assert later.incident.received_at_ms == T0


def test_outside_the_city_there_is_no_target() -> None:
    town = Town().with_unit("C1", (5, 4))
    decision = town.ask(call(5, 5, target_s=None))
    [sent] = decision.assignments
    assert (sent.target_s, sent.deadline_ms, sent.margin_s, sent.on_target_predicted) == (None,) * 4
    assert decision.recommendation is not None
    assert "no target here" in decision.recommendation.why
    step(town, Stamp.ARRIVED, after_s=1000)
    assert town.incident().on_target is None


def test_a_late_arrival_is_said_beforehand() -> None:
    town = Town().with_unit("C1", (0, 0))
    decision = town.ask(call(9, 9, target_s=60))
    assert decision.recommendation is not None
    assert "122 s after the target" in decision.recommendation.why


def test_incident_numbers_count_by_the_day_of_shanghai() -> None:
    town = Town()
    town.ask(call(1, 1))
    assert town.incident(1).incident_no == "JQ2026010100001"
    town.ask(call(1, 1), after_s=16 * 3600)  # midnight in Shaoyang, 16:00 UTC
    assert town.incident(2).incident_no == "JQ2026010200001"
    # a clock set back does not give the same number twice
    town.ask(call(1, 1), after_s=-7200)
    assert town.incident(3).incident_no == "JQ2026010200002"


def test_recommend_changes_nothing_and_shows_routes() -> None:
    town = Town().with_unit("C1", (5, 4)).with_unit("C2", (5, 3)).with_unit("C3", (5, 2))
    decision = town.ask(Recommend(location=place(5, 5), k=2))
    assert decision.events == ()
    assert decision.recommendation is not None
    assert [one.unit_id for one in decision.recommendation.candidates] == ["C1", "C2"]
    assert len(decision.recommendation.candidates[0].arcs) == 1
    assert decision.recommendation.incident_id is None


def test_recommend_for_an_incident_leaves_out_who_declined() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(9, 9, mode=DispatchMode.MANUAL))
    town.board = replace(
        town.board,
        incidents={
            town.incident().incident_id: replace(town.incident(), not_again=(UnitId("C1"),))
        },
    )
    decision = town.ask(Recommend(location=place(5, 5), incident_id=IncidentId("I000001")))
    assert decision.recommendation is not None
    assert decision.recommendation.candidates == ()
    with pytest.raises(IncidentUnknown, match="I000009"):
        town.ask(Recommend(location=place(5, 5), incident_id=IncidentId("I000009")))


@pytest.mark.parametrize(
    ("required", "what"),
    [({"tank": 1}, "no such kind"), ({"any": -1}, "0 or more"), ({"any": 51}, "at most 50")],
)
def test_a_need_that_cannot_be_is_refused(required: dict[str, int], what: str) -> None:
    with pytest.raises(BadRequirement, match=what):
        Town().ask(call(1, 1, required=required))


def test_the_board_and_the_queue_have_bounds() -> None:
    town = Town(rules=Rules(open_incidents_max=2)).with_unit("C1", (0, 0))
    town.ask(call(1, 1))
    town.ask(call(1, 1))
    with pytest.raises(QueueFull, match="2 open incidents") as refusal:
        town.ask(call(1, 1))
    assert refusal.value.retry_after_s == 5
    busy = Town(rules=Rules(waiting_max=1)).with_unit("C1", (0, 0))
    busy.ask(call(1, 1))
    busy.ask(call(1, 1))
    with pytest.raises(QueueFull, match="1 waiting incidents"):
        busy.ask(call(1, 1))


def test_the_receipt_is_in_the_log_without_routes() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5))
    receipt = town.log[1].event
    assert isinstance(receipt, UnitsChosen)
    assert receipt.candidates[0].arcs == ()
    assert receipt.by is ChosenBy.AUTO
    assert town.incident().recommendation is not None
    assert town.incident().recommendation.why == receipt.why


def test_a_closure_that_may_bar_the_way_is_named() -> None:
    town = Town().with_unit("C1", (0, 0))
    town.roads.shut((0, 0), (1, 0))
    town.roads.shut((0, 0), (0, 1))
    town.ask(CloseRoad(arcs=(1,), reason="flood"))
    decision = town.ask(call(5, 5))
    assert decision.recommendation is not None
    assert "C000001" in decision.recommendation.shortfall[0].why
