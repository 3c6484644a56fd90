"""The log's server in a simulation: what `dispatch/store/redis/lua/*.lua` do, in memory.

Left out is what the dispatcher does not use (appends that name what they touch), snapshots, and
forgetting. It loses nothing itself: that the real one does not is shown by `tests/crash`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dispatch.store import Append, StoredCommand

LEASE_MS = 3_000
EPOCHS_KEPT = 64

Told = tuple[Any, ...]


@dataclass
class LogServer:
    """One area's keys; `now_ms` is the server's own clock, which may jump.

    Attributes:
        checks_epoch: False plants the defect that any writer is let in.
        looks_up_commands: False plants the defect that no key is looked up.
        remembers_batches: False plants the defect that a batch which comes again is a new one.
    """

    now_ms: Callable[[], int]
    checks_epoch: bool = True
    looks_up_commands: bool = True
    remembers_batches: bool = True
    epoch: int = 0
    entries: list[bytes] = field(default_factory=list)
    commands: dict[str, StoredCommand] = field(default_factory=dict)
    closed: dict[str, bytes] = field(default_factory=dict)
    closed_assignments: dict[str, str] = field(default_factory=dict)
    parked: list[Callable[[], None]] = field(default_factory=list)
    _batches: dict[int, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    _holder: str = ""
    _held_until_ms: int = 0

    @property
    def head(self) -> int:
        return len(self.entries)

    def take_lead(self, token: str) -> Told:
        """As take_lead.lua."""
        holder = self._holder if self.now_ms() < self._held_until_ms else ""
        if holder and holder != token:
            return "held", holder, self.epoch
        if not holder:
            self.epoch += 1
            self._batches.pop(self.epoch - EPOCHS_KEPT, None)
        self._hold(token)
        return "leads", self.epoch, self.head

    def renew(self, epoch: int, token: str) -> Told:
        """As renew.lua: also a lease that ran out, as long as nobody else took the lead."""
        if epoch != self.epoch:
            return "stale", self.epoch
        self._hold(token)
        return ("leads",)

    def resign(self, token: str) -> Told:
        """As resign.lua."""
        if self._holder == token:
            self._held_until_ms = 0
        return ("done",)

    def read(self, after: int) -> Told:
        """The stream after an event."""
        return tuple(enumerate(self.entries[after:], after + 1))

    def look_up(self, key: str, incident_id: str | None, assignment_id: str | None) -> Told:
        """A command's answer, and the closed incident that a question is about."""
        known = self.commands.get(key) if self.looks_up_commands else None
        if assignment_id is not None:
            incident_id = self.closed_assignments.get(assignment_id)
        return known, self.closed.get(incident_id or "")

    def append(self, epoch: int, number: int, appends: tuple[Append, ...]) -> Told:
        """As append.lua."""
        last, recorded = self._batches.get(epoch, (0, ()))
        if last > number:
            return "past", last
        if last == number:
            return "done", recorded
        head = self.head
        outcomes = tuple(self._one(epoch, append) for append in appends)
        if epoch == self.epoch and self.remembers_batches:
            self._batches[epoch] = number, outcomes
        if self.head > head:
            parked, self.parked = self.parked, []
            for wake in parked:
                wake()
        return "done", outcomes

    def _one(self, epoch: int, append: Append) -> str:
        command = append.command
        if command is not None and self.looks_up_commands and command.key in self.commands:
            return "known"
        if self.checks_epoch and not epoch == append.epoch == self.epoch:
            return "stale"
        if append.expected_seq != self.head:
            return "moved"
        self.entries += append.events
        if command is not None:
            self.commands[command.key] = command
        for incident_id in append.reopened:
            self.closed.pop(incident_id, None)
        for row in append.closed:
            self.closed[row.incident_id] = row.body
            self.closed_assignments.update(dict.fromkeys(row.assignment_ids, row.incident_id))
        return "ok"

    def _hold(self, token: str) -> None:
        self._holder, self._held_until_ms = token, self.now_ms() + LEASE_MS
