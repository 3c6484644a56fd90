"""Reads events out of the log's table, and never gives out one that does not fit its chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from dispatch.errors import LogDamaged
from dispatch.store import FIRST_SEQ, READ_LIMIT, LogEntry
from dispatch.store.chain import GENESIS, link

Row = tuple[int, bytes, bytes]
"""Number, body and chain of an event."""


def read_events(
    connection: sqlite3.Connection, after: int, limit: int = READ_LIMIT
) -> list[LogEntry]:
    """Events with `seq > after`, in order, at most `limit`, checked against the chain.

    Raises:
        LogDamaged: a number is missing, or a row is not as it was written.
        sqlite3.Error: as SQLite says.
    """
    rows = connection.execute(
        "SELECT seq, body, chain FROM events WHERE seq >= ? ORDER BY seq LIMIT ?",
        (after, min(limit, READ_LIMIT) + 1),
    ).fetchall()
    before: Row | None = None
    if after < FIRST_SEQ:
        before = (0, b"", GENESIS)
        rows = rows[: min(limit, READ_LIMIT)]
    elif rows and rows[0][0] == after:
        before = rows.pop(0)
        if not isinstance(before[2], bytes):
            raise LogDamaged(after, why="it carries no digest")
    elif rows:
        raise LogDamaged(rows[0][0], why="the events before it are missing")
    return [LogEntry(seq=seq, body=body) for seq, body in _checked(before, rows)]


def _checked(before: Row | None, rows: Iterable[Row]) -> Iterator[tuple[int, bytes]]:
    if before is None:
        return
    seq_before, _, chain_before = before
    for seq, body, chain in rows:
        if seq != seq_before + 1:
            raise LogDamaged(seq, why="the events before it are missing")
        if link(chain_before, seq, body) != chain:
            raise LogDamaged(seq, why="its bytes are not those that were written")
        yield seq, body
        seq_before, chain_before = seq, chain


def chain_at(connection: sqlite3.Connection, seq: int) -> bytes:
    """The chain after event `seq`; of an empty log where it is 0.

    Raises:
        LogDamaged: the event is not there or carries none.
    """
    if seq < FIRST_SEQ:
        return GENESIS
    row = connection.execute("SELECT chain FROM events WHERE seq = ?", (seq,)).fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise LogDamaged(seq, why="it carries no digest")
    return row[0]
