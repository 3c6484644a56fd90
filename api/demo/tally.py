"""What the demo has done so far, said in one line on stderr."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime

PROGRESS_EVERY_S = 10.0


class Tally:
    """Counts by name. One per process; bounded, for the names are few."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Count something once more."""
        self._counts[what] += count

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    async def report(self, fleet: Callable[[], str]) -> None:
        """Write a line on stderr every 10 s until cancelled."""
        names = ("incidents", "unserved", "closed", "fixes", "retries", "refused")
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            counts = " ".join(f"{name}={self._counts[name]}" for name in names)
            clock = datetime.now().astimezone().strftime("%H:%M:%S")
            sys.stderr.write(f"模拟 demo {clock} {fleet()} {counts}\n")
            sys.stderr.flush()
