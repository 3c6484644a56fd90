"""The dispatcher at work: asks the core, makes its events durable, and only then tells anybody.

All of it runs on one event loop and a decision is never interrupted, so that decisions follow each
other without locks. A decision is made on the board as *decided*, which runs ahead of the
*durable* one by what waits for the disk; answers, feeds and reads see only what is durable. When a
commit fails, everything decided since is taken back and its callers are told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

from dispatch.board import Board
from dispatch.codec import encode_event
from dispatch.decide import decide
from dispatch.decide.context import Context, Decision
from dispatch.errors import DispatchError
from dispatch.questions import LookForAlarms, PassTime, Question, RecheckRoutes, Recommend
from dispatch.resources import ClosedIncident
from dispatch.rules import Rules
from dispatch.running.closed_context import ClosedContext
from dispatch.running.commands import CommandKey, Commands, Reply, as_reply, to_store
from dispatch.running.event_reading import READ_AT_ONCE, read_events
from dispatch.running.following import Following
from dispatch.running.ground import Ground, OnCommit, OpenStore, in_folder, lay_ground
from dispatch.running.housekeeping import Housekeeping
from dispatch.running.ledger import Ledger, forget_failure
from dispatch.running.settling import Settling
from dispatch.running.tail import FeedEvent, Render, Tail
from dispatch.running.timers import Timers
from dispatch.store import StoredCommand, StoredReply
from dispatch.store.followed import FollowedStore
from dispatch.store.history import History
from dispatch.whereabouts.positions import PositionRules
from dispatch.whereabouts.reach import UnitRoads
from dispatch.whereabouts.road_conditions import RoadConditions
from dispatch.words import UnixMs
from platforms.city import City
from routing.roads import Roads

SYSTEM = "system"
"""Actor of the clock's own questions."""

FAILING_PAUSE_MS = 1_000
"""While the disk refuses, the clock's questions are asked no oftener than this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question, for whoever words the answer.

    Attributes:
        decision: The events, the board after them, and what the question was about.
        decision_s: Seconds that the decision took.
    """

    decision: Decision
    decision_s: float


