"""Closures and speed factors as values."""

from __future__ import annotations

import pytest

from routing.conditions import Closure, Conditions, SpeedFactor
from routing.daily import DailyHours
from routing.errors import ConditionInvalid

HOUR_MS = 3_600_000
MORNING = DailyHours(from_minute=7 * 60, until_minute=8 * 60)


def test_what_contradicts_itself_is_refused() -> None:
    for refused in (
        lambda: Closure(closure_id="x"),
        lambda: Closure(closure_id="x", arcs=(1,), from_ms=5, until_ms=5),
        lambda: SpeedFactor(factor_id="x", factor=0.0),
        lambda: SpeedFactor(factor_id="x", factor=float("nan")),
        lambda: SpeedFactor(factor_id="x", factor=1.0, road_class="alley"),
        lambda: SpeedFactor(factor_id="x", factor=1.0, road_class="primary", arcs=(1,)),
    ):
        with pytest.raises(ConditionInvalid, match="'x'"):
            refused()


def test_periods_hold_from_their_first_moment_and_not_at_their_last() -> None:
    closure = Closure(closure_id="x", arcs=(1,), from_ms=10, until_ms=20, daily=(MORNING,))
    conditions = Conditions((closure,))
    held = [
        bool(conditions.at(at_ms, hour).closures)
        for at_ms, hour in ((9, 7), (10, 7), (19, 7), (20, 7), (15, 8))
    ]
    assert held == [False, True, True, False, False]


def test_the_next_change_is_the_nearest_edge_or_hour() -> None:
    closure = Closure(closure_id="x", arcs=(1,), from_ms=10, until_ms=20)
    factor = SpeedFactor(factor_id="y", factor=2.0, from_ms=15)
    conditions = Conditions((closure,), (factor,))
    found = [conditions.next_change_ms(at_ms, 0) for at_ms in (0, 10, 15, 20)]
    assert found == [10, 15, 20, HOUR_MS]


def test_daily_hours_hold_to_the_minute_and_over_midnight() -> None:
    rush = DailyHours(from_minute=7 * 60 + 30, until_minute=9 * 60)
    assert [rush.hold_at(minute) for minute in (449, 450, 539, 540)] == [False, True, True, False]
    night = DailyHours(from_minute=22 * 60, until_minute=6 * 60)
    assert [hour for hour in range(24) if night.hold_at(hour * 60)] == [*range(6), 22, 23]
    to_midnight = DailyHours(from_minute=23 * 60, until_minute=0)
    assert [minute for minute in range(1_440) if to_midnight.hold_at(minute)] == [
        *range(1380, 1440)
    ]


@pytest.mark.parametrize(("begin", "end"), [(420, 420), (-1, 60), (0, 1_440), (1_440, 0)])
def test_daily_hours_that_are_none(begin: int, end: int) -> None:
    with pytest.raises(ConditionInvalid, match="daily hours"):
        DailyHours(from_minute=begin, until_minute=end)


def test_the_next_edge_of_daily_hours_is_the_next_change_whatever_the_zone() -> None:
    # 2026-01-01T00:00:20Z: 08:00:20 in Shaoyang, 05:30:20 in Kolkata.
    at_ms = 1_767_225_620_000
    minute_ms = at_ms - 20_000
    half_past = DailyHours(from_minute=8 * 60 + 30, until_minute=9 * 60 + 15)
    conditions = Conditions((Closure(closure_id="x", arcs=(1,), daily=(half_past,)),))
    assert conditions.next_change_ms(at_ms, 8, 0) == minute_ms + 30 * 60_000
    assert conditions.next_change_ms(at_ms, 9, 0) == minute_ms + 15 * 60_000
    assert conditions.next_change_ms(at_ms, 9, 15) == minute_ms + 45 * 60_000
    assert conditions.next_change_ms(at_ms, 5, 30) == minute_ms + 30 * 60_000
