"""Closures and speed factors as values."""

from __future__ import annotations

import pytest

from routing.conditions import HOUR_MS, Closure, ConditionInvalid, Conditions, SpeedFactor


def test_what_contradicts_itself_is_refused() -> None:
    for refused in (
        lambda: Closure(closure_id="x"),
        lambda: Closure(closure_id="x", arcs=(1,), from_ms=5, until_ms=5),
        lambda: Closure(closure_id="x", arcs=(1,), hours=frozenset()),
        lambda: Closure(closure_id="x", arcs=(1,), hours=frozenset({24})),
        lambda: SpeedFactor(factor_id="x", factor=0.0),
        lambda: SpeedFactor(factor_id="x", factor=float("nan")),
        lambda: SpeedFactor(factor_id="x", factor=1.0, road_class="alley"),
        lambda: SpeedFactor(factor_id="x", factor=1.0, road_class="primary", arcs=(1,)),
    ):
        with pytest.raises(ConditionInvalid, match="'x'"):
            refused()


def test_periods_hold_from_their_first_moment_and_not_at_their_last() -> None:
    closure = Closure(closure_id="x", arcs=(1,), from_ms=10, until_ms=20, hours=frozenset({7}))
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
    assert [conditions.next_change_ms(at_ms) for at_ms in (0, 10, 15, 20)] == [10, 15, 20, HOUR_MS]
