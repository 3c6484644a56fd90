"""The callers: synthetic incidents, drawn by hour, category and place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from itertools import accumulate
from random import Random
from typing import Any

from api.demo.habits import CallHabits, seeded_chance
from api.demo.service import Service
from api.demo.tally import Tally
from api.demo.town import Town, random_point
from api.demo.track import LonLat

SHAOYANG_TIME = timezone(timedelta(hours=8))
LOOK_AT_THE_CLOCK_EVERY_S = 60.0
MOST_URGENT = 1


class Callers:
    """Draws calls, the same sequence for the same seed and town, and reports them.

    The sequence does not depend on when the calls are made: only the time between two of them
    does, by the hour's weight.
    """

    def __init__(self, town: Town, habits: CallHabits, *, seed: int) -> None:
        self._habits = habits
        self._chance = seeded_chance(seed, "calls")
        self._waits = seeded_chance(seed, "waits")
        # A few places make most of the calls, which ones is drawn once.
        sigma = habits.place_weight_sigma
        self._places = town.places
        self._place_weights = _cumulative(self._chance, len(self._places), sigma)
        self._platforms = [point for _, point in sorted(town.platforms.items())]
        self._platform_weights = _cumulative(self._chance, len(self._platforms), sigma / 2.0)

    def calls(self) -> Iterator[dict[str, Any]]:
        """Bodies of `POST /v1/incidents`, without end."""
        categories = list(self._habits.category_weights)
        weights = list(self._habits.category_weights.values())
        while True:
            category = self._chance.choices(categories, weights)[0]
            text = self._chance.choice(self._habits.texts[category])
            call: dict[str, Any] = {
                "category": category,
                "description": f"模拟警情：{text}",
                "source": "110",
                **self._where(),
            }
            if self._chance.random() < self._habits.share_more_urgent:
                call["priority"] = MOST_URGENT
            yield call

    def _where(self) -> dict[str, Any]:
        by_name = self._chance.random() < self._habits.share_by_name
        place = (
            self._chance.choices(self._places, cum_weights=self._place_weights)[0]
            if self._places
            else None
        )
        around = self._chance.choices(self._platforms, cum_weights=self._platform_weights)[0]
        point = random_point(self._chance, around, spread_m=self._habits.spread_m)
        if place is not None and by_name:
            return {"place": place.name}
        return {"location": _location(point)}

    async def call_for_ever(
        self, service: Service, token: str, *, per_hour: float, tally: Tally
    ) -> None:
        """Report calls until cancelled; none when `per_hour` is 0."""
        if per_hour <= 0.0:
            return
        for call in self.calls():
            await self._wait_for_next(self._waits.expovariate(1.0), per_hour)
            reply = await service.post("/v1/incidents", token, call)
            if reply.status_code == HTTPStatus.CREATED:
                tally.add("incidents")
                tally.add("unserved", not reply.json()["assignments"])
            elif "place" in call:
                tally.add("refused")
            # A random point may lie in a river or a field: that call was never made.

    async def _wait_for_next(self, expected: float, per_hour: float) -> None:
        """Wait until so many calls are expected to have come at the rate of each hour passed."""
        while expected > 0.0:
            rate = self._habits.calls_per_s(per_hour, datetime.now(SHAOYANG_TIME).hour)
            pause_s = min(LOOK_AT_THE_CLOCK_EVERY_S, expected / rate)
            await asyncio.sleep(pause_s)
            expected -= pause_s * rate


def _location(point: LonLat) -> dict[str, float]:
    return {"lon": round(point[0], 6), "lat": round(point[1], 6)}


def _cumulative(chance: Random, count: int, sigma: float) -> list[float]:
    return list(accumulate(chance.lognormvariate(0.0, sigma) for _ in range(count)))
