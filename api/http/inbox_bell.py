"""Wakes a vehicle's long-poll when its own inbox changed, and leaves all others asleep.

With one waiter a vehicle, waking everybody at each event would cost some hundred task switches an
event. One follower looks at the board after each commit and rings only for whom it differs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from dispatch.board import Board
from dispatch.resources import Assignment, Incident, UnitOnBoard
from dispatch.runner import Runner
from dispatch.words import UnitId

FOLLOW_S = 1.0
"""How long the follower sleeps at most before it looks whether anybody still waits."""

Contents: TypeAlias = tuple[UnitOnBoard | None, Assignment | None, Incident | None]
"""All that an inbox is made of. A board shares what did not change, so that identity tells."""


@dataclass(slots=True, eq=False)
class _Waiter:
    unit_id: UnitId
    seen: Contents
    rung: asyncio.Future[None]


class InboxBell:
    """The waiters of all inboxes of one service."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waiters: set[_Waiter] = set()
        self._follower: asyncio.Task[None] | None = None

    async def wait(self, unit_id: UnitId, seen: Contents, timeout_s: float) -> bool:
        """Waits until the unit's inbox is made of something else than what was seen.

        Returns:
            False when the time is over first.
        """
        waiter = _Waiter(unit_id, seen, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        if self._follower is None or self._follower.done():
            self._follower = asyncio.create_task(self._follow(), name="inbox-bell")
        try:
            async with asyncio.timeout(timeout_s):
                await waiter.rung
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    async def _follow(self) -> None:
        while self._waiters:
            seq = self._runner.durable_seq
            self._ring()
            await self._runner.tail.wait_after(seq, FOLLOW_S)

    def _ring(self) -> None:
        board = self._runner.board
        for waiter in self._waiters:
            if not waiter.rung.done() and _differs(contents(board, waiter.unit_id), waiter.seen):
                waiter.rung.set_result(None)


def contents(board: Board, unit_id: UnitId) -> Contents:
    """What the unit's inbox is made of now."""
    unit = board.units.get(unit_id)
    if unit is None or unit.assignment_id is None:
        return unit, None, None
    assignment = board.assignments[unit.assignment_id]
    return unit, assignment, board.incidents[assignment.incident_id]


def _differs(now: Contents, seen: Contents) -> bool:
    return any(one is not other for one, other in zip(now, seen, strict=True))
