"""A unit is lent to another area: sent there and there only, and given back."""

from __future__ import annotations

import pytest

from dispatch.errors import BadLoan, BadPeriod, StateConflict, UnitUnknown, VersionStale
from dispatch.events import LoanEnded, UnitDispatched
from dispatch.questions import EndLoan, LendUnit, PassTime, StampAssignment
from dispatch.words import AssignmentId, Stamp, UnitId, UnixMs
from tests.toy_town import T0, Town, call, kinds

C1 = UnitId("C1")
COUNTY = "county"


@pytest.fixture
def town() -> Town:
    """Two cars of the city; the county has none."""
    return Town().with_unit("C1", (5, 4)).with_unit("C2", (5, 1))


def test_nobody_crosses_the_border_without_a_loan(town: Town) -> None:
    decision = town.ask(call(5, 5, area_id=COUNTY))
    assert decision.assignments == ()
    [short] = decision.recommendation.shortfall
    assert "another area may lend some" in short.why


def test_a_lent_unit_serves_what_waits_there_at_once(town: Town) -> None:
    town.ask(call(5, 5, area_id=COUNTY))
    decision = town.ask(LendUnit(unit_id=C1, area_id=COUNTY, reason="flood"))
    assert kinds(decision.events) == ["UnitLent", "UnitsChosen", "UnitDispatched"]
    assert town.assignment().unit_id == C1
    unit = town.unit("C1")
    assert (unit.area_id, unit.loan.home_area_id, unit.loan.reason) == (COUNTY, "city", "flood")


def test_it_is_not_sent_at_home_meanwhile(town: Town) -> None:
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY))
    town.ask(call(5, 4))
    assert town.assignment().unit_id == "C2", "the nearer one is lent"


def test_given_back_it_serves_what_waits_at_home(town: Town) -> None:
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY))
    town.ask(call(5, 4))
    town.ask(call(5, 5))
    decision = town.ask(EndLoan(unit_id=C1))
    assert kinds(decision.events) == ["LoanEnded", "UnitsChosen", "UnitDispatched"]
    assert (town.unit("C1").area_id, town.unit("C1").loan) == ("city", None)
    assert town.replayed() == town.board


def test_a_loan_runs_out_by_itself(town: Town) -> None:
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY, until_ms=UnixMs(T0 + 60_000)))
    assert town.ask(PassTime(), after_s=59.9).events == ()
    [ended] = town.ask(PassTime(), after_s=0.1).events
    assert ended == LoanEnded(at_ms=town.now_ms, unit_id=C1, area_id=COUNTY, expired=True)


def test_a_call_is_finished_before_a_loan_runs_out(town: Town) -> None:
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY, until_ms=UnixMs(T0 + 60_000)))
    town.ask(call(5, 5, area_id=COUNTY))
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    town.ask(PassTime(), after_s=600)
    assert town.unit("C1").area_id == COUNTY, "it is bound there"
    cleared = town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.CLEARED))
    assert kinds(cleared.events)[-1] == "LoanEnded"
    assert town.ask(PassTime(), after_s=0.25).events == ()


def test_a_loan_that_ran_out_ends_although_more_waits_there(town: Town) -> None:
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY, until_ms=UnixMs(T0 + 60_000)))
    town.ask(call(5, 5, area_id=COUNTY))
    town.ask(call(5, 5, area_id=COUNTY))
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    town.ask(PassTime(), after_s=600)
    cleared = town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.CLEARED))
    assert not [event for event in cleared.events if isinstance(event, UnitDispatched)]
    assert (town.unit("C1").area_id, town.unit("C1").loan) == ("city", None)
    assert town.replayed() == town.board


def test_a_unit_on_a_call_may_be_lent_and_finishes_it_first(town: Town) -> None:
    town.ask(call(5, 4))
    town.ask(call(5, 5, area_id=COUNTY))
    decision = town.ask(LendUnit(unit_id=C1, area_id=COUNTY))
    assert kinds(decision.events) == ["UnitLent"]
    assert town.assignment().state.is_active
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.ARRIVED))
    cleared = town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.CLEARED))
    [sent] = [event for event in cleared.events if isinstance(event, UnitDispatched)]
    assert (sent.unit_id, sent.incident_id) == (C1, "I000002")


def test_what_cannot_be_lent_is_refused_and_changes_nothing(town: Town) -> None:
    with pytest.raises(UnitUnknown):
        town.ask(LendUnit(unit_id=UnitId("C9"), area_id=COUNTY))
    with pytest.raises(BadLoan, match="belongs to city"):
        town.ask(LendUnit(unit_id=C1, area_id="city"))
    with pytest.raises(BadPeriod, match="over 60 s before"):
        town.ask(LendUnit(unit_id=C1, area_id=COUNTY, until_ms=UnixMs(T0 - 60_000)))
    with pytest.raises(VersionStale):
        town.ask(LendUnit(unit_id=C1, area_id=COUNTY, if_version=7))
    with pytest.raises(StateConflict, match="it is not lent"):
        town.ask(EndLoan(unit_id=C1))
    assert town.log == []
    town.ask(LendUnit(unit_id=C1, area_id=COUNTY))
    with pytest.raises(StateConflict, match="lent to county: end that loan"):
        town.ask(LendUnit(unit_id=C1, area_id="elsewhere"))
