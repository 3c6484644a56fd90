"""The two files that hold callers: `callers.db` (sealed, and who read it) and `callers.keys`.

They are two, so that a backup can take the first and never the second: a key that is deleted here
is in no copy, and what it sealed is unreadable in every backup ever made. One connection has both
attached, and a transaction reaches both or neither.

A rollback journal and no write-ahead log: `kuaijing callers forget` writes beside a running
service, and SQLite before 3.51.3 can corrupt a WAL that two connections write to. TRUNCATE with
FULL syncs the emptied journal too, so that what was committed survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

CALLERS_FILE = "callers.db"
KEYS_FILE = "callers.keys"
FORMAT_VERSION = 1
BUSY_S = 5.0

_TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    # A row without `sealed` was forgotten: it keeps a repeated command from bringing it back.
    """CREATE TABLE IF NOT EXISTS callers (
        incident_id TEXT PRIMARY KEY,
        received_at_ms INTEGER NOT NULL,
        version INTEGER NOT NULL,
        key_id BLOB,
        sealed BLOB,
        forgotten_at_ms INTEGER,
        forgotten_by TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS reads (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL,
        token_id TEXT NOT NULL,
        incident_id TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS reads_by_incident ON reads (incident_id, id)",
    """CREATE TABLE IF NOT EXISTS keys.caller_keys (
        key_id BLOB PRIMARY KEY,
        key BLOB NOT NULL,
        made_at_ms INTEGER NOT NULL
    ) WITHOUT ROWID""",
)


def open_tables(folder: Path) -> sqlite3.Connection:
    """Opens both files of a service's folder; made when missing, readable by their owner alone.

    Raises:
        sqlite3.Error: One is damaged, or the medium refuses.
        OSError: The medium refuses.
        ValueError: A newer version wrote them.
    """
    for name in (CALLERS_FILE, KEYS_FILE):
        _own(folder / name)
    connection = sqlite3.connect(
        folder / CALLERS_FILE, isolation_level=None, check_same_thread=False, timeout=BUSY_S
    )
    try:
        connection.execute("ATTACH DATABASE ? AS keys", (str(folder / KEYS_FILE),))
        for schema in ("main", "keys"):
            connection.execute(f"PRAGMA {schema}.journal_mode=TRUNCATE")
            connection.execute(f"PRAGMA {schema}.synchronous=FULL")
            # Zeros over what is deleted; without it a dropped key stays in a free page.
            connection.execute(f"PRAGMA {schema}.secure_delete=ON")
        _lay_out(connection, folder)
    except BaseException:
        connection.close()
        raise
    return connection


def _own(path: Path) -> None:
    """Makes the file, or takes from others what a careless copy gave them.

    SQLite gives its journal the mode of its file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _lay_out(connection: sqlite3.Connection, folder: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT_VERSION,))
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    found = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()[0]
    if found != FORMAT_VERSION:
        raise ValueError(
            f"{folder / CALLERS_FILE} has format {found}, this version reads {FORMAT_VERSION}:"
            " start the version of the service that wrote it"
        )


def roll_back(connection: sqlite3.Connection) -> None:
    """Takes an unfinished transaction back; one that SQLite ended itself is no fault."""
    with suppress(sqlite3.Error):
        connection.execute("ROLLBACK")
