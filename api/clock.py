"""The one place where the service asks what time it is, and how times are written and read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

from dispatch.words import UnixMs


def now_ms() -> UnixMs:
    """Milliseconds since 1970-01-01T00:00:00Z by the machine's clock."""
    return UnixMs(time.time_ns() // 1_000_000)


def rfc3339(at_ms: int) -> str:
    """An instant as RFC 3339 in UTC with milliseconds: "2026-10-06T13:40:19.250Z"."""
    second, ms = divmod(at_ms, 1000)
    return f"{_second(second)}.{ms:03d}Z"


def rfc3339_or_none(at_ms: int | None) -> str | None:
    """As `rfc3339`; None stays None."""
    return None if at_ms is None else rfc3339(at_ms)


def milliseconds(at: datetime) -> UnixMs:
    """An aware datetime as milliseconds since 1970, rounded to the nearest."""
    return UnixMs(round(at.timestamp() * 1000))


@lru_cache(maxsize=4_096)
def _second(at_s: int) -> str:
    # One answer names the same few seconds many times, and writing one takes 5 µs.
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}"
