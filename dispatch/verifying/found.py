"""What a verification found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

FAULTS_MAX = 100
"""More are counted, not told one by one: the first is what matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it was written.

    Attributes:
        where: `events`, `end`, `heads`, `file`, `snapshot`, `closed`, `command`, `backup`.
        seq: The event, None where it is none.
        text: What is wrong.
    """

    where: str
    seq: int | None
    text: str


@dataclass(slots=True)
class Found:
    """Gathers faults, notes and counts while the log is read."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def fault(self, where: str, seq: int | None, text: str) -> None:
        """Note a fault."""
        self.counts["faults"] += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(where=where, seq=seq, text=text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A log that was read from end to end.

    Attributes:
        events: Its last event.
        chain: The chain after it, hexadecimal.
        unchained_up_to: Events up to this number carry no chain (logs of format 1).
        board_sha256: Digest of the board after the last event, as `kuaijing replay` prints it;
            None without a city, or where the log is damaged.
        road_version: Road network of the last decision; None where none was made.
        counts: How many rows of each kind were looked at, heads checked, faults found.
        faults: What is not as it was written.
        notes: What could not be checked, and what is worth knowing.
        took_s: Seconds that it took.
    """

    events: int
    chain: str
    unchained_up_to: int
    board_sha256: str | None
    road_version: str | None
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    took_s: float

    @property
    def whole(self) -> bool:
        """Whether all is as it was written."""
        return not self.faults

    @property
    def first_bad_seq(self) -> int | None:
        """The first event that is not as it was written; None where all are."""
        return min((one.seq for one in self.faults if one.seq is not None), default=None)
