"""Opens a log to look at it: on a stopped folder, beside a running service, and on a backup.

`mode=ro` makes a connection that can neither write nor checkpoint, so that SQLite's WAL bug, which
needs a second connection that does, cannot be met. It holds one read transaction: what it sees is
one moment of the log, whatever the service writes meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dispatch.store.sqlite_log import BUSY_MS


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, in a read transaction of its own.

    Raises:
        sqlite3.Error: the file cannot be opened or is none of SQLite's.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{_mode(path)}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    try:
        connection.execute("PRAGMA query_only=1")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection
    finally:
        connection.close()


def _mode(path: Path) -> str:
    # A folder that cannot be written (a backup on a read-only medium) has no room for SQLite's
    # lock file. Where there is no write-ahead log either, nobody writes: the file is all there is.
    wal = path.with_name(path.name + "-wal")
    if not os.access(path.parent, os.W_OK) and not wal.exists():
        return "mode=ro&immutable=1"
    return "mode=ro"
