"""A worker's store on Redis: it follows the log, tries for the lead, and once led, writes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from math import inf

from redis.exceptions import ResponseError

from dispatch.errors import LogDamaged, LogFormatUnknown, StoreUnavailable, StoreUnsafe
from dispatch.store import Append, LogEntry, Settled, StoredSnapshot
from dispatch.store.followed import Leader
from dispatch.store.redis.commit_queue import OnCommit
from dispatch.store.redis.folder_hold import FolderHold
from dispatch.store.redis.keys import FORMAT_VERSION
from dispatch.store.redis.lease import Held, Lead, a_token, try_lead
from dispatch.store.redis.line import RETRY_AFTER_S, Line, LineBroken, Lines
from dispatch.store.redis.reading import RedisReader
from dispatch.store.redis.server_check import check_server
from dispatch.store.redis.store import RedisPlace, RedisStore
from dispatch.store.redis.tail import RedisTail
from dispatch.words import UnixMs

TRY_S = 0.3
"""How often a candidate tries for the lead: with the lease of 3 s, another leads within 3.5 s."""

_log = logging.getLogger(__name__)


class SharedStore(RedisReader):
    """`FollowedStore` of one area; open it inside a running event loop with `SharedStore.open`."""

    def __init__(
        self,
        place: RedisPlace,
        hold: FolderHold,
        *,
        peer: str,
        head: int,
        on_commit: OnCommit | None = None,
    ) -> None:
        """Begin to follow; `SharedStore.open` looks at the server first."""
        super().__init__(Lines(place.address), place.keys)
        self._place = place
        self._hold = hold
        self._token = a_token(peer)
        self._head = head
        self._on_commit = on_commit
        self._tail = RedisTail(place.address, place.keys.area)
        self._writer: RedisStore | None = None
        self._leader: Leader | None = None
        self._seen_s = -inf
        self._renewed_s = 0.0
        # Said once, not at each try.
        self._failing = False
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls, place: RedisPlace, *, peer: str, on_commit: OnCommit | None = None
    ) -> SharedStore:
        """Look at an area's log, whoever leads it.

        Args:
            place: Where it is. Its folder is not locked: several workers share it.
            peer: Address at which this worker takes what others pass on, once it leads.
            on_commit: Told, on the event loop, of each commit's appends and seconds.

        Raises:
            StoreUnsafe: the server would lose what it has acknowledged.
            LogDamaged: the log ends before what was recorded.
            LogFormatUnknown: another version wrote it.
            StoreUnavailable: the server cannot be reached, or refuses.
        """
        hold = FolderHold.take(place.folder, place.keys.area, lock=False)
        try:
            # Read first: others add to both meanwhile, to the mark last.
            marked = hold.marked
            head = await _head_of(place)
            if marked > head:
                hold.check(head)
            return cls(place, hold, peer=peer, head=head, on_commit=on_commit)
        except BaseException:
            hold.release()
            raise

    @property
    def leads(self) -> bool:
        """True once this worker writes."""
        return self._writer is not None

    @property
    def leader(self) -> Leader | None:
        """The last leader that was seen."""
        return self._leader

    @property
    def silent_s(self) -> float:
        """Seconds since the log last said how far it goes."""
        return time.monotonic() - self._tail.heard_s if self._tail.heard_s else inf

    @property
    def unseen_s(self) -> float:
        """Seconds since a leader was last seen."""
        return time.monotonic() - self._seen_s

    @property
    def head(self) -> int:
        """Number of the last event that is known to be durable."""
        return self._head if self._writer is None else self._writer.head

    @property
    def epoch(self) -> int:
        """This writer's epoch; 0 while it follows."""
        return 0 if self._writer is None else self._writer.epoch

    @property
    def failing(self) -> bool:
        """True after a failed write, until one succeeds; a follower writes nothing."""
        return self._writer is not None and self._writer.failing

    async def follow(self, after: int) -> AsyncIterator[Sequence[LogEntry]]:
        """Durable events as they come; see `FollowedStore.follow`."""
        try:
            async for entries in self._tail.follow(after):
                self._head = entries[-1].seq
                self._hold.keep(self._head)
                yield entries
        finally:
            await self._tail.close()

    async def take_lead(self) -> int:
        """Wait for the lead; see `FollowedStore.take_lead`."""
        line: Line | None = None
        try:
            while True:
                try:
                    line = await self._checked(line)
                    found = await self._try(line)
                except (StoreUnavailable, StoreUnsafe, LineBroken, ResponseError) as error:
                    self._warn(error)
                else:
                    self._failing = False
                    if found is not None:
                        self._hold.check(found.head)
                        self._begin(found, line)
                        line = None
                        return found.head
                await asyncio.sleep(TRY_S)
        finally:
            if line is not None:
                await line.close()

    def append(self, append: Append, settled: Settled) -> None:
        """Hand in an append; refused while this worker follows. See `Store.append`."""
        if self._writer is None:
            asyncio.get_running_loop().call_soon(settled, _follows())
        else:
            self._writer.append(append, settled)

    async def read(self, after: int, limit: int = 10_000) -> Sequence[LogEntry]:
        """Durable events after a number; see `Store.read`."""
        entries = await super().read(after, limit)
        if entries:
            self._head = max(self._head, entries[-1].seq)
        return entries

    async def snapshots(self) -> Sequence[StoredSnapshot]:
        """The kept snapshots, newest first."""
        kept = await super().snapshots()
        if kept and self._writer is None:
            # A leader saves one of events that came after this store was opened.
            self._head = max(self._head, kept[0].seq)
        return kept

    async def forget_commands(self, before_ms: UnixMs) -> int:
        """Forget old commands; see `Store.forget_commands`."""
        return await self._leading().forget_commands(before_ms)

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and drop the oldest."""
        await self._leading().save_snapshot(snapshot)

    async def probe(self) -> None:
        """Make one small durable write; see `Store.probe`."""
        await self._leading().probe()

    async def close(self) -> None:
        """Finish what was handed in, then give up the lead; harmless when done twice."""
        if self._writer is not None:
            await self._writer.close()
        await self._lines.close()
        self._hold.release()

    def _leading(self) -> RedisStore:
        if self._writer is None:
            raise _follows()
        return self._writer

    async def _checked(self, line: Line | None) -> Line:
        """A line to a server that loses nothing."""
        if line is not None and not line.broken:
            return line
        place = self._place
        line = await place.address.connect()
        try:
            await check_server(line, shown=place.address.shown, accepted=place.accepted)
        except BaseException:
            await line.close()
            raise
        return line

    async def _try(self, line: Line) -> Lead | None:
        place = self._place
        found = await try_lead(line, place.keys, token=self._token, shown=place.address.shown)
        if isinstance(found, Held):
            self._leader = Leader(peer=found.peer, epoch=found.epoch, head=found.head)
            self._seen_s = time.monotonic()
            return None
        return found

    def _begin(self, lead: Lead, line: Line) -> None:
        self._leader = None
        self._renewed_s = time.monotonic()
        self._writer = RedisStore(
            self._place,
            lead,
            line,
            self._hold,
            on_commit=self._on_commit,
            on_renewal=self._renewed,
            on_ended=self._end,
        )

    def _renewed(self, works: bool) -> None:
        now_s = time.monotonic()
        if works:
            self._renewed_s = now_s
        elif now_s - self._renewed_s > self._place.doubt_s:
            self._end(
                f"the lease could not be renewed for {now_s - self._renewed_s:.0f} s: another"
                " worker may lead by now"
            )

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)

    def _warn(self, error: Exception) -> None:
        if not self._failing:
            _log.warning("the lead of area %s cannot be tried for: %s", self._keys.area, error)
        self._failing = True


def _follows() -> StoreUnavailable:
    return StoreUnavailable(
        "this worker follows and does not write; whoever leads does", retry_after_s=RETRY_AFTER_S
    )


async def _head_of(place: RedisPlace) -> int:
    """Number of the log's last event; 0 where there is no log yet."""
    address = place.address
    line = await address.connect()
    try:
        await check_server(line, shown=address.shown, accepted=place.accepted)
        (meta,) = place.keys.named("meta")
        written, head = await line.ask("HMGET", meta, "format", "head")
    except (LineBroken, ResponseError) as error:
        raise address.unavailable(error) from error
    finally:
        await line.close()
    if written is None:
        return 0
    if written.decode() != FORMAT_VERSION:
        raise LogFormatUnknown(address.shown, found=int(written), known=int(FORMAT_VERSION))
    if head is None:
        raise LogDamaged(0, why=f"area {place.keys.area} does not say where its log ends")
    return int(head)
