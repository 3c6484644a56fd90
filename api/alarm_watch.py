"""Looks each second whether something is wrong that must never be so, and says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog

from api.clock import now_ms
from api.clock_jump import ClockJump
from dispatch.alarms import Alarm, AlarmRules, Surroundings
from dispatch.errors import DispatchError
from dispatch.questions import LookForAlarms
from dispatch.runner import SYSTEM, Outcome, Runner
from dispatch.store import StoredReply
from dispatch.words import UnitId, UnixMs


class AlarmWatch:
    """The alarms of one service; used from the event loop only.

    Attributes:
        alarms: What is wrong as of the last look, by `alarm_id`; also while the disk refuses to
            record it.
        clock_jump_s: How far the service's clock has jumped, as of the last look.
    """

    def __init__(
        self,
        runner: Runner,
        rules: AlarmRules,
        *,
        wall_ms: Callable[[], UnixMs] = now_ms,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with what was wrong when the log ended."""
        self.alarms: Mapping[str, Alarm] = runner.board.alarms
        self.clock_jump_s = 0.0
        self._runner = runner
        self._rules = rules
        self._wall_ms = wall_ms
        self._steady_s = steady_s
        self._clock = ClockJump(jump_s=rules.clock_skew_s, settled_s=rules.clock_settled_s)
        self._recording: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("alarms")

    def look(self) -> None:
        """Looks once; what began or ended is told in the log of lines and recorded."""
        at_ms = self._wall_ms()
        self.clock_jump_s = self._clock.look(at_ms, self._steady_s())
        question = LookForAlarms(around=self._around(at_ms), limits=self._rules)
        decision = self._runner.recommend(question, actor=SYSTEM).decision
        if self._runner.leads:
            # Several workers see the same; one tells.
            self._tell(self.alarms, decision.board.alarms)
        self.alarms = decision.board.alarms
        busy = self._recording is not None and not self._recording.done()
        may_write = self._runner.leads and not self._runner.store_failing
        if decision.recorded and not busy and may_write:
            # Not awaited: a disk that hangs must not end the looking.
            self._recording = asyncio.create_task(self._record(question), name="alarms")

    async def stop(self) -> None:
        """Lets go of what is being recorded; harmless when done twice."""
        if self._recording is not None:
            self._recording.cancel()
            await asyncio.gather(self._recording, return_exceptions=True)

    def _around(self, at_ms: UnixMs) -> Surroundings:
        positions = self._runner.positions
        lost: dict[UnitId, UnixMs] = {}
        for unit in self._runner.board.units.values():
            if unit.assignment_id is not None:
                since_ms = positions.lost_since_ms(unit.unit_id, at_ms)
                if since_ms is not None:
                    lost[unit.unit_id] = since_ms
        return Surroundings(
            lost_since_ms=lost, clock_jump_s=self.clock_jump_s, ahead_s=positions.ahead_s(at_ms)
        )

    async def _record(self, question: LookForAlarms) -> None:
        try:
            await self._runner.ask(question, actor=SYSTEM, answer=_nobody)
        except DispatchError as error:
            # Looked for again a second later.
            self._log.warning("alarms_not_recorded", why=str(error))

    def _tell(self, before: Mapping[str, Alarm], now: Mapping[str, Alarm]) -> None:
        for key in now.keys() - before.keys():
            new = now[key]
            self._log.error("alarm_raised", kind=new.kind.value, about=new.about, why=new.why)
        for key in before.keys() - now.keys():
            over = before[key]
            self._log.info("alarm_cleared", kind=over.kind.value, about=over.about)


def _nobody(_outcome: Outcome) -> StoredReply:
    """Nobody asked, so nobody is answered."""
    return StoredReply(status=204, body=b"")
