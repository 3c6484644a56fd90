"""西湖桥, southbound banned to motor vehicles from 7 to 9 and from 17 to 19 each day."""

from __future__ import annotations

from pathlib import Path

from dispatch.facts import DailyHours
from dispatch.questions import (
    CloseRoad,
)
from dispatch.rules import Rules
from dispatch.words import (
    AssignmentId,
    ClosureId,
    Direction,
    UnixMs,
)
from tests.shell_town import TestClock, ok, run
from tests.two_banks import (
    NORTH_CAR,
    SOUTHBOUND,
    leads_north,
    local,
    running,
    send_north_car_south,
    tick_at,
    way_south,
)

RUSH = tuple(
    DailyHours(from_minute=begin * 60, until_minute=end * 60) for begin, end in ((7, 9), (17, 19))
)
THE_BAN = CloseRoad(
    arcs=(SOUTHBOUND,), direction=Direction.FORWARD, daily=RUSH, reason="早晚高峰禁行"
)


def test_the_ban_begins_and_ends_each_day_for_the_next_decision_and_who_is_under_way(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        clock = TestClock(local(6, 50))
        async with running(tmp_path, clock) as runner:
            # given the ban, and a car that sets out over the bridge just before it begins
            await runner.ask(THE_BAN, actor="t", answer=ok)
            clock.at_ms = local(6, 59, 55)
            await send_north_car_south(runner)
            assert SOUTHBOUND in runner.board.assignments[AssignmentId("A000001")].arcs
            assert await tick_at(runner, clock, local(6, 59, 59)) == []
            assert SOUTHBOUND in way_south(runner)
            # when it strikes seven, then the next decision goes round, and so does the car
            [event] = await tick_at(runner, clock, local(7))
            assert (event.unit_id, event.cause) == (NORTH_CAR, "roads_changed")
            assert SOUTHBOUND not in event.arcs
            assert event.arcs
            assert SOUTHBOUND not in way_south(runner)
            assert leads_north(runner)
            # (the usual speeds change at eight, the bridge does not)
            later = await tick_at(runner, clock, local(8, 59, 59))
            assert all(SOUTHBOUND not in event.arcs for event in later)
            assert SOUTHBOUND not in way_south(runner)
            # when it strikes nine, the bridge is open
            [again] = await tick_at(runner, clock, local(9))
            assert SOUTHBOUND in again.arcs
            assert SOUTHBOUND in way_south(runner)

    run(scenario)


def test_the_ban_holds_in_its_hours_of_every_day(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock(local(0))
        async with running(tmp_path, clock) as runner:
            await runner.ask(THE_BAN, actor="t", answer=ok)
            for day in (5, 6):
                shut = []
                for hour in range(24):
                    await tick_at(runner, clock, local(hour, day=day))
                    if SOUTHBOUND not in way_south(runner):
                        shut.append(hour)
                    assert leads_north(runner)
                assert shut == [7, 8, 17, 18]

    run(scenario)


def test_the_ban_outlives_a_restart_in_its_hours_and_out_of_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock(local(6))
        async with running(tmp_path, clock) as runner:
            await runner.ask(THE_BAN, actor="t", answer=ok)
        clock.at_ms = local(7, 30)
        async with running(tmp_path, clock) as runner:
            assert runner.board.closures[ClosureId("C000001")].daily == RUSH
            assert SOUTHBOUND not in way_south(runner)
        clock.at_ms = local(12)
        async with running(tmp_path, clock) as runner:
            assert SOUTHBOUND in way_south(runner)
            await tick_at(runner, clock, local(17))
            assert SOUTHBOUND not in way_south(runner)

    run(scenario)


def test_a_ban_over_midnight_with_a_last_day(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock(local(20))
        night = DailyHours(from_minute=22 * 60, until_minute=5 * 60 + 30)
        until_ms = UnixMs(local(23, day=6))
        works = CloseRoad(arcs=(SOUTHBOUND,), daily=(night,), until_ms=until_ms)
        async with running(tmp_path, clock) as runner:
            await runner.ask(works, actor="t", answer=ok)
            shut = []
            for moment in (
                local(21, 59),
                local(22),
                local(5, 29, day=6),
                local(5, 30, day=6),
                local(22, day=6),
                local(23, day=6),
            ):
                await tick_at(runner, clock, moment)
                shut.append(SOUTHBOUND not in way_south(runner))
            assert shut == [False, True, True, False, True, False]
            assert not runner.board.closures

    run(scenario)


def test_a_way_as_quick_as_before_is_told_too_when_the_old_one_is_shut(tmp_path: Path) -> None:
    """The crew must not be left on the closed road because another costs the same."""

    async def scenario() -> None:
        clock = TestClock(local(6, 59, 50))
        # No gain or loss of time is told here, however large.
        rules = Rules(recheck_gain_s=1e9)
        async with running(tmp_path, clock, rules=rules) as runner:
            await runner.ask(THE_BAN, actor="t", answer=ok)
            await send_north_car_south(runner)
            sent = runner.board.assignments[AssignmentId("A000001")]
            [event] = await tick_at(runner, clock, local(7))
            assert SOUTHBOUND in sent.arcs
            assert SOUTHBOUND not in event.arcs

    run(scenario)
