"""Reads events for feeds: from the end that is in memory, or from the store."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.codec import decode_event
from dispatch.errors import CursorExpired
from dispatch.running.tail import FeedEvent, Tail
from dispatch.store import Store

FEED_DEPTH = 100_000
"""Events behind the head that a feed may start from; who is farther behind takes a snapshot."""

READ_AT_ONCE = 1_000
"""Most events of one reading."""


async def read_events(store: Store, tail: Tail, after: int, limit: int) -> Sequence[FeedEvent]:
    """Durable events with `seq > after`, in order; empty when there are none yet.

    Raises:
        CursorExpired: they are too far back, or the cursor is of another log.
        StoreUnavailable: the log cannot be read.
    """
    limit = min(limit, READ_AT_ONCE)
    oldest = max(0, tail.head - FEED_DEPTH)
    if not oldest <= after <= tail.head:
        raise CursorExpired(after=after, oldest=oldest + 1)
    kept = tail.since(after, limit)
    if kept is not None:
        return kept
    entries = await store.read(after, limit)
    # A store that others write to may have what the board does not show yet.
    shown = (one for one in entries if one.seq <= tail.head)
    return [tail.feed_event(decode_event(one.seq, one.body)) for one in shown]
