"""Brings a log of an older format up to today's, in pieces, so that it may be cut off anywhere."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from dispatch.errors import LogDamaged
from dispatch.store.chain import GENESIS, link
from dispatch.store.sqlite_log import FORMAT_VERSION, format_of, head_of

CHAINED_LATER = "chained_later"
"""Name in `meta`: events up to this number were written without a chain and got theirs later."""

EVENTS_AT_ONCE = 5_000
SAY_EVERY = 50_000

_log = logging.getLogger(__name__)


def bring_up(
    writer: sqlite3.Connection, path: Path, *, say: Callable[[str], None] = _log.warning
) -> None:
    """Add what format 2 has and format 1 has not: digests of rows, and the chain over all events.

    The format's number changes last. A start that was cut off goes on where it stood.

    Args:
        writer: The one connection that writes.
        path: The log's file, for what is said.
        say: Told how far it is.

    Raises:
        LogDamaged: a number is missing among the events.
        sqlite3.Error: the medium refuses.
    """
    if format_of(writer, path) == FORMAT_VERSION:
        return
    for table in ("commands", "closed_incidents"):
        columns = {row[1] for row in writer.execute(f"PRAGMA table_info({table})")}
        if "digest" not in columns:
            writer.execute(f"ALTER TABLE {table} ADD COLUMN digest BLOB")
    head = head_of(writer)
    row = writer.execute("SELECT max(seq) FROM events WHERE chain IS NOT NULL").fetchone()
    seq = int(row[0] or 0)
    while seq < head:
        if seq % SAY_EVERY == 0:
            say(f"{path} is of format 1: chaining its events, {seq} of {head} done")
        seq = _chain_some(writer, seq)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (CHAINED_LATER, head))
    writer.execute("UPDATE meta SET value = ? WHERE name = 'format'", (FORMAT_VERSION,))
    writer.execute("COMMIT")


def _chain_some(writer: sqlite3.Connection, after: int) -> int:
    """Chain the next events in one transaction; returns the number of the last."""
    chain = GENESIS
    if after:
        found = writer.execute("SELECT chain FROM events WHERE seq = ?", (after,)).fetchone()
        chain = found[0]
    rows = writer.execute(
        "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, EVENTS_AT_ONCE)
    ).fetchall()
    updates = []
    for due, (seq, body) in enumerate(rows, start=after + 1):
        if seq != due:
            raise LogDamaged(due, why="it is missing")
        chain = link(chain, seq, body)
        updates.append((chain, seq))
    writer.execute("BEGIN IMMEDIATE")
    writer.executemany("UPDATE events SET chain = ? WHERE seq = ?", updates)
    writer.execute("COMMIT")
    # The rows grow, so that every page is written: the write-ahead log is folded as we go.
    writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return int(updates[-1][1])
