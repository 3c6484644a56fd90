"""Long-polls: waiting for the log to go on, bounded in time and number, ended by a stop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from starlette.requests import Request

from api.errors import NotReady
from api.http.inbox_bell import Contents
from api.http.permissions import caller_of, session_of
from api.service import Service
from dispatch.words import UnitId

WAIT_MAX_S = 25
"""Below the 30 s after which common proxies give up."""

TURN_S = 0.5
"""A waiter looks this often whether its token still holds and the service goes on: what a revoked
token holds open ends within a second, with room for a busy loop."""


class Waiting:
    """One client that waits; counted while it does."""

    def __init__(self, service: Service, request: Request, wait_s: float) -> None:
        self._service = service
        self._caller = caller_of(request)
        self._session = session_of(request)
        self._until_s = time.monotonic() + wait_s

    def __enter__(self) -> Self:
        """Takes a place among the waiters.

        Raises:
            NotReady: All places are taken.
        """
        self.check_room()
        self._service.stream_clients += 1
        return self

    def check_room(self) -> None:
        """Refuses another client when all places are taken.

        Raises:
            NotReady: All places are taken.
        """
        clients = self._service.stream_clients
        if clients >= self._service.settings.limits.stream_clients:
            raise NotReady(
                f"{clients} clients wait already, which is the bound; ask again without wait",
                retry_after_s=5,
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the place back."""
        self._service.stream_clients -= 1

    @property
    def may_go_on(self) -> bool:
        """False once the service stops, the token was revoked or the session has ended."""
        if self._service.stopping.is_set():
            return False
        if self._session is not None:
            return self._service.sessions.holds(self._session)
        return self._service.tokens.holds(self._caller)

    async def for_event_after(self, seq: int) -> bool:
        """Waits until the log goes on after `seq`.

        Returns:
            False when the time is over, the service stops, or the token no longer holds.
        """
        tail = self._service.runner.tail
        return await self._in_turns(lambda turn_s: tail.wait_after(seq, turn_s))

    async def for_inbox(self, unit_id: UnitId, seen: Contents) -> bool:
        """Waits until a unit's inbox is made of something else than what was seen.

        Returns:
            As `for_event_after`.
        """
        bell = self._service.inbox_bell
        return await self._in_turns(lambda turn_s: bell.wait(unit_id, seen, turn_s))

    async def _in_turns(self, wait: Callable[[float], Awaitable[bool]]) -> bool:
        while self.may_go_on:
            left_s = self._until_s - time.monotonic()
            if left_s <= 0:
                return False
            if await wait(min(TURN_S, left_s)):
                # Revoked while it slept: what woke it is no longer for it.
                return self.may_go_on
        return False
