"""The one way into the log: what gathers while a batch is under way goes as the next one.

A batch whose answer was lost is *in doubt*: it is in the log, or is not, or will be in a moment. It
is asked for again under its own number until the server says what came of it; its callers wait.
Whoever comes meanwhile is refused at once, so that a refusal may overtake an append in doubt;
successes never overtake one another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from dispatch.errors import (
    DispatchError,
    OutcomeUnknown,
    StaleEpoch,
    StoreUnavailable,
)
from dispatch.store import Append
from dispatch.store.redis.line import RETRY_AFTER_S
from dispatch.store.redis.packing import Outcome, outcomes_of, pack_append
from dispatch.store.redis.write_line import FIRST_PAUSE_S, LONGEST_PAUSE_S, LogGone, WriteLine

MAX_BATCH = 256
"""Most appends in one batch: bounds how long the first of them waits for the last."""

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Size at which a batch is closed, likewise."""

CLOSE_S = 3.0
"""Longest that closing waits for what was handed in."""

CLOSE_FAILING_S = 0.5
"""The same while the server is known to be away."""

OnCommit: TypeAlias = Callable[[int, float], None]
"""Told how many appends a batch held and how many seconds it took."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    packed: bytes
    tell: Callable[[Outcome], None]


class CommitQueue:
    """Owns the writing line.

    Attributes:
        head: Number of the last event known to be durable.
        epoch: This writer's epoch.
        failing: The last write failed, a commit or one beside the queue.
    """

    def __init__(
        self,
        line: WriteLine,
        *,
        head: int,
        epoch: int,
        on_commit: OnCommit | None = None,
        on_ended: Callable[[str], None] | None = None,
    ) -> None:
        """Start; it ends with `stop`.

        Args:
            line: What appends go over.
            head: Last event of the log.
            epoch: This writer's epoch.
            on_commit: Told of each commit.
            on_ended: Told why, when nobody is let in any more.
        """
        self.head = head
        self.epoch = epoch
        self.failing = False
        self._line = line
        self._on_commit = on_commit
        self._on_ended = on_ended
        self._waiting: deque[_Waiting] = deque()
        self._number = 0
        # What whoever comes now is told; None while they are let in.
        self._shut: Callable[[], DispatchError] | None = None
        # Once shut for good, only a new start helps.
        self._ended = False
        self._stopping = False
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name="commit")

    def hand_in(
        self, append: Append, touched: Sequence[str] | None, tell: Callable[[Outcome], None]
    ) -> None:
        """Queue an append; `tell` is called on the event loop, later."""
        shut = self._shut
        if shut is not None:
            self._loop.call_soon(tell, Outcome(error=shut()))
            return
        self._waiting.append(_Waiting(append, pack_append(append, touched), tell))
        self._awake.set()

    def check_open(self) -> None:
        """Refuse what cannot be written beside the queue either.

        Raises:
            StoreUnavailable: the server is away, the log gone, or another writer has taken over.
        """
        if self._shut is not None:
            told = self._shut()
            if isinstance(told, StoreUnavailable):
                raise told
            raise StoreUnavailable(str(told), retry_after_s=RETRY_AFTER_S) from told

    def note_beside(self, *, works: bool) -> None:
        """A write beside the queue got through, or did not: commits will fare likewise."""
        self.failing = self._shut is not None or not works

    def depose(self, epoch: int) -> None:
        """Another writer has taken over: let nobody in any more."""
        self._end(lambda: StaleEpoch(given=self.epoch, current=epoch))

    async def stop(self) -> None:
        """Finish what was handed in; an append still in doubt after a while is left so."""
        self._stopping = True
        self._awake.set()
        within_s = CLOSE_FAILING_S if self.failing else CLOSE_S
        await asyncio.wait({self._task}, timeout=within_s)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        self._end(_stopped)
        await self._line.close()

    async def _run(self) -> None:
        try:
            while True:
                if self._waiting:
                    await self._commit(self._gather())
                elif self._stopping:
                    return
                else:
                    self._awake.clear()
                    await self._awake.wait()
        except Exception as defect:  # noqa: BLE001  # see _outcomes
            _log.exception("the log's writer has failed")
            self._end_gone(f"the log's writer has failed ({defect!r}): restart the service")

    def _gather(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < MAX_BATCH and size < MAX_BATCH_BYTES:
            one = self._waiting.popleft()
            size += len(one.packed)
            batch.append(one)
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Send a batch and tell its callers what came of it."""
        began = perf_counter()
        self._number += 1
        try:
            outcomes = await self._outcomes(batch)
        except asyncio.CancelledError:
            for one in batch:
                self._tell(one, Outcome(error=_left_in_doubt()))
            raise
        for one, outcome in zip(batch, outcomes, strict=True):
            self._tell(one, outcome)
        if self._on_commit is not None:
            self._on_commit(len(batch), perf_counter() - began)
        await self._come_back()

    async def _outcomes(self, batch: list[_Waiting]) -> list[Outcome]:
        packed = [one.packed for one in batch]
        error: DispatchError
        try:
            told, *answers = await self._line.carry_out(
                self._number, packed, head=self.head, tell_others=self._shut_out
            )
            outcomes = outcomes_of(told, answers, [one.append for one in batch])
        except StoreUnavailable as failure:
            error = failure
        except LogGone as gone:
            self._end_gone(str(gone))
            error = OutcomeUnknown(str(gone)) if gone.in_doubt else _gone(str(gone))
        except Exception as defect:  # noqa: BLE001
            # Whatever it is: were the task to end here, all who wait for it would wait for ever.
            _log.exception("the log's writer has failed")
            self._end_gone(f"the log's writer has failed ({defect!r}): restart the service")
            error = OutcomeUnknown(repr(defect))
        else:
            self._note(outcomes)
            return outcomes
        self.failing = True
        _log.error("commit failed: %s", error)
        return [Outcome(error=error)] * len(batch)

    async def _come_back(self) -> None:
        """After a failure, wait for the server, so that the next to come finds it ready."""
        pause_s = FIRST_PAUSE_S
        while not self._ended:
            try:
                await self._line.ready(self.head)
            except StoreUnavailable as error:
                self._shut_out(error)
            except LogGone as error:
                self._end_gone(str(error))
                return
            else:
                self._shut = None
                return
            if self._stopping:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        self.failing = False
        for outcome in outcomes:
            if outcome.error is None:
                self.head = outcome.last_seq
            elif isinstance(outcome.error, StaleEpoch) and outcome.error.current != self.epoch:
                self.depose(outcome.error.current)

    def _shut_out(self, failure: StoreUnavailable) -> None:
        """Refuse those who wait behind and those who come, until the server is back."""
        text, retry_after_s = failure.why, failure.retry_after_s
        self.failing = True
        if not self._ended:
            self._shut = lambda: StoreUnavailable(text, retry_after_s=retry_after_s)
        self._refuse_waiting()

    def _end(self, told: Callable[[], DispatchError]) -> None:
        self.failing = True
        if not self._ended:
            self._ended, self._shut = True, told
            if self._on_ended is not None:
                self._on_ended(str(told()))
        self._refuse_waiting()

    def _end_gone(self, text: str) -> None:
        _log.error("%s", text)
        self._end(lambda: _gone(text))

    def _refuse_waiting(self) -> None:
        shut = self._shut
        while self._waiting and shut is not None:
            self._tell(self._waiting.popleft(), Outcome(error=shut()))

    def _tell(self, one: _Waiting, outcome: Outcome) -> None:
        try:
            one.tell(outcome)
        except Exception:  # noqa: BLE001
            # A defect in one must not leave those behind it waiting.
            _log.exception("a commit could not be told")


def _gone(text: str) -> StoreUnavailable:
    return StoreUnavailable(text, retry_after_s=RETRY_AFTER_S)


def _left_in_doubt() -> OutcomeUnknown:
    return OutcomeUnknown(
        "the service stops while the server of the log does not answer", retry_after_s=RETRY_AFTER_S
    )


def _stopped() -> StoreUnavailable:
    return StoreUnavailable(
        "the log's writer has stopped; restart the service", retry_after_s=RETRY_AFTER_S
    )
