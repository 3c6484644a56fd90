"""The log's SQLite file: its tables, how it is opened, and which SQLite versions need care."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from io import FileIO
from pathlib import Path

from dispatch.errors import LogDamaged, LogFormatUnknown

LOG_NAME = "log.db"
FORMAT_VERSION = 2
"""Version of the tables below; a newer one is refused, never guessed at."""

UPGRADABLE = frozenset({1})
"""Older versions that `dispatch.store.upgrade` brings up."""

SAFE_SQLITE: tuple[int, int, int] = (3, 51, 3)
"""First SQLite without the WAL bug that can corrupt a file two connections write to."""

PAGE_BYTES = 4096
CACHE_KIB = 32_768
BUSY_MS = 5_000

WAL_ROOM_BYTES = 32 * 1024 * 1024
"""Length that the write-ahead log is given at the start; `CommitThread` folds it before its end."""

FREE_LEFT_BYTES = WAL_ROOM_BYTES
"""What the disk must have left beside that room: for the log itself, positions, heads."""

_log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    chain BLOB  -- digest of this row and of all before it, see dispatch.store.chain
);
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY,  -- grows with time, so that the old ones lie together
    key TEXT NOT NULL UNIQUE,
    body_sha256 BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    reply BLOB NOT NULL,
    digest BLOB  -- of the columns above; NULL in rows of format 1
);
CREATE TABLE IF NOT EXISTS closed_incidents (
    incident_id TEXT PRIMARY KEY,
    received_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    category TEXT NOT NULL,
    platform_id TEXT,
    body BLOB NOT NULL,
    digest BLOB  -- of the columns above; NULL in rows of format 1
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS closed_by_time ON closed_incidents (received_at_ms, incident_id);
CREATE TABLE IF NOT EXISTS closed_assignments (
    assignment_id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS probes (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""


def sqlite_warning(version: Sequence[int] = sqlite3.sqlite_version_info) -> str | None:
    """What an operator should know about this SQLite; None when there is nothing to say."""
    if tuple(version) >= SAFE_SQLITE:
        return None
    shown = ".".join(str(part) for part in version)
    safe = ".".join(str(part) for part in SAFE_SQLITE)
    return (
        f"SQLite {shown} is older than {safe}: if a second program writes to or checkpoints"
        f" {LOG_NAME} while the service runs, the log can be corrupted. The service keeps to one"
        " writing connection and locks its folder; do not open the file with other tools meanwhile."
    )


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes and checkpoints; makes the tables when missing.

    Tables of an older format stay as they are until `dispatch.store.upgrade` has seen them.

    Raises:
        LogDamaged: the file is no log.
        LogFormatUnknown: it is one of another version.
        sqlite3.Error: the medium refuses.
    """
    connection = _connect(path)
    try:
        lay_out(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise LogDamaged(0, why=f"{path} cannot be read ({error})") from error
    except LogFormatUnknown:
        connection.close()
        raise
    return connection


def lay_out(connection: sqlite3.Connection, path: Path) -> None:
    """Set a connection up to be the writing one, and make the tables when they are missing.

    Raises:
        LogFormatUnknown: the file is of another version.
        sqlite3.Error: the medium refuses, or the file is no log.
    """
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL: the WAL is synced at each commit. NORMAL loses acknowledged commits on power cuts.
    connection.execute("PRAGMA synchronous=FULL")
    # The commit thread checkpoints when nobody waits; a checkpoint inside a commit would be
    # somebody's slow answer.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    format_of(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    # One statement at a time: `executescript` would commit behind our back.
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT_VERSION,))
    connection.execute("COMMIT")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only=1")
    return connection


def make_room(path: Path) -> None:
    """Lengthen the write-ahead log with zeros, so that commits write over bytes the disk knows.

    A sync of a file that grows also waits for the file system's own journal: it takes about twice
    as long. SQLite reads a write-ahead log up to its last valid frame and zeros are none, so they
    are never taken for data. Without room commits are slower, not wrong: a disk that is nearly
    full is left what it has.
    """
    wal = path.with_name(path.name + "-wal")
    try:
        used = wal.stat().st_size
        missing = WAL_ROOM_BYTES - used
        if missing > 0 and shutil.disk_usage(path.parent).free < missing + FREE_LEFT_BYTES:
            _log.warning("the disk of %s is nearly full: commits will be slower", path)
        elif missing > 0:
            _lengthen(wal, used, missing)
    except OSError as error:
        _log.warning("no room made in the write-ahead log of %s: %s", path, error)


def _lengthen(wal: Path, used: int, missing: int) -> None:
    with wal.open("r+b", buffering=0) as file:
        try:
            file.seek(used)
            _write_whole(file, bytes(missing))
            os.fsync(file.fileno())
        except OSError:
            os.truncate(wal, used)
            raise


def _write_whole(file: FileIO, content: bytes) -> None:
    # A disk that gets full under a write takes a part of it, and says so at the next one.
    while content:
        content = content[file.write(content) :]


def head_of(connection: sqlite3.Connection) -> int:
    """Number of the last event in the file; 0 in an empty log."""
    row = connection.execute("SELECT max(seq) FROM events").fetchone()
    return int(row[0] or 0)


def insert_rows(
    connection: sqlite3.Connection, table: str, columns: str, rows: Sequence[Sequence[object]]
) -> None:
    """Insert rows with few, large statements.

    Each step of a statement hands the interpreter's lock to whoever waits for it, and getting it
    back from a busy event loop may take milliseconds; many rows a step keep a group commit short.
    """
    width = len(rows[0])
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        some = rows[start : start + _ROWS_PER_STATEMENT]
        sql = _insert_sql(table, columns, width, len(some))
        connection.execute(sql, [value for row in some for value in row])


_ROWS_PER_STATEMENT = 64


@lru_cache(maxsize=512)
def _insert_sql(table: str, columns: str, width: int, rows: int) -> str:
    one = "(" + ",".join("?" * width) + ")"
    return f"INSERT INTO {table} ({columns}) VALUES " + ",".join([one] * rows)  # noqa: S608


def _connect(path: Path) -> sqlite3.Connection:
    # Threads never share a connection at the same time: each has an owner, named where it is made.
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
        timeout=BUSY_MS / 1000,
    )
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    return connection


def format_of(connection: sqlite3.Connection, path: Path) -> int | None:
    """Format of the tables in the file; None where there are none yet.

    Raises:
        LogFormatUnknown: another version wrote it, or it names no format.
    """
    made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    if made is None:
        return None
    row = connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
    found = None if row is None else int(row[0])
    if found != FORMAT_VERSION and found not in UPGRADABLE:
        raise LogFormatUnknown(str(path), found=found, known=FORMAT_VERSION)
    return found