class Runner:
    """The dispatcher of one data folder; used from the event loop it was opened in.

    Attributes:
        positions: Last fixes of the units; give it what comes in.
        roads: Road times from where units are now (`.roads` is the network).
        history: Closed incidents.
        tail: Durable events as they come.
        following: How another process's decisions are followed until this one leads; None where
            nobody else decides.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        city: City,
        roads: Roads,
        rules: Rules,
        now_ms: Callable[[], UnixMs],
        render: Render = encode_event,
        watch: Callable[[Question, Outcome], None] | None = None,
    ) -> None:
        """Put the parts together; `Runner.open` does it for a folder."""
        store, board = ground.store, ground.board
        self.positions = ground.positions
        self.roads = UnitRoads(roads, city, self.positions, now_ms)
        self.history = History(store)
        self.tail = Tail(head=board.seq, render=render)
        self._store = store
        self._rules = rules
        self._now_ms = now_ms
        self._watch = watch
        self._conditions = RoadConditions(roads, city)
        self._closed = ClosedContext(self.history)
        self._commands = Commands(store)
        self._ledger = Ledger(store, board, self.tail, on_reset=self._taken_back)
        self._keeping = Housekeeping(store, snapshot_seq=board.seq)
        self._position_keeping = ground.keeping
        self._settling = Settling(self.positions, self.roads)
        self._timers = Timers(self.tick)
        self._tried_ms = UnixMs(0)
        self._conditions.apply(board, now_ms())
        self.following: Following | None = None
        if isinstance(store, FollowedStore):
            self._ledger.follow_only()
            self.following = Following(store, self._ledger, self.tail, self)

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        city: City,
        roads: Roads,
        rules: Rules,
        now_ms: Callable[[], UnixMs],
        render: Render = encode_event,
        position_rules: PositionRules | None = None,
        watch: Callable[[Question, Outcome], None] | None = None,
        on_commit: OnCommit | None = None,
        heads_dir: Path | None = None,
        timers: bool = True,
        open_store: OpenStore | None = None,
    ) -> Self:
        """Open the log in `folder`, read it, and begin to serve, or to follow once that is begun.

        Args:
            folder: Holds the log and the position history; made when missing.
            city: Forces and promise.
            roads: The network.
            rules: Settings of the core.
            now_ms: The service's clock.
            render: Makes the bytes that feeds send for an event.
            position_rules: Which fixes are believed and for how long.
            watch: Told of each decision, for metrics.
            on_commit: Told of each commit's appends and seconds, for metrics.
            heads_dir: Where signed heads of the log go; None leaves them beside it.
            timers: False leaves the clock to the caller (`tick`).
            open_store: Opens the store, given `on_commit`; None is SQLite in the folder.

        Raises:
            StoreLocked: another service works on the folder.
            LogDamaged: the log cannot be trusted.
            StoreUnavailable: the medium refuses.
        """
        ground = await lay_ground(
            folder,
            city,
            roads,
            open_store=open_store or in_folder(folder, heads_dir),
            position_rules=position_rules,
            on_commit=on_commit,
        )
        try:
            runner = cls(
                ground,
                city=city,
                roads=roads,
                rules=rules,
                now_ms=now_ms,
                render=render,
                watch=watch,
            )
        except BaseException:
            await ground.store.close()
            raise
        if timers:
            runner._timers.start()
        return runner

    @property
    def leads(self) -> bool:
        """True where this process decides."""
        return self._ledger.leads

    @property
    def board(self) -> Board:
        """The durable board: what reads and feeds show."""
        return self._ledger.durable

    @property
    def durable_seq(self) -> int:
        """Number of the last durable event."""
        return self._ledger.durable.seq

    @property
    def conditions(self) -> RoadConditions:
        """Closures and speed factors as they stand on this network."""
        return self._conditions

    @property
    def in_flight(self) -> int:
        """Decisions that wait for the disk."""
        return self._ledger.in_flight

    @property
    def store_failing(self) -> bool:
        """True while the last write failed; asked at every answer, so that it must cost nothing."""
        return self._store.failing

    async def ask(
        self,
        question: Question,
        *,
        actor: str,
        answer: Callable[[Outcome], StoredReply],
        command: CommandKey | None = None,
    ) -> Reply:
        """Decide, make it durable, answer.

        Args:
            question: What is wanted.
            actor: Who wants it: a token's id.
            answer: Words the answer from the outcome. Called before the commit has ended (with a
                command's key before it begins, because the answer is stored with it); it must not
                tell anybody yet.
            command: The command's key, so that a repetition gets the same answer; None without.
                Refused commands are not stored: repeated, they are decided anew.

        Returns:
            The answer, when it is durable.

        Raises:
            DispatchError: the core refuses (nothing changed), the command's key was used for
                another body or is in progress, or the log cannot be written (nothing changed).
        """
        if command is not None:
            known = await self._commands.begin(command)
            if known is not None:
                return known
        try:
            self._ledger.check_room()
            closed = await self._closed.of(question, self._ledger.decided)
            outcome = self._decide(question, actor, closed)
            done, stored = self._hand_in(outcome, answer, command)
        except BaseException as error:
            if command is not None:
                self._commands.end(command)
            if isinstance(error, DispatchError):
                # A refusal tells what the board holds: it must be durable too.
                await self._ledger.catch_up()
            raise
        if done is None:
            # Nothing changed, but what it says must be durable before it is said.
            await self._ledger.catch_up()
        else:
            # Shielded: a client that goes away takes back its wait, not what others wait for.
            await asyncio.shield(done)
        return as_reply(stored)

    def recommend(self, question: Recommend | LookForAlarms, *, actor: str) -> Outcome:
        """Who would go, or what is wrong? Changes nothing and waits for nothing."""
        return self._decide(question, actor, None)

    async def read_events(self, after: int, limit: int = READ_AT_ONCE) -> Sequence[FeedEvent]:
        """Durable events with `seq > after`, in order; see `dispatch.running.event_reading`."""
        if self.following is not None:
            # Whoever read on at another worker may be ahead of this one.
            await self.following.reach(after)
        return await read_events(self._store, self.tail, after, limit)

    async def check_writable(self) -> None:
        """Find out whether the log can be written, by writing when the last commit failed.

        Raises:
            StoreUnavailable: it cannot.
        """
        if self.following is not None and not self.leads:
            self.following.check()
        elif self._store.failing:
            await self._store.probe()

    def followed(self, before: Board, after: Board) -> None:
        """Another process's events are on the board: the roads change with it."""
        if _conditions_differ(before, after):
            self._conditions.apply(after, self._now_ms())

    def lead(self) -> None:
        """Decide from now on: nobody else does any more, and the board is the log's end."""
        self._conditions.begin_again(self._ledger.durable)
        self._ledger.lead()
        self._position_keeping.begin_behind()

    def tick(self) -> None:
        """Ask what is due now. The timers do it by themselves, several times a second.

        Raises:
            QueueFull: the disk cannot keep up; asked again at the next tick.
        """
        now_ms = self._now_ms()
        if not self.leads:
            # The roads' hours hold here too; what follows from them is the leader's to decide.
            self._conditions.advance(now_ms)
            return
        if self._store.failing and 0 <= now_ms - self._tried_ms < FAILING_PAUSE_MS:
            return
        self._tried_ms = now_ms
        self._ledger.check_room()
        if (changed := self._conditions.advance(now_ms)) is not None:
            self._ask_by_itself(RecheckRoutes(arcs=changed))
        self._ask_by_itself(PassTime())
        self._keeping.look(self._ledger.durable, now_ms)

    async def close(self) -> None:
        """Stop the clock, finish what is under way, keep a snapshot, let go of the folder."""
        await self._timers.stop()
        if self.following is not None:
            await self.following.stop()
        if self.leads:
            await self._keeping.finish(self._ledger)
        await self._store.close()
        await self._position_keeping.stop()

    def _decide(self, question: Question, actor: str, closed: ClosedIncident | None) -> Outcome:
        began = perf_counter()
        context = Context(
            now_ms=self._now_ms(), rules=self._rules, roads=self.roads, actor=actor, closed=closed
        )
        decision = decide(self._ledger.decided, question, context)
        outcome = Outcome(decision, perf_counter() - began)
        if self._watch is not None:
            self._watch(question, outcome)
        return outcome

    def _hand_in(
        self,
        outcome: Outcome,
        answer: Callable[[Outcome], StoredReply],
        command: CommandKey | None,
    ) -> tuple[asyncio.Future[None] | None, StoredReply]:
        """Send an outcome to the disk; None where there is nothing to send."""
        if command is not None:
            stored = answer(outcome)
            to_keep = to_store(command, stored, self._now_ms())
            done = self._enter(outcome.decision, to_keep, then=lambda: self._commands.end(command))
            return done, stored
        if not outcome.decision.recorded:
            return None, answer(outcome)
        # The answer is not kept, so that it can be worded while the disk works.
        done = self._enter(outcome.decision)
        try:
            return done, answer(outcome)
        except BaseException:
            forget_failure(done)
            raise

    def _enter(
        self,
        decision: Decision,
        command: StoredCommand | None = None,
        *,
        then: Callable[[], None] | None = None,
    ) -> asyncio.Future[None]:
        """Let a decision count, on the roads too, and send it to the disk."""
        before = self._ledger.decided
        done = self._ledger.hand_in(decision, command, then=then)
        self._closed.note(decision.closed)
        if _conditions_differ(before, decision.board):
            changed = self._conditions.apply(decision.board, self._now_ms())
            self._ask_by_itself(RecheckRoutes(arcs=changed))
        return done

    def _ask_by_itself(self, question: Question) -> None:
        """A question of the clock: nobody waits for its answer."""
        decision = self._decide(question, SYSTEM, None).decision
        if decision.recorded:
            forget_failure(self._enter(decision))

    def _taken_back(self) -> None:
        """Decisions were dropped: the roads go back to the durable board too."""
        self._closed.forget()
        self._conditions.apply(self._ledger.decided, self._now_ms())


def _conditions_differ(before: Board, after: Board) -> bool:
    # Boards share what an event does not touch, so that identity tells.
    return before.closures is not after.closures or before.speed_factors is not after.speed_factors
