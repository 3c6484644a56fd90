"""The load, phase by phase: a calm city, a flood of fixes, a burst of incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any

from api.bench.errors import ServiceSilent
from api.bench.load.consoles import Body, Console
from api.bench.load.crews import Crew, fix_of
from api.bench.load.tally import Tally
from api.bench.street_points import StreetPoint

CALM, QUIET, FLOOD, BURST = "calm", "no flood", "flood", "burst"

FLOOD_FIXES_PER_S = 1_000
_BATCHES_PER_S = 20
_POSTS_PER_S = 4
_SETTLE_S = 30.0
_THIRDS = 3
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much load, and for how long.

    Attributes:
        calm_s: Seconds of one incident a second.
        windows: Pairs of windows without and with the flood of fixes, one after the other.
        window_s: Seconds of each window.
        burst: Incidents that come in at once.
    """

    calm_s: float
    windows: int
    window_s: float
    burst: int

    @property
    def incidents_max(self) -> int:
        """As many incidents as a run may take."""
        steady = self.calm_s + 2 * self.windows * self.window_s * _POSTS_PER_S
        return round(steady) + 2 * self.windows + self.burst + 1 + _THIRDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Everybody who takes part.

    Attributes:
        crews: The vehicles.
        consoles: The desks.
        flooder: Sends the flood of fixes.
        points: Where each unit is.
        incidents: Bodies of incidents, as many as the plan may take.
        tally: Where it is noted.
        memory_mb: Tells what the service holds now.
    """

    crews: Sequence[Crew]
    consoles: Sequence[Console]
    flooder: Console
    points: dict[str, StreetPoint]
    incidents: Iterator[Body]
    tally: Tally
    memory_mb: Callable[[], float]


async def play(plan: Plan, cast: Cast, say: Callable[[str], None]) -> float:
    """Run all phases; the seconds that the burst took until all were answered.

    Raises:
        ServiceSilent: The service stopped answering, or orders did not reach their crews.
    """
    living = [_living(one.live()) for one in cast.crews]
    living += [_living(one.follow()) for one in cast.consoles]
    try:
        # Everybody connects, and sends a first fix.
        await asyncio.sleep(4.0)
        _check(living)
        for third in range(1, _THIRDS + 1):
            say(f"calm: one incident a second, part {third} of {_THIRDS}")
            await _report_steadily(cast, CALM, every_s=1.0, for_s=plan.calm_s / _THIRDS)
            cast.tally.memory_mb.append(cast.memory_mb())
            _check(living)
        for _ in range(plan.windows):
            say("fixes: a window without, a window with 1,000 a second")
            await _report_steadily(cast, QUIET, every_s=1 / _POSTS_PER_S, for_s=plan.window_s)
            flood = _living(cast.flooder.send_fixes(_batches(cast.points), 1 / _BATCHES_PER_S))
            await _report_steadily(cast, FLOOD, every_s=1 / _POSTS_PER_S, for_s=plan.window_s)
            _check([flood])
            await _end([flood])
        say(f"burst: {plan.burst} incidents at once")
        cast.tally.in_burst = True
        took_s = await _burst(plan, cast)
        _check(living)
        await _settle(cast)
    finally:
        await _end(living)
        for console in (*cast.consoles, cast.flooder):
            console.hang_up()
    return took_s


async def _report_steadily(cast: Cast, phase: str, *, every_s: float, for_s: float) -> None:
    """One incident after the other at a steady rate; each console in turn."""
    next_s, end_s = perf_counter(), perf_counter() + for_s
    for console in cycle(cast.consoles):
        if perf_counter() >= end_s:
            return
        await console.report(next(cast.incidents), phase)
        next_s += every_s
        await asyncio.sleep(max(0.0, next_s - perf_counter()))


async def _burst(plan: Plan, cast: Cast) -> float:
    """All at once: each console reports its share, the next as soon as one is answered."""
    bodies = list(islice(cast.incidents, plan.burst))
    shares = [bodies[nth :: len(cast.consoles)] for nth in range(len(cast.consoles))]

    async def report_all(console: Console, share: list[Body]) -> None:
        for body in share:
            await console.report(body, BURST)

    began_s = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for console, share in zip(cast.consoles, shares, strict=True):
            tasks.create_task(report_all(console, share))
    return perf_counter() - began_s


def _batches(points: dict[str, StreetPoint]) -> Callable[[], list[Body]]:
    """Batches that go round the fleet."""
    around = cycle(points.items())
    size = FLOOD_FIXES_PER_S // _BATCHES_PER_S
    return lambda: [fix_of(unit_id, point) for unit_id, point in islice(around, size)]


async def _settle(cast: Cast) -> None:
    """Let crews drive through what was ordered, until no new order comes."""
    known, quiet_s = -1, perf_counter()
    end_s = perf_counter() + _SETTLE_S
    while perf_counter() < end_s and perf_counter() - quiet_s < 1.0:
        if len(cast.tally.heard) != known:
            known, quiet_s = len(cast.tally.heard), perf_counter()
        await asyncio.sleep(_LOOK_S)


def _living(life: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(life)


def _check(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Tell why somebody who should live has ended."""
    for task in tasks:
        if task.done():
            error = None if task.cancelled() else task.exception()
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise ServiceSilent(f"a client ended: {error or 'its stream was closed'}") from error


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
