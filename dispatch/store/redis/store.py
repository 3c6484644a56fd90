"""`Store` on a Redis server: one leader per area writes, anybody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import ResponseError

from dispatch.errors import StaleEpoch, StoreUnavailable
from dispatch.store import Append, Settled, StoredSnapshot
from dispatch.store.redis.commit_queue import CommitQueue, OnCommit
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.lease import Lead, Renewal, take_lead
from dispatch.store.redis.line import RETRY_AFTER_S, Address, Argument, LineBroken, Lines
from dispatch.store.redis.packing import Outcome
from dispatch.store.redis.reading import RedisReader
from dispatch.store.redis.scripts import FORGET_COMMANDS, PROBE, SAVE_SNAPSHOT, Script
from dispatch.store.redis.server_check import check_server
from dispatch.store.redis.write_line import WriteLine
from dispatch.words import UnixMs

SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest cannot be read."""

PROBE_BYTES = 65_536
"""As much as a large decision: a server with room for less is full."""

FORGET_AT_ONCE = 1_000
"""Most commands forgotten at once (some 2 ms), so that nobody waits long behind it."""


class RedisStore(RedisReader):
    """`Store` of one area; open it inside a running event loop with `RedisStore.open`."""

    def __init__(
        self,
        address: Address,
        keys: AreaKeys,
        lead: Lead,
        line: WriteLine,
        *,
        on_commit: OnCommit | None = None,
    ) -> None:
        """Begin to write; `RedisStore.open` takes the lead for it."""
        super().__init__(Lines(address), keys)
        self._lead = lead
        self._commits = CommitQueue(
            line, address, head=lead.head, epoch=lead.epoch, on_commit=on_commit
        )
        self._renewal = Renewal(address, keys, lead, on_lost=self._commits.depose)

    @classmethod
    async def open(
        cls,
        url: str,
        area: str,
        *,
        accepted: Iterable[str] = (),
        on_commit: OnCommit | None = None,
    ) -> RedisStore:
        """Take the lead of an area; its log is made when missing.

        Args:
            url: See `Address`.
            area: Name of the area.
            accepted: Settings of the server whose danger the operator takes, by name.
            on_commit: Told, on the event loop, of each commit's appends and seconds.

        Raises:
            ValueError: the address or the area's name is none.
            StoreLocked: another service leads the area.
            StoreUnsafe: the server would lose what it has acknowledged.
            LogDamaged: the log has a gap.
            LogFormatUnknown: another version wrote it.
            StoreUnavailable: the server cannot be reached, or refuses.
        """
        address, keys, names = Address(url), AreaKeys(area), frozenset(accepted)
        line = await address.connect()
        try:
            await check_server(line, shown=address.shown, accepted=names)
            lead = await take_lead(line, keys, shown=address.shown)
        except (LineBroken, ResponseError) as error:
            await line.close()
            raise address.unavailable(error) from error
        except BaseException:
            await line.close()
            raise
        writing = WriteLine(address, keys, lead, accepted=names, checked=line)
        return cls(address, keys, lead, writing, on_commit=on_commit)

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
        """True after a failed commit, until one succeeds."""
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
        return int(await self._write(FORGET_COMMANDS, before_ms, FORGET_AT_ONCE))

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and drop the oldest."""
        await self._write(SAVE_SNAPSHOT, snapshot.seq, snapshot.body, SNAPSHOTS_KEPT)

    async def probe(self) -> None:
        """Make one small durable write; see `Store.probe`."""
        self._commits.check_open()
        await self._write(PROBE, bytes(PROBE_BYTES))
        self._commits.note_success()

    async def close(self) -> None:
        """Finish what was handed in, then give up the lead; harmless when done twice."""
        await self._commits.stop()
        await self._renewal.stop()
        await self._lines.close()

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
