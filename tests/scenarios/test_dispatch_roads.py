"""Roads shut and open while units are under way."""

from __future__ import annotations

import pytest

from dispatch.errors import BadPeriod, ClosureUnknown, QueueFull, SpeedFactorUnknown, VersionStale
from dispatch.events import AssignmentRechecked, RoadReopened, SpeedFactorLifted
from dispatch.questions import (
    CloseRoad,
    LiftSpeedFactor,
    PassTime,
    RecheckRoutes,
    ReopenRoad,
    SetSpeedFactor,
    StampAssignment,
)
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentId,
    ClosureId,
    IncidentStatus,
    SpeedFactorId,
    Stamp,
    UnixMs,
)
from tests.toy_town import T0, Town, call, kinds


def under_way(target_s: int | None = 40) -> Town:
    """One crew, two blocks from its incident, just departed."""
    town = Town().with_unit("C1", (5, 3))
    town.ask(call(5, 5, target_s=target_s))
    town.ask(StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.DEPARTED))
    return town


def test_a_closure_on_the_way_gives_a_new_way_and_says_who_will_be_late() -> None:
    # given a crew that will be there 18 s before the target
    town = under_way()
    assert town.assignment().on_target_predicted is True
    # when the road before it is shut
    arcs = town.roads.shut((5, 4), (5, 5))
    closed = town.ask(CloseRoad(arcs=arcs, way_ids=(7,), reason="flood"))
    assert kinds(closed.events) == ["RoadClosed"]
    assert closed.closure is not None
    assert (closed.closure.closure_id, closed.closure.from_ms) == ("C000001", T0)
    decision = town.ask(RecheckRoutes(arcs=frozenset(arcs)), after_s=5)
    # then it gets the way round, which is too long
    [event] = decision.events
    assert isinstance(event, AssignmentRechecked)
    assert (event.cause, event.travel_s, event.newly_late) == ("roads_changed", 40.0, True)
    assert town.assignment().margin_s == -5.0
    assert town.assignment().conditions_version == 1
    assert not set(town.assignment().arcs) & set(arcs)
    # and asking again changes nothing
    assert town.ask(RecheckRoutes(arcs=frozenset(arcs))).events == ()


def test_a_closure_elsewhere_touches_nobody() -> None:
    town = under_way()
    arcs = town.roads.shut((9, 9), (10, 9))
    assert town.ask(RecheckRoutes(arcs=frozenset(arcs))).events == ()
    assert town.ask(RecheckRoutes()).events == ()


def test_a_crew_cut_off_is_said_and_said_again_when_it_is_free() -> None:
    town = under_way(target_s=None)
    around = [((5, 3), (5, 4)), ((5, 2), (5, 3)), ((4, 3), (5, 3)), ((5, 3), (6, 3))]
    for start, end in around:
        town.roads.shut(start, end)
    [event] = town.ask(RecheckRoutes()).events
    assert isinstance(event, AssignmentRechecked)
    assert (event.travel_s, event.newly_late) == (None, False)
    assert town.ask(RecheckRoutes()).events == ()
    town.roads.closed.clear()
    [event] = town.ask(RecheckRoutes()).events
    assert isinstance(event, AssignmentRechecked)
    assert event.travel_s == 20.0


def test_slower_roads_are_told_when_the_arrival_moves_enough() -> None:
    town = under_way()
    factor = town.ask(SetSpeedFactor(factor=0.5, road_class="primary", reason="rain"))
    assert kinds(factor.events) == ["SpeedFactorSet"]
    town.roads.slow = dict.fromkeys(range(2000), 2.0)
    assert kinds(town.ask(RecheckRoutes()).events) == ["AssignmentRechecked"]
    town.roads.slow = dict.fromkeys(range(2000), 2.2)  # 4 s more: below the rule's 5 s
    assert town.ask(RecheckRoutes()).events == ()


