"""How simulated crews and callers behave: figures of `habits.json`, drawn by seeded chance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from random import Random
from typing import Any

HOURS_PER_DAY = 24


def seeded_chance(seed: int, whose: str) -> Random:
    """A source of chance of one's own: one actor's draws do not shift another's."""
    return Random(f"{seed}:{whose}")  # noqa: S311 - simulation, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlan:
    """What one crew will do with one order, drawn when it comes in.

    Attributes:
        ack_s: Seconds until the crew signs for it.
        turnout_s: Seconds from there until it rolls.
        report_s: Seconds on scene until the scene report.
        clear_s: Seconds from the report until the crew is free.
        valid: False for a nuisance call.
    """

    ack_s: float
    turnout_s: float
    report_s: float
    clear_s: float
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewHabits:
    """Medians and spreads of what crews do; all are lognormal."""

    ack_median_s: float
    ack_sigma: float
    turnout_median_s: float
    turnout_sigma: float
    busy_median_s: float
    busy_sigma: float
    share_busy_until_feedback: float
    share_invalid: float
    patrol_radius_m: float
    patrol_stay_median_s: float
    patrol_stay_sigma: float

    def plan(self, chance: Random, *, speedup: float) -> OrderPlan:
        """Draw one order's delays; only the busy time is shortened by `speedup`."""
        busy_s = _lognormal(chance, self.busy_median_s, self.busy_sigma) / speedup
        report_s = busy_s * self.share_busy_until_feedback
        return OrderPlan(
            ack_s=_lognormal(chance, self.ack_median_s, self.ack_sigma),
            turnout_s=_lognormal(chance, self.turnout_median_s, self.turnout_sigma),
            report_s=report_s,
            clear_s=busy_s - report_s,
            valid=chance.random() >= self.share_invalid,
        )

    def stay_s(self, chance: Random) -> float:
        """Draw how long a patrol stands at a point before it drives on."""
        return _lognormal(chance, self.patrol_stay_median_s, self.patrol_stay_sigma)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHabits:
    """When people call, what about, and where from."""

    hour_weights: Sequence[float]
    category_weights: Mapping[str, float]
    share_more_urgent: float
    share_by_name: float
    place_weight_sigma: float
    spread_m: float
    texts: Mapping[str, Sequence[str]]

    def calls_per_s(self, mean_per_hour: float, hour: int) -> float:
        """Rate of calls in this hour of the day, where a day's mean is `mean_per_hour`."""
        share = self.hour_weights[hour % HOURS_PER_DAY] / sum(self.hour_weights)
        return mean_per_hour * HOURS_PER_DAY * share / 3600.0


def read_habits() -> tuple[CrewHabits, CallHabits]:
    """Read `habits.json` of this package."""
    text = files("api.demo").joinpath("habits.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return CrewHabits(**_figures(table["crew"])), CallHabits(**_figures(table["calls"]))


def _figures(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name != "note"}


def _lognormal(chance: Random, median: float, sigma: float) -> float:
    return chance.lognormvariate(math.log(median), sigma)
