"""Measured times and what is told of them: count, median, 99th percentile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Samples:
    """Times of one thing, in the order in which they were taken.

    Attributes:
        values_ms: The times in milliseconds.
    """

    values_ms: list[float] = field(default_factory=list)

    def add_ns(self, elapsed_ns: int) -> None:
        """Note one time given in nanoseconds."""
        self.values_ms.append(elapsed_ns / NS_PER_MS)

    def extend_ms(self, values_ms: Iterable[float]) -> None:
        """Note several times."""
        self.values_ms.extend(values_ms)

    @property
    def count(self) -> int:
        """How many times were taken."""
        return len(self.values_ms)

    @property
    def p50_ms(self) -> float:
        """The median; inf without samples."""
        return self.percentile_ms(50.0)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile, interpolated; inf without samples."""
        return self.percentile_ms(99.0)

    def percentile_ms(self, percent: float) -> float:
        """A percentile, 0 to 100, interpolated linearly; inf without samples."""
        if not self.values_ms:
            return float("inf")
        return float(np.percentile(self.values_ms, percent))

    def summary(self) -> dict[str, float | int]:
        """Count, p50 and p99 as plain data."""
        return {
            "samples": self.count,
            "p50_ms": round(self.p50_ms, 4),
            "p99_ms": round(self.p99_ms, 4),
        }
