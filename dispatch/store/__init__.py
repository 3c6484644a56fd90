"""What the dispatcher asks of a store: an append-only log, its command keys, history, snapshots.

A store keeps bytes; what they mean is the codec's business. Core and runner know only these calls,
and one contract suite (`tests/contracts/test_store_contract.py`) runs on every adapter.

Rules of the log:
1. Sequence numbers start at 1 and have no gap. An append names the head it was decided on
   (`expected_seq`); when the log has moved meanwhile it is refused and nothing is written.
2. An append is all or nothing: its events, its command's reply and its history rows.
3. `settled(None)` is called only after the append is durable. Appends settle in the order in which
   they were handed in; only a refusal may come before the outcome of one that a store on another
   machine cannot tell yet.
4. After a failure nothing that was built on the failed append gets in: its `expected_seq` no
   longer fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from dispatch.changed import quickly_made
from dispatch.errors import DispatchError
from dispatch.words import UnixMs

FIRST_SEQ = 1
"""Sequence number of the first event of a log; 0 stands for "before everything"."""

READ_LIMIT = 10_000
"""Most events that one `read` returns."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReply:
    """The answer to a command, kept so that a repeated command gets the same one.

    Attributes:
        status: HTTP status.
        body: Bytes of the answer.
        headers: Headers that belong to the answer, as `ETag`.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommand:
    """A command that was carried out.

    Attributes:
        key: The caller and the key the caller chose; unique in the store.
        body_sha256: Digest of the request, to tell a repetition from a reuse.
        at_ms: When it was carried out; commands are forgotten after 24 h.
        reply: Its answer.
    """

    key: str
    body_sha256: bytes
    at_ms: UnixMs
    reply: StoredReply


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRow:
    """An incident that has left the board, with the columns it is looked up by.

    Attributes:
        incident_id: Its id.
        received_at_ms: When it was received; the order of the history.
        status: How it ended: `closed`, `cancelled` or `merged`.
        category: Its last category.
        platform_id: Platform of its grid, None outside all grids.
        assignment_ids: Its assignments, by which it can be found too.
        body: The incident and its assignments, encoded.
    """

    incident_id: str
    received_at_ms: UnixMs
    status: str
    category: str
    platform_id: str | None
    assignment_ids: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedQuery:
    """Which closed incidents are wanted, newest first.

    Attributes:
        statuses: Any of these; empty means all.
        category: This category; None means all.
        platform_id: This platform; None means all.
        since_ms: Received at or after.
        until_ms: Received before.
        before: Go on after this (received_at_ms, incident_id) of the last page.
        limit: Most rows.
    """

    statuses: tuple[str, ...] = ()
    category: str | None = None
    platform_id: str | None = None
    since_ms: UnixMs | None = None
    until_ms: UnixMs | None = None
    before: tuple[UnixMs, str] | None = None
    limit: int = 100


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """One decision, to be made durable as a whole.

    Attributes:
        expected_seq: Head of the log on which it was decided.
        epoch: Epoch of the writer, from `Store.epoch`; an older one is refused.
        events: Encoded events; they get the numbers after `expected_seq`.
        command: The command that it answers, None for the clock's own questions.
        closed: Incidents that leave the board, or closed ones that were changed.
        reopened: Incidents that leave the history and are on the board again.
    """

    expected_seq: int
    epoch: int
    events: tuple[bytes, ...]
    command: StoredCommand | None = None
    closed: tuple[ClosedRow, ...] = ()
    reopened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One event of the log, encoded."""

    seq: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSnapshot:
    """The board after event `seq`, encoded."""

    seq: int
    body: bytes


Settled: TypeAlias = Callable[[DispatchError | None], None]
"""Told on the event loop that an append is durable (None), or why it was refused."""


class Store(Protocol):
    """A durable log with one writer at a time."""

    @property
    def head(self) -> int:
        """Sequence number of the last durable event; 0 in an empty log."""
        ...

    @property
    def epoch(self) -> int:
        """Number of this writer's turn; every opening for writing gets a larger one."""
        ...

    @property
    def failing(self) -> bool:
        """True after a failed write, until one succeeds."""
        ...

    def append(self, append: Append, settled: Settled) -> None:
        """Hand in an append; returns at once.

        `settled` is called on the event loop, in order, with None when the append is durable, or:
            StoreUnavailable: the medium refused (disk full, read-only, I/O error, server away).
            OutcomeUnknown: the store is closed, or its log gone, before it can be told.
            LogMoved: the log's head is not `expected_seq`.
            StaleEpoch: a newer writer has taken over.
            CommandKnown: the command's key is in the store already.
        """
        ...

    async def read(self, after: int, limit: int = READ_LIMIT) -> Sequence[LogEntry]:
        """Durable events with `seq > after`, in order, at most `limit`.

        Raises:
            LogDamaged: a number is missing.
        """
        ...

    async def command(self, key: str) -> StoredCommand | None:
        """The command with this key, None when unknown or forgotten."""
        ...

    async def forget_commands(self, before_ms: UnixMs) -> int:
        """Forget commands older than `before_ms`; returns how many went (bounded per call)."""
        ...

    async def closed(self, incident_id: str) -> bytes | None:
        """Body of a closed incident."""
        ...

    async def closed_of_assignment(self, assignment_id: str) -> bytes | None:
        """Body of the closed incident that an assignment belonged to."""
        ...

    async def list_closed(self, query: ClosedQuery) -> Sequence[bytes]:
        """Bodies of closed incidents, newest first."""
        ...

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot; only the newest few are kept."""
        ...

    async def snapshots(self) -> Sequence[StoredSnapshot]:
        """The kept snapshots, newest first."""
        ...

    async def probe(self) -> None:
        """Make one small durable write.

        Raises:
            StoreUnavailable: the medium refuses writes.
        """
        ...

    async def close(self) -> None:
        """Finish what was handed in, then let go of the folder."""
        ...
