"""How many requests a token, or an address, may make: a bucket that fills, and holds a burst."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from api.errors import RateLimited

BUCKETS_MAX = 20_000
"""More tokens than can exist, and more addresses than sign in; when it is reached, all buckets
start full again."""


class RateLimiter:
    """One bucket for each token, or for whatever else is counted.

    Attributes:
        per_s: Requests a second that each may make for ever.
        burst: Requests it may make at once after a rest.
    """

    def __init__(
        self,
        per_s: float,
        burst: int,
        *,
        counted: str = "token",
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_s = per_s
        self.burst = burst
        self._counted = counted
        self._monotonic_s = monotonic_s
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, token_id: str) -> None:
        """Takes one request out of the token's bucket.

        Raises:
            RateLimited: The bucket is empty.
        """
        now_s = self._monotonic_s()
        level, seen_s = self._buckets.get(token_id, (float(self.burst), now_s))
        level = min(self.burst, level + (now_s - seen_s) * self.per_s)
        if level < 1:
            self._buckets[token_id] = (level, now_s)
            retry_after_s = math.ceil((1 - level) / self.per_s)
            raise RateLimited(
                f"this {self._counted} may make {self.per_s:g} requests a second and {self.burst}"
                f" at once; try again in {retry_after_s} s",
                retry_after_s=retry_after_s,
            )
        if len(self._buckets) >= BUCKETS_MAX:
            self._buckets.clear()
        self._buckets[token_id] = (level - 1, now_s)
