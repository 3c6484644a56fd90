"""Degraded: the service answers, and what it answers may not last or not be all there is.

Said in every answer, so that nobody works on in the belief that all is well. On a healthy service
it costs half a microsecond a request.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

from dispatch.errors import DispatchError
from dispatch.runner import Runner

HEADER = b"x-kuaijing-degraded"

STORE_FAILING = "store_failing"
"""The last write failed, or what was decided has waited for the disk since the last look."""

FEED_BEHIND = "feed_behind"
"""One of several workers: its board may be behind what the one that leads has decided."""

NO_LEADER = "no_leader"
"""One of several workers: nobody decides now."""

CAUSES = (STORE_FAILING, FEED_BEHIND, NO_LEADER)

_LACKS = "kuaijing.lacks"

Headers = list[tuple[bytes, bytes]]


class Degraded:
    """What is degraded in one service; used from the event loop only."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waits = False
        self._seen_seq = runner.durable_seq
        self._seen_waiting = False

    @property
    def causes(self) -> list[str]:
        """Why it is degraded; empty while all is well."""
        causes = [STORE_FAILING] if self._waits or self._runner.store_failing else []
        following = self._runner.following
        if following is not None and following.lack is not None:
            causes.append(following.lack)
        return causes

    def headers(self, scope: Scope) -> Headers:
        """What an answer carries; empty while all is well."""
        causes = self.causes
        causes += (cause for cause in scope.get(_LACKS, ()) if cause not in causes)
        return [(HEADER, ",".join(causes).encode())] if causes else []

    async def look(self) -> None:
        """Looks once a second: does the log go on, and does a failed disk take writes again?"""
        waiting, seq = self._runner.in_flight > 0, self._runner.durable_seq
        # The same decisions as a second ago, and none became durable since: the log is behind.
        self._waits = waiting and self._seen_waiting and seq == self._seen_seq
        self._seen_waiting, self._seen_seq = waiting, seq
        if self._runner.store_failing and not waiting:
            # Nobody may be writing: found out by writing, so that it ends with its cause.
            try:
                await self._runner.check_writable()
            except DispatchError:
                return


def note_lack(scope: Scope, causes: Iterable[str]) -> None:
    """What one answer lacks, beside what the whole service does."""
    scope.setdefault(_LACKS, []).extend(causes)
