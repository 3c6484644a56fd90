"""Time and messages of a simulation: one seed decides what is late, lost, doubled or overtaken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any

LOST, DOUBLED, SLOW = 0.02, 0.04, 0.04
"""Shares of messages while it is rough."""

QUICK_MS = 20
SLOW_MS = 4_000
"""Longer than a lease: an answer can be older than the turn it speaks of."""


class Network:
    """A heap of what is due; nothing here knows the real time.

    Attributes:
        now_ms: Simulated milliseconds since the beginning.
        rough: Whether messages are lost, doubled and slow.
        cuts: Ways, from one to another, over which nothing gets.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.now_ms = 0
        self.rough = True
        self.cuts: set[tuple[str, str]] = set()
        self._due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._made = 0
        self._notes: deque[tuple[Any, ...]] = deque(maxlen=25)

    def at(self, after_ms: int, do: Callable[..., None], *args: Any) -> None:
        """Does it later."""
        self._made += 1
        heappush(self._due, (self.now_ms + after_ms, self._made, do, args))

    def step(self) -> None:
        """Does what is due next."""
        self.now_ms, _, do, args = heappop(self._due)
        do(*args)

    def send(self, start: str, end: str, do: Callable[..., None], *args: Any) -> None:
        """Does it at `end` when the message gets there: once, twice or never."""
        copies = 1
        if self.rough:
            draw = self.chance.random()
            copies = 0 if draw < LOST else 2 if draw < LOST + DOUBLED else 1
        for _ in range(copies):
            slow = self.rough and self.chance.random() < SLOW
            longest_ms = SLOW_MS if slow else QUICK_MS
            # Not randint: it takes three times as long, and this is done most often of all.
            self.at(
                1 + int(self.chance.random() * longest_ms), self._arrive, (start, end), do, args
            )

    def note(self, *words: Any) -> None:
        """Keeps it for the trace of a failure."""
        self._notes.append((self.now_ms, *words))

    def trace(self) -> str:
        """What was noted last."""
        return "\n".join(" ".join(str(word) for word in note)[:160] for note in self._notes)

    def _arrive(self, way: tuple[str, str], do: Callable[..., None], args: tuple[Any, ...]) -> None:
        # Looked at on arrival only: what was under way when a way was cut is lost, too.
        if way not in self.cuts:
            do(*args)
