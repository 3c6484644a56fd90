"""A vehicle's long-poll is woken by its own news and by nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from api.http.inbox_bell import InboxBell, contents
from dispatch.board import Board, open_board
from dispatch.runner import Runner
from dispatch.running.tail import Tail
from dispatch.words import UnitId, UnitStatus
from tests.shell_town import make_city

ONE, OTHER = UnitId("P01-C1"), UnitId("P02-C1")


@dataclass
class Shown:
    """What the bell sees of a runner: a durable board and the end of the log."""

    board: Board
    tail: Tail

    @property
    def durable_seq(self) -> int:
        return self.board.seq

    def change(self, unit_id: UnitId) -> None:
        unit = replace(self.board.units[unit_id], status=UnitStatus.PATROLLING)
        units = {**self.board.units, unit_id: unit}
        self.board = replace(self.board, units=units, seq=self.board.seq + 1)
        self.tail.publish([cast(Any, SimpleNamespace(seq=self.board.seq))])


def shown() -> Shown:
    return Shown(open_board(make_city()), Tail(head=0, render=lambda _recorded: b""))


def test_only_who_is_concerned_wakes() -> None:
    async def story() -> None:
        runner = shown()
        bell = InboxBell(cast(Runner, runner))
        waits = {
            unit_id: asyncio.create_task(bell.wait(unit_id, contents(runner.board, unit_id), 5.0))
            for unit_id in (ONE, OTHER)
        }
        await asyncio.sleep(0.01)
        runner.change(ONE)
        assert await asyncio.wait_for(waits[ONE], 1.0) is True
        assert not waits[OTHER].done()
        runner.change(OTHER)
        assert await asyncio.wait_for(waits[OTHER], 1.0) is True

    asyncio.run(story())


def test_a_change_between_the_look_and_the_wait_is_not_missed() -> None:
    async def story() -> None:
        runner = shown()
        seen = contents(runner.board, ONE)
        runner.change(ONE)
        assert await InboxBell(cast(Runner, runner)).wait(ONE, seen, 1.0) is True

    asyncio.run(story())


def test_without_news_the_wait_ends() -> None:
    async def story() -> None:
        runner = shown()
        bell = InboxBell(cast(Runner, runner))
        assert await bell.wait(ONE, contents(runner.board, ONE), 0.05) is False

    asyncio.run(story())
