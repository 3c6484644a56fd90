"""Copies a log into one file of its own, while the service writes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from dispatch.store.read_only import reading

PAGES_AT_ONCE = 2_000
"""8 MiB between two reports on progress."""


def copy_log(source: Path, target: Path, *, told: Callable[[int, int], None]) -> None:
    """Copy the log as it stands at this moment.

    The copy is taken inside one read transaction of a connection that cannot write, so that it is
    one moment of the log and the service is neither stopped nor slowed. It needs no write-ahead
    log: it is one file.

    Args:
        source: The log's file.
        target: The file to make.
        told: Told of pages copied and pages in all.

    Raises:
        sqlite3.Error: the log cannot be read, or the target not be written.
    """
    with reading(source) as connection, closing(sqlite3.connect(target)) as copy:

        def progress(_status: int, remaining: int, total: int) -> None:
            told(total - remaining, total)

        connection.backup(copy, pages=PAGES_AT_ONCE, progress=progress)
        copy.execute("PRAGMA journal_mode=DELETE")
