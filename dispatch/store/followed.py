"""What a service of several workers asks of its store: to be followed, and led by one at a time.

One worker decides and writes. All others move their boards along the log, and one of them goes on
when the lead is free. A store's role changes once, from following to leading; a leader that is
deposed, or cannot tell what became of a batch, ends as a whole and is started anew as a follower.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from dispatch.store import LogEntry, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who decides now, as a follower knows.

    Attributes:
        peer: Address at which it takes what others pass on; "" where it takes nothing.
        epoch: Number of its turn.
        head: Last event of the log when the follower looked.
    """

    peer: str
    epoch: int
    head: int


@runtime_checkable
class FollowedStore(Store, Protocol):
    """A store whose log is followed until the lead is taken."""

    @property
    def leads(self) -> bool:
        """True once this worker writes."""
        ...

    @property
    def leader(self) -> Leader | None:
        """The last leader that was seen; None before the first one, and where it was this one."""
        ...

    @property
    def silent_s(self) -> float:
        """Seconds since the log last said how far it goes; inf before the first time."""
        ...

    @property
    def unseen_s(self) -> float:
        """Seconds since a leader was last seen; inf before the first time."""
        ...

    @property
    def ended(self) -> asyncio.Future[str]:
        """Done, with why, when this worker can write no more: only a new start helps."""
        ...

    def follow(self, after: int) -> AsyncIterator[Sequence[LogEntry]]:
        """Durable events with `seq > after`, in order, as they come; without end.

        Raises:
            LogDamaged: an event is missing, or it is another log.
        """
        ...

    async def take_lead(self) -> int:
        """Wait for the lead, however long; from then on the store can be written to.

        Returns:
            The log's last event, which nobody else can add to any more.

        Raises:
            LogDamaged: the log has a gap, or ends before what was recorded.
            LogFormatUnknown: another version wrote it.
        """
        ...
