"""A worker that does not decide: its board follows the log, until the lead is its own.

What another worker has made durable goes through `evolve` as at a start, and wakes feeds and
inboxes as at the leader. There is one way, from following to leading, and none back: a leader that
is deposed ends as a whole, so that nothing of what it believed outlives it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from math import inf
from typing import Protocol

from dispatch.board import Board
from dispatch.codec import decode_event
from dispatch.errors import LogDamaged, StoreUnavailable
from dispatch.evolve import evolve
from dispatch.running.ledger import Ledger
from dispatch.running.recover import with_unit_of
from dispatch.running.tail import Tail
from dispatch.store import LogEntry
from dispatch.store.followed import FollowedStore, Leader

EVENTS_A_TURN = 50
"""Events taken in before the event loop serves somebody else: some 3 ms."""

FRESH_S = 3.0
"""A log that said nothing for so long is not followed; it says at least once a second where it
ends. A leader that was not seen for so long is none."""

BEHIND_MAX = 1_000
"""Events that a follower may be behind and still be ready."""

REACH_S = 5.0
"""Longest that somebody waits for an event that another worker has shown him already."""

TURN_S = 0.5
"""How often he looks meanwhile whether it is of any use."""

_log = logging.getLogger(__name__)


class Role(Protocol):
    """What following means to the rest of the dispatcher."""

    def followed(self, before: Board, after: Board) -> None:
        """The durable board has moved on."""

    def lead(self) -> None:
        """The board is the log's end, and nobody else writes any more: decide from now on."""


class Following:
    """Keeps a follower's board at the log's end, and ends as the leader or with the log.

    Attributes:
        released: Set when this worker stops or has ended: nobody is to wait for its board any more.
        ended: Set when this worker is of no use any more and must be started anew.
        why: What ended it, in words.
    """

    def __init__(self, store: FollowedStore, ledger: Ledger, tail: Tail, role: Role) -> None:
        """Not begun yet, see `begin`."""
        self.released = asyncio.Event()
        self.ended = asyncio.Event()
        self.why = ""
        self._store = store
        self._ledger = ledger
        self._tail = tail
        self._role = role
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Follow, and try for the lead."""
        self._task = asyncio.create_task(self._run(), name="following")

    async def stop(self) -> None:
        """End; harmless when done twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def leader(self) -> Leader | None:
        """Who leads, as far as this follower saw; None while nobody was seen."""
        return self._store.leader

    @property
    def behind(self) -> int:
        """Events between this board and the log's end, when it was last seen."""
        leader = self._store.leader
        return 0 if leader is None else max(0, leader.head - self._ledger.durable.seq)

    @property
    def lack(self) -> str | None:
        """`feed_behind` or `no_leader`, where that is so; None where all is well."""
        if self.ended.is_set():
            # A leader that was deposed, until it is gone: others have moved on.
            return "feed_behind"
        if self._ledger.leads:
            return None
        if self._store.silent_s > FRESH_S or self.behind > BEHIND_MAX:
            return "feed_behind"
        if self._store.leader is None or self._store.unseen_s > FRESH_S:
            return "no_leader"
        return None

    async def reach(self, seq: int) -> bool:
        """Wait, within a bound, until the board shows an event; False where it does not.

        Nobody can have seen an event far beyond the log's end as it is known here: that is a cursor
        of another log, and not worth a wait.
        """
        if seq - self._tail.head > self.behind + BEHIND_MAX:
            return False
        until_s = time.monotonic() + REACH_S
        while self._tail.head < seq and not self.released.is_set():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            await self._tail.wait_after(seq - 1, min(left_s, TURN_S))
        return self._tail.head >= seq

    def check(self) -> None:
        """Make sure that this follower is as good as any.

        Raises:
            StoreUnavailable: it does not follow, or nobody leads.
        """
        lack = self.lack
        if lack == "no_leader":
            raise StoreUnavailable("nobody leads now; a worker takes the lead within seconds")
        if lack is not None:
            silent_s = self._store.silent_s
            heard = "not heard of yet" if silent_s == inf else f"last heard of {silent_s:.0f} s ago"
            raise StoreUnavailable(
                f"this worker does not follow the log: {self.behind} events behind, and the log"
                f" was {heard}"
            )

    async def _run(self) -> None:
        try:
            head = await self._until_lead()
            while self._ledger.durable.seq < head:
                await self._take_in(await self._rest(head))
            self._role.lead()
            _log.warning("this worker leads from event %d on", head)
            self.why = await self._store.ended
        except Exception as error:  # noqa: BLE001
            # Whatever it is: a board that no longer follows must not go on to answer.
            _log.exception("this worker can follow no more")
            self.why = str(error) or repr(error)
        self.released.set()
        self.ended.set()

    async def _until_lead(self) -> int:
        """Follow until the lead is taken; its last event."""
        follow = asyncio.create_task(self._follow(), name="follow")
        lead = asyncio.create_task(self._store.take_lead(), name="candidate")
        try:
            await asyncio.wait({follow, lead}, return_when=asyncio.FIRST_COMPLETED)
            if lead.done():
                return lead.result()
            follow.result()
            raise RuntimeError("the log is followed without end, and it ended")
        finally:
            for task in (follow, lead):
                task.cancel()
            await asyncio.gather(follow, lead, return_exceptions=True)

    async def _follow(self) -> None:
        async for entries in self._store.follow(self._ledger.durable.seq):
            await self._take_in(entries)

    async def _rest(self, head: int) -> Sequence[LogEntry]:
        """What is still between the board and the log's last event."""
        after = self._ledger.durable.seq
        entries = await self._store.read(after)
        if not entries:
            raise LogDamaged(after + 1, why=f"the log says that its last event is {head}")
        return entries

    async def _take_in(self, entries: Sequence[LogEntry]) -> None:
        for first in range(0, len(entries), EVENTS_A_TURN):
            before = self._ledger.durable
            board, news = before, []
            for entry in entries[first : first + EVENTS_A_TURN]:
                recorded = decode_event(entry.seq, entry.body)
                board = evolve(with_unit_of(board, recorded), recorded)
                news.append(recorded)
            self._ledger.follow(board, news)
            self._role.followed(before, board)
            await asyncio.sleep(0)
