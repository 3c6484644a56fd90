"""Incidents and arrivals are counted when they are durable, and each once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.event_counts import EventCounts
from api.metrics import Metrics
from dispatch.errors import CursorExpired, LogDamaged, StoreUnavailable
from dispatch.questions import StampAssignment
from dispatch.runner import Runner
from dispatch.running.tail import FeedEvent
from dispatch.store import Settled
from dispatch.store.sqlite import SqliteStore
from dispatch.words import Stamp
from tests.shell_town import TestClock, a_call, ok, open_runner, run

ACTOR = "dispatcher:test"


def received(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("kuaijing_incidents_total", {"category": "traffic"})


def arrived(metrics: Metrics) -> float | None:
    labels = {"zone_class": "core", "on_target": "true"}
    return metrics.registry.get_sample_value("kuaijing_arrivals_total", labels)


async def arrive(runner: Runner) -> None:
    key = list(runner.board.assignments)[-1]
    question = StampAssignment(assignment_id=key, stamp=Stamp.ARRIVED)
    await runner.ask(question, actor=ACTOR, answer=ok)


def test_each_is_counted_once_from_the_opening_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = TestClock()
        runner = await open_runner(tmp_path, clock)
        await runner.ask(a_call(), actor=ACTOR, answer=ok)
        metrics = Metrics()
        counts = EventCounts(runner, metrics)
        for _ in range(3):
            await runner.ask(a_call(), actor=ACTOR, answer=ok)
        clock.pass_s(30)
        await arrive(runner)
        for _ in range(2):
            await counts.catch_up()
            assert (received(metrics), arrived(metrics)) == (3, 1)
        await runner.close()

    run(scenario)


def test_what_the_disk_refused_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        metrics = Metrics()
        counts = EventCounts(runner, metrics)

        def refuse(_store: object, _append: object, settled: Settled) -> None:
            refusal = StoreUnavailable("the disk is full")
            asyncio.get_running_loop().call_soon(settled, refusal)

        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "append", refuse)
            with pytest.raises(StoreUnavailable):
                await runner.ask(a_call(), actor=ACTOR, answer=ok)
        await counts.catch_up()
        assert received(metrics) is None
        await runner.ask(a_call(), actor=ACTOR, answer=ok)
        await counts.catch_up()
        assert received(metrics) == 1
        await runner.close()

    run(scenario)


def test_a_log_that_is_damaged_or_too_far_back_does_not_end_the_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        metrics = Metrics()
        counts = EventCounts(runner, metrics)
        try:
            await runner.ask(a_call(), actor=ACTOR, answer=ok)
            behind = runner.durable_seq
            await runner.ask(a_call(), actor=ACTOR, answer=ok)
            refusals = [
                LogDamaged(1, why="its bytes are not those that were written"),
                CursorExpired(after=0, oldest=behind + 1),
            ]
            read = Runner.read_events

            async def refuse(one: Runner, after: int) -> Sequence[FeedEvent]:
                if refusals:
                    raise refusals.pop(0)
                return await read(one, after)

            monkeypatch.setattr(Runner, "read_events", refuse)
            for counted in (None, None, 1):
                await counts.catch_up()
                assert received(metrics) == counted
        finally:
            await runner.close()

    run(scenario)
