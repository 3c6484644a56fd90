"""Positions between workers: each hears at once what another has accepted.

A vehicle talks to one worker, and whoever leads decides by where it is. What is accepted goes out
on a channel, which costs the server no write; the last fix of each unit is kept in a hash, for a
worker that starts or was cut off. Positions may be lost: the next fix is seconds away, and nothing
waits for any of this.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from dispatch.errors import StoreUnavailable
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address, Line, LineBroken, Lines
from dispatch.whereabouts.positions import Fix, Positions
from dispatch.words import UnitId, UnixMs

GATHER_S = 0.05
"""What comes in within so long goes out together."""

KEEP_S = 1.5
"""How often last fixes are kept: the server syncs each write, so that all go as one."""

UNSENT_MAX = 20_000
"""Fixes that wait to go out; beyond it the oldest go."""

PING_S = 2.0
"""A channel that was silent for so long is asked whether it still is one, and given up after as
long again."""

PAUSE_S = 0.5
"""Between two tries while the server is away."""

_log = logging.getLogger(__name__)
_encoder = msgspec.msgpack.Encoder()
_message = msgspec.msgpack.Decoder(tuple[str, list[Fix]])
_kept = msgspec.msgpack.Decoder(Fix)


class SharedPositions:
    """Ties the positions of this worker to those of all others."""

    def __init__(
        self, address: Address, area: str, positions: Positions, now_ms: Callable[[], UnixMs]
    ) -> None:
        """Not begun yet, see `begin`."""
        self._address = address
        self._lines = Lines(address, most=1)
        self._channel, self._hash = AreaKeys(area).named("positions", "last-fixes")
        self._positions = positions
        self._now_ms = now_ms
        self._origin = secrets.token_hex(8)
        self._unsent: deque[Fix] = deque(maxlen=UNSENT_MAX)
        self._unkept: dict[UnitId, Fix] = {}
        self._news = asyncio.Event()
        # Said once, not at each try.
        self._failing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Take the last fixes that others kept; from now on tell, and hear."""
        try:
            self._positions.restore(await self._last_fixes())
        except StoreUnavailable as error:
            self._warn(error)
        self._positions.share_with(self._share)
        jobs: list[Coroutine[Any, Any, None]] = [self._tell(), self._keep(), self._listen()]
        self._tasks = [asyncio.create_task(job, name="shared-positions") for job in jobs]

    async def stop(self) -> None:
        """End; harmless when done twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._lines.close()

    def _share(self, fixes: Sequence[Fix]) -> None:
        self._unsent.extend(fixes)
        self._to_keep(fixes)
        self._news.set()

    def _to_keep(self, fixes: Iterable[Fix]) -> None:
        """Put down for the hash what is a unit's last fix; not one that came late or was refused.

        Whoever starts believes the hash without judging.
        """
        for fix in fixes:
            if self._positions.last.get(fix.unit_id) == fix:
                self._unkept[fix.unit_id] = fix

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(GATHER_S)
            self._news.clear()
            fixes, self._unsent = list(self._unsent), deque(maxlen=UNSENT_MAX)
            packed = _encoder.encode((self._origin, fixes))
            # Not told again where it fails: the next fixes are seconds away.
            await self._try(self._lines.ask("PUBLISH", self._channel, packed))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_S)
            if not self._unkept:
                continue
            last, self._unkept = self._unkept, {}
            pairs: list[str | bytes] = []
            for unit_id, fix in last.items():
                pairs += [unit_id, _encoder.encode(fix)]
            if not await self._try(self._lines.ask("HSET", self._hash, *pairs)):
                # A unit that stands still for long would be nowhere for whoever starts.
                self._to_keep(last.values())

    async def _try(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Do it; False where it failed, which is told and ends nothing."""
        try:
            await work
        except StoreUnavailable as error:
            self._warn(error)
            return False
        except Exception:  # noqa: BLE001
            # Were the telling to end here, nobody would notice until units are sent wrongly.
            _log.exception("a defect in the sharing of positions")
            return False
        self._failing = False
        return True

    async def _listen(self) -> None:
        while True:
            try:
                line = await self._address.connect()
                try:
                    await line.ask("SUBSCRIBE", self._channel)
                    # What was told while nobody listened here.
                    self._positions.hear(await self._last_fixes(), self._now_ms())
                    await self._hear(line)
                finally:
                    await line.close()
            except (StoreUnavailable, LineBroken, ResponseError) as error:
                self._warn(error)
            except Exception:  # noqa: BLE001
                # As in `_try`; the channel is opened anew.
                _log.exception("a defect in the hearing of positions")
            await asyncio.sleep(PAUSE_S)

    async def _hear(self, line: Line) -> None:
        """Take in what comes, until the line breaks or says nothing any more."""
        asked = False
        answer = asyncio.create_task(line.next_answer())
        try:
            while True:
                done, _ = await asyncio.wait({answer}, timeout=PING_S)
                if not done:
                    if asked:
                        raise LineBroken(f"the channel said nothing for {2 * PING_S:g} s")
                    asked = True
                    await line.send("PING")
                    continue
                asked = False
                self._take(answer.result())
                answer = asyncio.create_task(line.next_answer())
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    def _take(self, message: Sequence[Any]) -> None:
        if message[0] != b"message":
            return
        try:
            origin, fixes = _message.decode(message[2])
        except msgspec.MsgspecError as error:
            _log.warning("positions of another worker cannot be read: %s", error)
            return
        if origin != self._origin:
            self._positions.hear(fixes, self._now_ms())

    async def _last_fixes(self) -> list[Fix]:
        fixes = []
        for packed in (await self._lines.ask("HVALS", self._hash)) or ():
            try:
                fixes.append(_kept.decode(packed))
            except msgspec.MsgspecError as error:
                _log.warning("a kept position cannot be read: %s", error)
        return fixes

    def _warn(self, error: Exception) -> None:
        if not self._failing:
            _log.warning("positions are not shared with other workers: %s", error)
        self._failing = True
