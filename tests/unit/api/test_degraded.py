"""A log that falls behind is told before it fails; a healthy service says nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.http.degraded import HEADER, Degraded
from dispatch.errors import StoreUnavailable
from dispatch.store import Settled
from dispatch.store.sqlite import SqliteStore
from tests.shell_town import TestClock, a_call, ok, open_runner, run


def test_a_disk_that_hangs_is_told_and_forgotten_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        degraded = Degraded(runner)
        await runner.ask(a_call(), actor="dispatcher:test", answer=ok)
        await degraded.look()
        assert (degraded.causes, degraded.headers({})) == ([], [])
        held: list[tuple[object, object, Settled]] = []
        write = SqliteStore.append
        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "append", lambda *call: held.append(call))
            waiting = asyncio.create_task(runner.ask(a_call(), actor="dispatcher:test", answer=ok))
            for _ in range(10):
                # To where it waits for the disk.
                await asyncio.sleep(0)
            assert held
            await degraded.look()
            # Once is no news: most decisions wait for the disk at some moment.
            assert degraded.causes == []
            await degraded.look()
            assert degraded.headers({}) == [(HEADER, b"store_failing")]
        write(*held[0])  # type: ignore[arg-type]
        await waiting
        await degraded.look()
        assert degraded.causes == []
        await runner.close()

    run(scenario)


def test_a_disk_that_failed_is_tried_again_though_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        runner = await open_runner(tmp_path, TestClock())
        degraded = Degraded(runner)
        # What a failed commit leaves behind.
        runner._store._commits.failing = True  # type: ignore[attr-defined]
        assert degraded.causes == ["store_failing"]
        refuse = StoreUnavailable("the disk is full")

        async def probe(_store: object) -> None:
            raise refuse

        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "probe", probe)
            await degraded.look()
        assert degraded.causes == ["store_failing"]
        await degraded.look()
        assert degraded.causes == []
        await runner.close()

    run(scenario)
