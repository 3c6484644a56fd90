"""Who leads an area: a lease that runs out by itself, and an epoch that only grows.

The lease keeps a second service from starting beside the first. It promises nothing: a process that
was stopped for a while, or cut off, may believe in a lease that is long over. What holds is the
epoch, which every append carries and the script compares.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import ResponseError

from dispatch.errors import (
    LogDamaged,
    LogFormatUnknown,
    StoreLocked,
    StoreUnavailable,
)
from dispatch.store.redis.keys import FORMAT_VERSION, AreaKeys
from dispatch.store.redis.line import Address, Line, LineBroken
from dispatch.store.redis.scripts import RENEW, RESIGN, TAKE_LEAD

LEASE_MS = 3_000
"""A leader that is gone is succeeded after so long."""

RENEW_S = 1.0
"""Two renewals may fail before the lease runs out."""

STOP_S = 1.0
"""Longest that stopping waits for the server; the lease runs out by itself."""

LOOK_S = 0.1
"""How often a candidate looks whether the lease is free."""

LOOKS = int(LEASE_MS / 1_000 / LOOK_S) + 10
"""Looks after which a lease that neither ends nor is renewed counts as held."""

EPOCHS_KEPT = 64
"""Epochs whose last batch stays known, for writers that ask late what became of it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One turn of one writer.

    Attributes:
        token: Names the writer in the lease.
        log_id: Names the log, so that another one is never taken for it.
        epoch: Number of the turn.
        head: Last event of the log when it began.
    """

    token: str
    log_id: str
    epoch: int
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody else's turn.

    Attributes:
        left_ms: Milliseconds until the lease ends, if it is not renewed.
        peer: Where the holder takes what others pass on; "" where it takes nothing.
        epoch: Number of the turn.
        head: Last event of the log now.
    """

    left_ms: int
    peer: str
    epoch: int
    head: int


def a_token(peer: str = "") -> str:
    """A fresh name for the lease, with the address that others find in it."""
    return f"{secrets.token_hex(16)} {peer}".rstrip()


async def take_lead(line: Line, keys: AreaKeys, *, shown: str) -> Lead:
    """Take the lead of an area.

    Waits for the end of a lease that is not renewed: its holder was killed.

    Raises:
        StoreLocked: another service renews its lease.
        LogFormatUnknown: the keys are of another version.
        LogDamaged: the log has a gap.
        LineBroken: the server does not answer.
    """
    token = a_token()
    left_before = LEASE_MS
    for _ in range(LOOKS):
        found = await try_lead(line, keys, token=token, shown=shown)
        if isinstance(found, Lead):
            return found
        if found.left_ms > left_before:
            break
        left_before = found.left_ms
        await asyncio.sleep(LOOK_S)
    raise StoreLocked(
        f"{shown}, area {keys.area}", mend="start this one with another address or area"
    )


async def try_lead(line: Line, keys: AreaKeys, *, token: str, shown: str) -> Lead | Held:
    """Take the lead of an area where nobody holds it; its log is made when missing.

    Asked again with the same token after an answer was lost, it is the same turn.

    Raises:
        LogFormatUnknown: the keys are of another version.
        LogDamaged: the log has a gap.
        LineBroken: the server does not answer.
    """
    said, *rest = await line.run(
        TAKE_LEAD, keys, token, LEASE_MS, secrets.token_hex(8), FORMAT_VERSION, EPOCHS_KEPT
    )
    if said == b"leads":
        return _checked(token, rest)
    if said == b"format":
        raise LogFormatUnknown(shown, found=int(rest[0]), known=int(FORMAT_VERSION))
    left_ms, holder, epoch, head = rest
    peer = holder.decode().partition(" ")[2]
    return Held(left_ms=int(left_ms), peer=peer, epoch=int(epoch), head=int(head))


def _checked(token: str, found: list[bytes | int]) -> Lead:
    log_id, epoch, head_text, length_text, first, last = (_text(value) for value in found)
    head, length = int(head_text), int(length_text)
    # Ids only grow: as many entries as the last one's number means that none is missing.
    ids = ("1-0", f"{head}-0") if head else ("", "")
    if length != head or (first, last) != ids:
        raise LogDamaged(
            head,
            why=f"it should be the last of 1 to {head}, and the stream has {length} entries from"
            f" {first or 'none'} to {last or 'none'}",
        )
    return Lead(token=token, log_id=log_id, epoch=int(epoch), head=head)


def _text(value: bytes | int) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Renewal:
    """Renews a lease until it is stopped; tells when somebody else has taken the lead."""

    def __init__(
        self,
        address: Address,
        keys: AreaKeys,
        lead: Lead,
        *,
        on_lost: Callable[[int], None],
        on_tried: Callable[[bool], None],
    ) -> None:
        """Begin.

        Args:
            address: The server.
            keys: The area's keys.
            lead: The turn whose lease is renewed.
            on_lost: Told the epoch of the new leader.
            on_tried: Told after each try whether the server took it. It is the one write that
                comes when nothing else does: a server that is gone is noticed before it is needed.
        """
        self._address = address
        self._keys = keys
        self._lead = lead
        self._on_lost = on_lost
        self._on_tried = on_tried
        self._line: Line | None = None
        # Said once, not each second.
        self._failing = False
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="lease")

    async def stop(self) -> None:
        """Stop, and give up the lease where the server answers."""
        self._stopping.set()
        await asyncio.wait({self._task}, timeout=STOP_S)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._line is not None:
            await self._line.close()

    async def _run(self) -> None:
        # A line of its own, so that a renewal never waits behind a large append.
        while not await self._is_stopping(RENEW_S):
            try:
                if not await self._renew(await self._connected()):
                    self._on_tried(False)
                    break
                self._failing = False
                self._on_tried(True)
            except (StoreUnavailable, LineBroken, ResponseError) as error:
                self._warn("is not renewed", error)
                self._on_tried(False)
        try:
            lead = self._lead
            line = await self._connected()
            await line.run(RESIGN, self._keys, lead.log_id, lead.epoch, lead.token)
        except (StoreUnavailable, LineBroken, ResponseError) as error:
            self._warn("runs out by itself", error)

    def _warn(self, what: str, error: Exception) -> None:
        if not self._failing:
            _log.warning("the lease of area %s %s: %s", self._keys.area, what, error)
        self._failing = True

    async def _connected(self) -> Line:
        if self._line is None or self._line.broken:
            self._line = await self._address.connect()
        return self._line

    async def _is_stopping(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _renew(self, line: Line) -> bool:
        lead = self._lead
        said, *rest = await line.run(
            RENEW, self._keys, lead.log_id, lead.epoch, lead.token, LEASE_MS
        )
        if said == b"stale":
            self._on_lost(int(rest[0]))
        return bool(said == b"leads")
