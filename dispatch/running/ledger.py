"""Two boards: as decided and as durable, and the decisions on their way from one to the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from dispatch.board import Board
from dispatch.codec import encode_event
from dispatch.decide.context import Decision
from dispatch.errors import AppendRefused, DispatchError, QueueFull, StoreUnavailable
from dispatch.events import IncidentReopened, Recorded
from dispatch.running.tail import Tail
from dispatch.store import Append, Store, StoredCommand
from dispatch.store.history import history_row

IN_FLIGHT_MAX = 4_096
"""Decisions that may wait for the disk; more are refused, so that nobody waits without end."""

_log = logging.getLogger(__name__)


class Ledger:
    """Hands decisions to the store and moves the durable board on as they settle.

    Attributes:
        decided: The board on which the next decision is made.
        durable: The board that a restart would find, at least; what readers see.
    """

    def __init__(
        self, store: Store, board: Board, tail: Tail, *, on_reset: Callable[[], None]
    ) -> None:
        """Begin with a durable board.

        Args:
            store: The log.
            board: The board after its last event.
            tail: Told of events once they are durable.
            on_reset: Called when decisions were taken back because a commit failed.
        """
        self.decided = board
        self.durable = board
        self._store = store
        self._tail = tail
        self._on_reset = on_reset
        self._in_flight = 0
        self._room = IN_FLIGHT_MAX
        self._last: asyncio.Future[None] | None = None
        # Grows when decisions are taken back, to tell those of before from those after.
        self._generation = 0

    @property
    def in_flight(self) -> int:
        """Decisions that wait for the disk."""
        return self._in_flight

    @property
    def leads(self) -> bool:
        """False while another process decides and this one only follows."""
        return self._room > 0

    def follow_only(self) -> None:
        """Let nobody decide here until `lead`."""
        self._room = 0

    def lead(self) -> None:
        """Decide from now on; the board must be the log's end."""
        self._room = IN_FLIGHT_MAX

    def follow(self, board: Board, recorded: Sequence[Recorded]) -> None:
        """Take over what another process has made durable.

        Args:
            board: The board after it.
            recorded: Its events, the first right after the durable board.
        """
        self.decided = self.durable = board
        self._tail.publish(recorded)

    def check_room(self) -> None:
        """Refuse to decide when the disk cannot keep up, or another process decides.

        Raises:
            QueueFull: too many decisions wait for it.
            StoreUnavailable: another process decides.
        """
        if self._in_flight >= self._room:
            if not self.leads:
                raise StoreUnavailable("this worker follows; the one that leads decides")
            raise QueueFull(what="decisions waiting for the disk", limit=IN_FLIGHT_MAX)

    def hand_in(
        self,
        decision: Decision,
        command: StoredCommand | None,
        *,
        then: Callable[[], None] | None = None,
    ) -> asyncio.Future[None]:
        """Make a decision count for the next one, and send it to the disk.

        Args:
            decision: Made on `decided`, just now.
            command: The command that it answers, with its answer.
            then: Called when it has settled, also when nobody waits for it any more.

        Returns:
            Done when it is durable; fails with StoreUnavailable when it was taken back.
        """
        append = Append(
            expected_seq=self.decided.seq,
            epoch=self._store.epoch,
            events=tuple(encode_event(one) for one in decision.recorded),
            command=command,
            closed=tuple(history_row(one) for one in decision.closed),
            reopened=tuple(
                one.event.incident_id
                for one in decision.recorded
                if isinstance(one.event, IncidentReopened)
            ),
        )
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.decided = decision.board
        self._in_flight += 1
        self._last = done
        settled = partial(self._settled, decision, self._generation, done, then)
        self._store.append(append, settled)
        return done

    async def catch_up(self) -> None:
        """Wait until all that is decided now is durable.

        Raises:
            StoreUnavailable: some of it was taken back.
        """
        if self._in_flight and self._last is not None:
            await asyncio.shield(self._last)

    def _settled(
        self,
        decision: Decision,
        generation: int,
        done: asyncio.Future[None],
        then: Callable[[], None] | None,
        error: DispatchError | None,
    ) -> None:
        self._in_flight -= 1
        if error is None:
            self.durable = decision.board
            self._tail.publish(decision.recorded)
        if (error is None) != (generation == self._generation):
            # A commit failed, or one that had been given up got in after all: what was decided on
            # the other assumption does not hold.
            self._reset()
        if then is not None:
            then()
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(_as_unavailable(error))

    def _reset(self) -> None:
        self._generation += 1
        self.decided = self.durable
        self._on_reset()


def forget_failure(done: asyncio.Future[None]) -> None:
    """Let nobody wait for a decision, as one of the clock: it is made again at the next tick."""
    done.add_done_callback(_log_failure)


def _log_failure(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        _log.warning("a decision that nobody waited for was taken back: %s", done.exception())


def _as_unavailable(error: DispatchError) -> DispatchError:
    """A refusal inside the store, as its caller should understand it."""
    if not isinstance(error, AppendRefused):
        return error
    unavailable = StoreUnavailable(f"a decision before this one could not be recorded ({error})")
    unavailable.__cause__ = error
    return unavailable
