"""A worker that decides: ahead of what is durable, as ledger and commit queue do it.

See `dispatch/running/ledger.py` and `dispatch/store/redis/commit_queue.py`. What it decides is
the real core's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dispatch.board import Board
from dispatch.codec import decode_closed, encode_event
from dispatch.decide import Context, Decision, decide
from dispatch.events import IncidentReopened
from dispatch.questions import PassTime, Question
from dispatch.resources import ClosedIncident
from dispatch.road_times import RoadTimes
from dispatch.rules import Rules
from dispatch.store import Append, StoredCommand
from dispatch.store.history import history_row
from tests.simulated_log_server import LogServer
from tests.simulated_network import Network
from tests.simulated_process import Process

TICK_MS = 1_000
GRACE_MS, DOUBT_MS = 500, 8_000
"""After the one others are refused while a batch is in doubt; after the other the leader ends."""


@dataclass(eq=False)
class Handed:
    """A decision on its way to the log, and who is to be told how it went."""

    append: Append
    decision: Decision
    generation: int
    tell: list[Callable[[bool], None]] = field(default_factory=list)


@dataclass(frozen=True)
class Town:
    """What all workers know before the first event."""

    board: Board
    roads: RoadTimes
    rules: Rules


class Writer(Process):
    """Decides and hands in, once `role` is `leading`."""

    def __init__(self, name: str, network: Network, server: LogServer, town: Town) -> None:
        super().__init__(name, network, server, town.board)
        self._town = town

    def _begin(self) -> None:
        self.decided = self.durable
        self._epoch = self._generation = self._number = 0
        self._shut = False
        self._waiting: deque[Handed] = deque()
        self._batch: list[Handed] = []
        self._last: Handed | None = None
        self._lately: dict[str, ClosedIncident] = {}
        self._every(TICK_MS, self._tick)

    def _moved_on(self) -> None:
        """The durable board has moved."""
        raise NotImplementedError

    def _end(self, why: str) -> None:
        """Answers what waits, and is started anew as a follower."""
        self._network.note(self.name, "ends:", why)
        for one in [*self._batch, *self._waiting]:
            for tell in one.tell:
                tell(False)
        self._call("resign", self._token, then=lambda _: None)
        self.kill(500)

    def _decide(self, question: Question, actor: str, body: bytes | None = None) -> Decision:
        about: str = getattr(question, "incident_id", getattr(question, "assignment_id", ""))
        closed = self._lately.get(about)
        if closed is None and body is not None:
            closed = decode_closed(body)
        if closed is not None and closed.incident.incident_id in self.decided.incidents:
            closed = None
        town = self._town
        context = Context(
            now_ms=self._now_ms(), rules=town.rules, roads=town.roads, actor=actor, closed=closed
        )
        return decide(self.decided, question, context)

    def _hand_in(
        self, decision: Decision, command: StoredCommand | None, tell: Callable[[bool], None]
    ) -> None:
        append = Append(
            expected_seq=self.decided.seq,
            epoch=self._epoch,
            events=tuple(encode_event(one) for one in decision.recorded),
            command=command,
            closed=tuple(history_row(one) for one in decision.closed),
            reopened=tuple(
                one.event.incident_id
                for one in decision.recorded
                if isinstance(one.event, IncidentReopened)
            ),
        )
        for one in decision.closed:
            names = [one.incident.incident_id, *one.incident.assignment_ids]
            self._lately.update(dict.fromkeys(names, one))
        self.decided = decision.board
        self._last = handed = Handed(append, decision, self._generation, [tell])
        if self._shut:
            self._settle(handed, fine=False)
            return
        self._waiting.append(handed)
        self._commit()

    def _when_durable(self, tell: Callable[[bool], None]) -> None:
        if self._last is None:
            tell(True)
        else:
            self._last.tell.append(tell)

    def _settle(self, one: Handed, *, fine: bool) -> None:
        if one is self._last:
            self._last = None
        if fine:
            self.durable = one.decision.board
        if fine != (one.generation == self._generation):
            self._generation += 1
            self.decided = self.durable
            self._lately.clear()
        for tell in one.tell:
            tell(fine)
        self._moved_on()

    def _commit(self) -> None:
        if not self._batch and self._waiting:
            self._batch = list(self._waiting)
            self._waiting.clear()
            self._number += 1
            self._send_batch(self._number, self._network.now_ms)

    def _send_batch(self, number: int, since_ms: int) -> None:
        if not self._batch or number != self._number:
            return
        waited_ms = self._network.now_ms - since_ms
        if waited_ms > DOUBT_MS:
            self._end(f"batch {number} is in doubt")
            return
        if waited_ms >= GRACE_MS:
            self._shut = True
            while self._waiting:
                self._settle(self._waiting.popleft(), fine=False)
        appends = tuple(one.append for one in self._batch)
        self._call("append", self._epoch, number, appends, then=partial(self._told, number))
        self._later(GRACE_MS, self._send_batch, number, since_ms)

    def _told(self, number: int, told: tuple[Any, ...]) -> None:
        if not self._batch or number != self._number:
            return
        if told[0] != "done" or "stale" in told[1] or len(told[1]) != len(self._batch):
            self._end(f"batch {number}: {told}")
            return
        batch, self._batch, self._shut = self._batch, [], False
        for one, outcome in zip(batch, told[1], strict=True):
            self._settle(one, fine=outcome == "ok")
        self._commit()

    def _tick(self) -> None:
        if self.role not in {"taking", "leading"}:
            return
        if self._network.now_ms - self._renewed_ms > DOUBT_MS:
            self._end("the lease is not renewed")
            return
        self._call("renew", self._epoch, self._token, then=self._renewed)
        if self.role == "leading" and not self._shut:
            decision = self._decide(PassTime(), "system")
            if decision.recorded:
                self._hand_in(decision, None, lambda fine: None)

    def _renewed(self, told: tuple[Any, ...]) -> None:
        if told[0] == "stale":
            self._end(f"deposed by epoch {told[1]}")
        self._renewed_ms = self._network.now_ms
