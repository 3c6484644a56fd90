"""The demo's callers and crews: seeded, synthetic and within the published figures."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from api.demo.callers import Callers
from api.demo.habits import read_habits, seeded_chance
from api.demo.town import NamedPlace, Town

TOWN = Town(
    platforms={f"P{n:02}": (111.4 + n / 100, 27.2) for n in range(1, 11)},
    places=tuple(NamedPlace(name=f"路口{n}", point=(111.4 + n / 1000, 27.21)) for n in range(200)),
)


def _calls(seed: int, count: int) -> list[dict[str, object]]:
    return list(islice(Callers(TOWN, read_habits()[1], seed=seed).calls(), count))


def test_the_same_seed_makes_the_same_calls_and_another_seed_others() -> None:
    assert _calls(7, 50) == _calls(7, 50)
    assert _calls(7, 50) != _calls(8, 50)


def test_every_call_says_that_it_is_simulated_and_names_one_place() -> None:
    for call in _calls(1, 300):
        assert "模拟" in str(call["description"])
        assert call["source"] == "110"
        assert ("place" in call) != ("location" in call)


def test_the_mix_of_calls_is_the_published_one() -> None:
    mix = Counter(call["category"] for call in _calls(1, 4000))
    assert mix["traffic"] / 4000 == pytest.approx(0.32, abs=0.03)
    assert mix["criminal"] / 4000 == pytest.approx(0.06, abs=0.02)


def test_a_few_places_make_most_of_the_calls() -> None:
    named = Counter(call["place"] for call in _calls(1, 6000) if "place" in call)
    top = sum(count for _, count in named.most_common(len(TOWN.places) // 20))
    assert 0.25 < top / named.total() < 0.75


def test_a_day_of_hourly_rates_is_the_mean() -> None:
    _, calls = read_habits()
    day = sum(calls.calls_per_s(40.0, hour) * 3600.0 for hour in range(24))
    assert day == pytest.approx(40.0 * 24)


def test_crews_sign_within_30_s_as_often_as_published() -> None:
    crew, _ = read_habits()
    chance = seeded_chance(1, "test")
    delays = sorted(crew.plan(chance, speedup=5.0).ack_s for _ in range(20_000))
    assert sum(delay <= 30.0 for delay in delays) / len(delays) == pytest.approx(0.989, abs=0.004)
    assert delays[len(delays) // 2] == pytest.approx(6.0, abs=0.2)


def test_only_the_busy_time_is_sped_up() -> None:
    crew, _ = read_habits()
    slow = crew.plan(seeded_chance(3, "unit"), speedup=1.0)
    fast = crew.plan(seeded_chance(3, "unit"), speedup=10.0)
    assert fast.ack_s == slow.ack_s
    assert fast.turnout_s == slow.turnout_s
    assert fast.report_s + fast.clear_s == pytest.approx((slow.report_s + slow.clear_s) / 10.0)