def test_a_road_that_opens_lets_a_unit_reach_who_waits() -> None:
    town = Town().with_unit("C1", (0, 0))
    shut = [*town.roads.shut((0, 0), (1, 0)), *town.roads.shut((0, 0), (0, 1))]
    town.ask(CloseRoad(arcs=tuple(shut)))
    town.ask(call(5, 5))
    assert town.incident().status is IncidentStatus.PENDING
    # asked in vain, nothing is written down again
    assert town.ask(RecheckRoutes()).events == ()
    reopened = town.ask(ReopenRoad(closure_id=ClosureId("C000001"), if_version=1))
    assert kinds(reopened.events) == ["RoadReopened"]
    town.roads.closed.clear()
    assert kinds(town.ask(RecheckRoutes()).events) == ["UnitsChosen", "UnitDispatched"]


def test_timed_closures_and_factors_end_by_themselves() -> None:
    town = Town()
    until_ms = UnixMs(T0 + 60_000)
    town.ask(CloseRoad(arcs=(1,), from_ms=T0, until_ms=until_ms))
    town.ask(CloseRoad(arcs=(2,)))
    town.ask(SetSpeedFactor(factor=0.5, from_ms=T0, until_ms=until_ms))
    town.ask(SetSpeedFactor(factor=0.5))
    decision = town.ask(PassTime(), after_s=60)
    assert decision.events == (
        RoadReopened(at_ms=until_ms, closure_id=ClosureId("C000001"), expired=True),
        SpeedFactorLifted(at_ms=until_ms, factor_id=SpeedFactorId("F000001"), expired=True),
    )
    assert list(town.board.closures) == ["C000002"]
    assert list(town.board.speed_factors) == ["F000002"]
    assert town.replayed() == town.board


def test_what_is_lifted_must_be_there_and_as_it_was_read() -> None:
    town = Town()
    with pytest.raises(ClosureUnknown, match="C000001"):
        town.ask(ReopenRoad(closure_id=ClosureId("C000001")))
    with pytest.raises(SpeedFactorUnknown, match="F000001"):
        town.ask(LiftSpeedFactor(factor_id=SpeedFactorId("F000001")))
    town.ask(CloseRoad(arcs=(1,)))
    town.ask(SetSpeedFactor(factor=0.5))
    with pytest.raises(VersionStale):
        town.ask(ReopenRoad(closure_id=ClosureId("C000001"), if_version=9))
    lifted = town.ask(LiftSpeedFactor(factor_id=SpeedFactorId("F000001"), if_version=1))
    assert kinds(lifted.events) == ["SpeedFactorLifted"]
    assert lifted.speed_factor is not None


@pytest.mark.parametrize(
    ("from_s", "until_s", "over_s"), [(None, 0, 0), (None, -60, 60), (-120, -60, 60), (60, 30, 30)]
)
def test_a_condition_that_would_be_over_at_once_is_refused_and_not_recorded(
    from_s: int | None, until_s: int, over_s: int
) -> None:
    town = Town()
    from_ms = None if from_s is None else UnixMs(T0 + from_s * 1000)
    until_ms = UnixMs(T0 + until_s * 1000)
    why = f"over {over_s} s before it takes effect"
    with pytest.raises(BadPeriod, match=why):
        town.ask(CloseRoad(arcs=(1,), from_ms=from_ms, until_ms=until_ms))
    with pytest.raises(BadPeriod, match=why):
        town.ask(SetSpeedFactor(factor=0.5, from_ms=from_ms, until_ms=until_ms))
    assert town.log == []


def test_conditions_have_a_bound() -> None:
    town = Town(rules=Rules(closures_max=1, speed_factors_max=1))
    town.ask(CloseRoad(arcs=(1,)))
    town.ask(SetSpeedFactor(factor=0.5))
    with pytest.raises(QueueFull, match=r"1 closures are held already.*lift some first"):
        town.ask(CloseRoad(arcs=(2,)))
    with pytest.raises(QueueFull, match=r"1 speed factors are held already.*lift some first"):
        town.ask(SetSpeedFactor(factor=0.6))
