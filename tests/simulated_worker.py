"""One worker of a simulation: follows, passes on, leads and answers.

As `dispatch/running/following.py`, `dispatch/runner.py` and `api/http/passing_on.py` have it.
Unlike them, a follower does not itself repeat what it passed on: the caller does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from dispatch.board import Board
from dispatch.codec import decode_event
from dispatch.decide import Decision
from dispatch.errors import DispatchError
from dispatch.evolve import evolve
from dispatch.questions import Question
from dispatch.store import StoredCommand, StoredReply
from tests.simulated_log_server import LogServer
from tests.simulated_network import Network
from tests.simulated_writer import Town, Writer

TRY_MS, POLL_MS, LOOK_UP_MS = 300, 1_000, 2_000

_decoded = lru_cache(4_096)(decode_event)


@dataclass(frozen=True)
class Answer:
    """What a caller is told.

    Attributes:
        kind: `done`, `refused`, or `not_now`: ask again.
        body: First and last event of what was done, or why it was refused.
        seq: Last event that it may speak of.
        board: What a refusal was decided on; for the check only, it is not sent.
    """

    kind: str
    body: bytes = b""
    seq: int = 0
    board: Board | None = None


NOT_NOW = Answer("not_now")
Reply = Callable[[Answer], None]


@dataclass(frozen=True)
class Request:
    """A caller's question; events are recorded with `name`, whatever key it came with."""

    name: str
    key: str
    question: Question


class Worker(Writer):
    """Answers whoever asks.

    Attributes:
        others: All workers by name; the leader's address, so to speak.
        decides_anyway: True plants the defect that a follower decides.
        answers_early: True plants the defect that an answer comes before it is durable.
        refuses_early: True plants the defect that a refusal comes before what it tells is durable.
    """

    def __init__(self, name: str, network: Network, server: LogServer, town: Town) -> None:
        super().__init__(name, network, server, town)
        self.others: dict[str, Worker] = {}
        self.decides_anyway = False
        self.answers_early = False
        self.refuses_early = False

    def _begin(self) -> None:
        super()._begin()
        self._leader = ""
        self._target = self._polls = self._looks = 0
        self._busy: dict[str, int] = {}
        self._relays: list[tuple[int, Callable[[], None]]] = []
        self._poll()
        self._every(TRY_MS, self._try_lead)

    # --- following ----------------------------------------------------------------------------

    def _poll(self) -> None:
        if self.role == "leading":
            return
        self._polls += 1
        number = self._polls
        self._call("read", self.durable.seq, then=partial(self._take_in, number))
        self._later(POLL_MS, self._poll_again, number)

    def _poll_again(self, number: int) -> None:
        # Parked at the server, or lost.
        if number == self._polls:
            self._poll()

    def _take_in(self, number: int, entries: tuple[tuple[int, bytes], ...]) -> None:
        if self.role == "leading":
            return
        for seq, body in entries:
            if seq > self.durable.seq:
                self.durable = evolve(self.durable, _decoded(seq, body))
        self.decided = self.durable
        self._moved_on()
        if number == self._polls:
            self._poll()

    def _moved_on(self) -> None:
        if self.role == "taking" and self.durable.seq >= self._target:
            self._network.note(self.name, "leads, epoch", self._epoch, "from", self.durable.seq)
            self.role = "leading"
        due = [send for seq, send in self._relays if seq <= self.durable.seq]
        self._relays = [one for one in self._relays if one[0] > self.durable.seq]
        for send in due:
            send()

    def _try_lead(self) -> None:
        if self.role == "following":
            self._call("take_lead", self._token, then=self._tried)

    def _tried(self, told: tuple[Any, ...]) -> None:
        if self.role != "following":
            return
        if told[0] == "held":
            self._leader = told[1].partition(" ")[0]
            self._epoch = told[2]
            return
        _, self._epoch, self._target = told
        self.role = "taking"
        self._renewed_ms = self._network.now_ms
        self._moved_on()

    # --- requests -----------------------------------------------------------------------------

    def ask(self, request: Request, reply: Reply, passed_on: bool = False) -> None:
        """A request has come in, from its caller or from another worker."""
        self._do(self._life, self._asked, request, reply, passed_on)

    def _asked(self, request: Request, reply: Reply, passed_on: bool) -> None:
        if self.role == "leading" or self.decides_anyway:
            self._look_up(request, reply)
        elif self._leader and not passed_on:
            back = partial(self._do, self._life, self._relay, reply)
            leader = self.others[self._leader]
            answer = partial(self._network.send, leader.name, self.name, back)
            self._network.send(self.name, leader.name, leader.ask, request, answer, True)
        else:
            reply(NOT_NOW)

    def _relay(self, reply: Reply, answer: Answer) -> None:
        """Tells the leader's answer once this board shows it."""
        self._relays.append((answer.seq, partial(reply, answer)))
        self._moved_on()

    def _look_up(self, request: Request, reply: Reply) -> None:
        if request.key in self._busy:
            reply(NOT_NOW)
            return
        self._looks += 1
        self._busy[request.key] = number = self._looks
        incident_id = getattr(request.question, "incident_id", None)
        assignment_id = getattr(request.question, "assignment_id", None)
        then = partial(self._looked_up, request, reply, number)
        self._call("look_up", request.key, incident_id, assignment_id, then=then)
        self._later(LOOK_UP_MS, self._not_looked_up, request.key, number)

    def _not_looked_up(self, key: str, number: int) -> None:
        if self._busy.get(key) == number:
            del self._busy[key]

    def _looked_up(self, request: Request, reply: Reply, number: int, found: Any) -> None:
        if self._busy.get(request.key) != number:
            return
        # Negative while it is decided: neither a late copy nor the bound of time ends it.
        self._busy[request.key] = -number
        known, body = found
        if known is not None:
            del self._busy[request.key]
            reply(Answer("done", known.reply.body, self.durable.seq))
            return
        try:
            decision = self._decide(request.question, request.name, body)
        except DispatchError as error:
            del self._busy[request.key]
            # It tells what the board holds: that must be durable too.
            refusal = Answer("refused", str(error).encode(), self.decided.seq, self.decided)
            if self.refuses_early:
                reply(refusal)
            else:
                self._when_durable(lambda fine: reply(refusal if fine else NOT_NOW))
        else:
            self._answer_when_durable(request, decision, reply)

    def _answer_when_durable(self, request: Request, decision: Decision, reply: Reply) -> None:
        seqs = (decision.recorded[0].seq, decision.board.seq) if decision.recorded else (0, 0)
        body = b"%d %d" % seqs
        answer = Answer("done", body, decision.board.seq)
        command = StoredCommand(
            key=request.key,
            body_sha256=b"",
            at_ms=self._now_ms(),
            reply=StoredReply(status=200, body=body),
        )
        early = self.answers_early

        def settled(fine: bool) -> None:
            self._busy.pop(request.key, None)
            if not early:
                reply(answer if fine else NOT_NOW)

        if early:
            reply(answer)
        self._hand_in(decision, command, settled)
