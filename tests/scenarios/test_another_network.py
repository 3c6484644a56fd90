"""The network is replaced by a later one while roads are shut and a crew is under way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dispatch.events import AssignmentRechecked
from dispatch.facts import DailyHours
from dispatch.questions import CloseRoad, ReopenRoad
from dispatch.rules import Rules
from dispatch.runner import Runner
from dispatch.words import AssignmentId, ClosureId, Direction
from tests.road_graphs import point
from tests.shell_town import TestClock, ok, run
from tests.two_banks import (
    BRIDGE_WAY,
    NEW_NORTHBOUND,
    NEW_SOUTHBOUND,
    NEW_VERSION,
    SOUTH_CAR,
    SOUTHBOUND,
    leads_north,
    local,
    make_new_roads,
    on_the_north_bank,
    running,
    send_north_car_south,
    stretches,
    tick_at,
    way_south,
)

A1, C1 = AssignmentId("A000001"), ClosureId("C000001")


def by_edge(*arcs: int, **more: object) -> CloseRoad:
    """A closure by edge ids, as the gate hands it on."""
    return CloseRoad(arcs=arcs, stretches=stretches(*arcs), **more)  # type: ignore[arg-type]


BY_EDGE = by_edge(SOUTHBOUND, direction=Direction.FORWARD)
BY_LINE = CloseRoad(
    arcs=(SOUTHBOUND,),
    geometry=(point(1, 380), point(-1, 20)),
    is_area=False,
    direction=Direction.FORWARD,
)
BY_WAY = by_edge(SOUTHBOUND, direction=Direction.FORWARD, way_ids=(BRIDGE_WAY,))


def over_the_bridge(arcs: tuple[int, ...]) -> bool:
    return not set(NEW_SOUTHBOUND).isdisjoint(arcs)


def north_is_open(runner: Runner) -> bool:
    reach = runner.roads.travel(SOUTH_CAR, on_the_north_bank())
    return reach is not None and set(NEW_NORTHBOUND) <= set(reach.arcs)


@pytest.mark.parametrize("closure", [BY_EDGE, BY_LINE, BY_WAY], ids=["edge", "line", "way"])
def test_a_closure_goes_on_holding_on_the_new_network_in_its_direction(
    tmp_path: Path, closure: CloseRoad
) -> None:
    async def scenario() -> None:
        clock = TestClock(local(12))
        async with running(tmp_path, clock) as runner:
            await runner.ask(closure, actor="t", answer=ok)
            assert SOUTHBOUND not in way_south(runner)
            assert leads_north(runner)
        async with running(tmp_path, clock, roads=make_new_roads()) as runner:
            assert not over_the_bridge(way_south(runner))
            assert north_is_open(runner)
            assert runner.conditions.unfit == {}
            assert runner.conditions.arcs_of(runner.board.closures[C1]) == tuple(
                sorted(NEW_SOUTHBOUND)
            )
            # and it is lifted like any other
            await runner.ask(ReopenRoad(closure_id=C1), actor="t", answer=ok)
            assert over_the_bridge(way_south(runner))
        # Back on the old network there is no closure any more.
        async with running(tmp_path, clock) as runner:
            assert SOUTHBOUND in way_south(runner)

    run(scenario)


def test_daily_hours_go_on_holding_on_the_new_network(tmp_path: Path) -> None:
    async def scenario() -> None:
        rush = DailyHours(from_minute=7 * 60, until_minute=9 * 60)
        clock = TestClock(local(6))
        async with running(tmp_path, clock) as runner:
            ban = by_edge(SOUTHBOUND, daily=(rush,))
            await runner.ask(ban, actor="t", answer=ok)
        async with running(tmp_path, clock, roads=make_new_roads()) as runner:
            assert over_the_bridge(way_south(runner))
            await tick_at(runner, clock, local(7))
            assert not over_the_bridge(way_south(runner))
            await tick_at(runner, clock, local(9))
            assert over_the_bridge(way_south(runner))

    run(scenario)


def test_a_crew_under_way_gets_its_way_in_the_new_network_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock(local(12))
        async with running(tmp_path, clock) as runner:
            await send_north_car_south(runner)
        # As quick as before: it is the numbers of its way that mean other roads now.
        rules = Rules(recheck_gain_s=1e9)
        async with running(tmp_path, clock, roads=make_new_roads(), rules=rules) as runner:
            [event] = await tick_at(runner, clock, clock.at_ms + 200)
            assert event.road_version == NEW_VERSION
            assert over_the_bridge(event.arcs)
            assert await tick_at(runner, clock, clock.at_ms + 200) == []

    run(scenario)


def test_a_closure_that_begins_while_the_service_is_down_turns_the_crew_round(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        rush = DailyHours(from_minute=7 * 60, until_minute=9 * 60)
        clock = TestClock(local(6, 59, 58))
        async with running(tmp_path, clock) as runner:
            await runner.ask(CloseRoad(arcs=(SOUTHBOUND,), daily=(rush,)), actor="t", answer=ok)
            await send_north_car_south(runner)
            assert SOUTHBOUND in runner.board.assignments[A1].arcs
        clock.at_ms = local(7, 0, 1)
        async with running(tmp_path, clock) as runner:
            [event] = await tick_at(runner, clock, clock.at_ms)
            assert isinstance(event, AssignmentRechecked)
            assert SOUTHBOUND not in event.arcs
            assert await tick_at(runner, clock, clock.at_ms + 200) == []

    run(scenario)


def test_what_no_road_is_found_for_is_named_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        clock = TestClock(local(12))
        async with running(tmp_path, clock) as runner:
            # One as logs of before kept them, one whose street is pulled down, and a good one.
            for closure in (CloseRoad(arcs=(SOUTHBOUND,)), BY_EDGE, by_edge(0, 1)):
                await runner.ask(closure, actor="t", answer=ok)
        caplog.clear()
        roads = make_new_roads(bridge=False)
        async with running(tmp_path, clock, roads=roads) as runner:
            assert set(runner.conditions.unfit) == {"C000001", "C000002"}
            assert "only edge ids of that network were kept" in runner.conditions.unfit["C000001"]
            assert f"of way {BRIDGE_WAY}, lie on no road here" in runner.conditions.unfit["C000002"]
            assert "lift it and set it again" in runner.conditions.unfit["C000002"]
            told = [one for one in caplog.records if one.levelno >= logging.WARNING]
            assert len(told) == 2
            # It stays named when others are set and lifted, and is gone when it is lifted itself.
            await runner.ask(ReopenRoad(closure_id=ClosureId("C000003")), actor="t", answer=ok)
            assert set(runner.conditions.unfit) == {"C000001", "C000002"}
            await runner.ask(ReopenRoad(closure_id=C1), actor="t", answer=ok)
            assert set(runner.conditions.unfit) == {"C000002"}
            assert len([one for one in caplog.records if "C00000" in one.message]) == 2

    with caplog.at_level(logging.WARNING):
        run(scenario)
