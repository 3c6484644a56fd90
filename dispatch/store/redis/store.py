"""`Store` on a Redis server: one leader per area writes, anybody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from dispatch.errors import StaleEpoch, StoreUnavailable
from dispatch.store import Append, Settled, StoredSnapshot
from dispatch.store.redis.commit_queue import CommitQueue, OnCommit
from dispatch.store.redis.folder_hold import FolderHold
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.lease import Lead, Renewal, take_lead
from dispatch.store.redis.line import RETRY_AFTER_S, Address, Argument, Line, LineBroken, Lines
from dispatch.store.redis.packing import Outcome
from dispatch.store.redis.reading import RedisReader
from dispatch.store.redis.scripts import FORGET_COMMANDS, PROBE, SAVE_SNAPSHOT, Script
from dispatch.store.redis.server_check import check_server
from dispatch.store.redis.write_line import DOUBT_MAX_S, WriteLine
from dispatch.words import UnixMs

SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest cannot be read."""

PROBE_BYTES = 65_536
"""As much as a large decision: a server with room for less is full."""

FORGET_AT_ONCE = 500
"""Most commands forgotten by one script (some 3 ms), so that nobody waits long behind it."""

FORGET_PORTIONS = 4
"""Scripts of one call: others get in between."""


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where a log is on a server, and what its writer has to itself.

    Attributes:
        address: The server.
        keys: The area's keys.
        accepted: Settings of the server whose danger the operator takes, by name.
        folder: Folder of the service, which is locked, and in which the number of the log's last
            event is kept; None without one.
        doubt_s: Longest that a batch may be in doubt before its writer ends.
    """

    address: Address
    keys: AreaKeys
    accepted: frozenset[str] = frozenset()
    folder: Path | None = None
    doubt_s: float = DOUBT_MAX_S


class RedisStore(RedisReader):
    """`Store` of one area; open it inside a running event loop with `RedisStore.open`."""

    def __init__(
        self,
        place: RedisPlace,
        lead: Lead,
        line: Line,
        hold: FolderHold,
        *,
        on_commit: OnCommit | None = None,
        on_renewal: Callable[[bool], None] | None = None,
        on_ended: Callable[[str], None] | None = None,
    ) -> None:
        """Begin to write; `RedisStore.open` takes the lead for it.

        Args:
            place: Where the log is.
            lead: The turn that was taken.
            line: The line over which it was taken.
            hold: What the service has to itself.
            on_commit: Told, on the event loop, of each commit's appends and seconds.
            on_renewal: Told of each try to renew the lease whether the server took it.
            on_ended: Told why, when this writer can write no more.
        """
        super().__init__(Lines(place.address), place.keys)
        self._lead = lead
        self._hold = hold
        self._told = on_commit
        self._told_renewal = on_renewal
        self._commits = CommitQueue(
            WriteLine(
                place.address,
                place.keys,
                lead,
                accepted=place.accepted,
                checked=line,
                doubt_s=place.doubt_s,
            ),
            head=lead.head,
            epoch=lead.epoch,
            on_commit=self._committed,
            on_ended=on_ended,
        )
        self._renewal = Renewal(
            place.address,
            place.keys,
            lead,
            on_lost=self._commits.depose,
            on_tried=self._renewed,
        )

    @classmethod
    async def open(cls, place: RedisPlace, *, on_commit: OnCommit | None = None) -> RedisStore:
        """Take the lead of an area; its log is made when missing.

        Args:
            place: Where it is.
            on_commit: Told, on the event loop, of each commit's appends and seconds.

        Raises:
            StoreLocked: another service leads the area, or works on the folder.
            StoreUnsafe: the server would lose what it has acknowledged.
            LogDamaged: the log has a gap, or ends before what was recorded.
            LogFormatUnknown: another version wrote it.
            StoreUnavailable: the server cannot be reached, or refuses.
        """
        address = place.address
        hold = FolderHold.take(place.folder, place.keys.area)
        line: Line | None = None
        try:
            line = await address.connect()
            await check_server(line, shown=address.shown, accepted=place.accepted)
            lead = await take_lead(line, place.keys, shown=address.shown)
            hold.check(lead.head)
        except BaseException as error:
            hold.release()
            if line is not None:
                await line.close()
            if isinstance(error, LineBroken | ResponseError):
                raise address.unavailable(error) from error
            raise
        return cls(place, lead, line, hold, on_commit=on_commit)

    @property
    def head(self) -> int:
        """Sequence number of the last event known to be durable."""
        return self._commits.head

    @property
    def epoch(self) -> int:
        """This writer's epoch."""
        return self._lead.epoch

    @property
    def failing(self) -> bool:
        """True after a failed write, until one succeeds."""
        return self._commits.failing

    def append(self, append: Append, settled: Settled) -> None:
        """Hand in an append; see `Store.append`."""
        self._commits.hand_in(append, None, lambda outcome: settled(outcome.error))

    async def append_if_untouched(self, append: Append, touched: Sequence[str]) -> Outcome:
        """Append although the log may have moved, as long as what it is about has not.

        The events get the numbers that end with the outcome's `last_seq`.

        Args:
            append: Decided on the board of event `expected_seq`.
            touched: Names of the units, incidents and so on that it reads or changes. Where an
                event after `expected_seq` touched one of them, it is refused with LogMoved; so it
                is after any `append` that did not say what it touched.
        """
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._commits.hand_in(append, touched, told.set_result)
        # Whoever goes away takes back its wait, not the append.
        return await asyncio.shield(told)

    async def forget_commands(self, before_ms: UnixMs) -> int:
        """Forget old commands; see `Store.forget_commands`."""
        forgotten = 0
        for _ in range(FORGET_PORTIONS):
            some = int(await self._write(FORGET_COMMANDS, before_ms, FORGET_AT_ONCE))
            forgotten += some
            if some < FORGET_AT_ONCE:
                break
        return forgotten

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and drop the oldest."""
        await self._write(SAVE_SNAPSHOT, snapshot.seq, snapshot.body, SNAPSHOTS_KEPT)

    async def probe(self) -> None:
        """Make one small durable write; see `Store.probe`."""
        self._commits.check_open()
        await self._write(PROBE, bytes(PROBE_BYTES))
        self._commits.note_beside(works=True)

    async def close(self) -> None:
        """Finish what was handed in, then give up the lead; harmless when done twice."""
        await self._commits.stop()
        await self._renewal.stop()
        await self._lines.close()
        self._hold.release()

    def _renewed(self, works: bool) -> None:
        self._commits.note_beside(works=works)
        if self._told_renewal is not None:
            self._told_renewal(works)

    def _committed(self, appends: int, took_s: float) -> None:
        # In the turn of the event loop that settles the appends: before any of them is answered.
        self._hold.keep(self._commits.head)
        if self._told is not None:
            self._told(appends, took_s)

    async def _write(self, script: Script, *arguments: Argument) -> Any:
        """Run a script that writes the same when it is run twice."""
        lead = self._lead
        said, *rest = await self._lines.run(script, self._keys, lead.log_id, lead.epoch, *arguments)
        if said == b"stale":
            stale = StaleEpoch(given=lead.epoch, current=int(rest[0]))
            raise StoreUnavailable(str(stale), retry_after_s=RETRY_AFTER_S) from stale
        if said == b"gone":
            raise StoreUnavailable(
                f"area {self._keys.area} has another log now: restart the service",
                retry_after_s=RETRY_AFTER_S,
            )
        return rest[0] if rest else None
