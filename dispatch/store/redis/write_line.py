"""The line that appends go over: trusted only after a look at who is at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from redis.exceptions import ResponseError

from dispatch.errors import StoreError, StoreUnavailable
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.lease import Lead
from dispatch.store.redis.line import RETRY_AFTER_S, Address, Line, LineBroken
from dispatch.store.redis.scripts import APPEND
from dispatch.store.redis.server_check import check_server

GRACE_S = 0.5
"""A line that was cut while the server is well is mended sooner, and nobody is refused for it."""

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
"""Between two tries while the server is away; doubled from the one to the other."""

DOUBT_MAX_S = 600.0
"""Longest that a batch may be in doubt where nobody stands by to take over: its writer can only be
started anew after that, so that waiting for the server is worth it."""

DOUBT_OF_A_WORKER_S = 8.0
"""The same where others take over when the lease has run out: they wait for nobody, and whoever
waits here is better told."""


class LogGone(Exception):
    """The server does not hold the log that was written to; `CommitQueue` tells its callers.

    Attributes:
        in_doubt: Whether what was sent last may have been carried out.
    """

    def __init__(self, why: str, *, in_doubt: bool = False) -> None:
        super().__init__(why)
        self.in_doubt = in_doubt


class WriteLine:
    """One line at a time to the server; a new one is checked before anything is written to it."""

    def __init__(
        self,
        address: Address,
        keys: AreaKeys,
        lead: Lead,
        *,
        accepted: frozenset[str],
        checked: Line,
        doubt_s: float = DOUBT_MAX_S,
    ) -> None:
        """Begin with the line over which the lead was taken; `doubt_s` bounds a batch in doubt."""
        self._address = address
        self._keys = keys
        self._lead = lead
        self._accepted = accepted
        self._line = checked
        self._doubt_s = doubt_s

    async def ready(self, head: int) -> None:
        """Make sure of a line to the right server, with the right log.

        Args:
            head: Last event that was acknowledged; the log must reach so far.

        Raises:
            StoreUnavailable: there is none now; nothing was sent.
            LogGone: the server holds another log, or its end is missing.
        """
        if not self._line.broken:
            return
        line = await self._address.connect()
        try:
            await self._check(line, head)
        except LineBroken as error:
            raise self._address.unavailable(error) from error
        except BaseException:
            await line.close()
            raise
        self._line = line

    async def carry_out(
        self,
        number: int,
        packed: list[bytes],
        *,
        head: int,
        tell_others: Callable[[StoreUnavailable], None],
    ) -> list[bytes]:
        """Send a batch, and ask what came of it until the server says.

        Args:
            number: Of the batch.
            packed: Its appends.
            head: See `ready`.
            tell_others: Told, while the batch is in doubt, why nobody else can be served.

        Returns:
            What the script says of each, and the old answers.

        Raises:
            StoreUnavailable: the batch was not carried out and never will be.
            LogGone: the log is another, or its end is missing, or the batch was in doubt for too
                long.
        """
        in_doubt = False
        began_s, pause_s = perf_counter(), 0.0
        while True:
            try:
                await self.ready(head)
                return await self._append(number, packed)
            except LogGone as gone:
                raise LogGone(str(gone), in_doubt=in_doubt or gone.in_doubt) from gone
            except LineBroken as error:
                in_doubt, failure = True, self._address.unavailable(error)
            except StoreUnavailable as error:
                failure = error
            if not in_doubt:
                # Nothing of it has reached the server, or its only copy was refused.
                raise failure
            waited_s = perf_counter() - began_s
            if waited_s > self._doubt_s:
                raise self._given_up(number, failure)
            if waited_s > GRACE_S:
                tell_others(failure)
            await asyncio.sleep(pause_s)
            # At once the first time: a line that was cut while the server is well.
            pause_s = min(max(2 * pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)

    async def close(self) -> None:
        """Close the line."""
        await self._line.close()

    async def _append(self, number: int, packed: list[bytes]) -> list[bytes]:
        """Send a batch, once.

        Raises:
            LineBroken: it was carried out or not, or still will be.
            StoreUnavailable: the server refused; this copy was not carried out.
            LogGone: the server says what it never should.
        """
        lead = self._lead
        try:
            said, *rest = await self._line.run(
                APPEND, self._keys, lead.log_id, lead.epoch, number, *packed
            )
        except ResponseError as error:
            # Refused before it began; or it stumbled half-way, and what it wrote stays.
            if "user_script" in str(error):
                raise self._lost_track(number, str(error)) from error
            raise self._address.unavailable(error) from error
        if said != b"done":
            words = (part.decode(errors="replace") for part in (said, *rest))
            raise self._lost_track(number, " ".join(words))
        answers: list[bytes] = rest
        return answers

    def _given_up(self, number: int, failure: StoreUnavailable) -> LogGone:
        return LogGone(
            f"what came of batch {number} of epoch {self._lead.epoch} could not be found out in"
            f" {self._doubt_s:g} s ({failure.why}): this writer ends; a worker is"
            " started again by itself, else restart the service",
            in_doubt=True,
        )

    def _lost_track(self, number: int, said: str) -> LogGone:
        return LogGone(
            f"the server answered {said!r} to batch {number} of epoch {self._lead.epoch}: the log"
            " was changed from outside, restart the service",
            in_doubt=True,
        )

    async def _check(self, line: Line, head: int) -> None:
        shown = self._address.shown
        try:
            await check_server(line, shown=shown, accepted=self._accepted)
        except StoreUnavailable:
            raise
        except StoreError as error:
            raise StoreUnavailable(str(error), retry_after_s=RETRY_AFTER_S) from error
        (meta,) = self._keys.named("meta")
        log_id, found = await line.ask("HMGET", meta, "log_id", "head")
        if log_id is None or log_id.decode() != self._lead.log_id:
            raise LogGone(
                f"the Redis server {shown} came back without the log of area {self._keys.area}:"
                " stop the service, bring back the server's data, then start it again"
            )
        if int(found) < head:
            raise LogGone(
                f"the Redis server {shown} came back with a log that ends at event {int(found)},"
                f" events up to {head} had been recorded: stop the service, bring back the server's"
                " data, then start it again"
            )
