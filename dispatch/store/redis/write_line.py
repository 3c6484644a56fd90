"""The line that appends go over: trusted only after a look at who is at the other end."""

from __future__ import annotations

from typing import Any

from dispatch.errors import StoreError, StoreUnavailable
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.lease import Lead
from dispatch.store.redis.line import RETRY_AFTER_S, Address, Line, LineBroken
from dispatch.store.redis.scripts import APPEND
from dispatch.store.redis.server_check import check_server


class LogGone(StoreError):
    """The server does not hold the log that was written to."""


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
    ) -> None:
        """Begin with the line over which the lead was taken."""
        self._address = address
        self._keys = keys
        self._lead = lead
        self._accepted = accepted
        self._line = checked

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

    async def append(self, number: int, packed: list[bytes]) -> list[Any]:
        """Send a batch, once.

        Args:
            number: Of the batch; a repetition has the same.
            packed: Its appends.

        Raises:
            LineBroken: it was carried out or not, or still will be.
            redis.exceptions.ResponseError: the server refused; this copy was not carried out.
        """
        lead = self._lead
        answer: list[Any] = await self._line.run(
            APPEND, self._keys, lead.log_id, lead.epoch, number, *packed
        )
        return answer

    async def close(self) -> None:
        """Close the line."""
        await self._line.close()

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
