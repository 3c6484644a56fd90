"""Reads a whole log and says whether every byte that is ever given out is as it was written.

`kuaijing verify` on a stopped folder, on a backup, or beside a running service: it only reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from dispatch.codec import board_hash
from dispatch.errors import LogFormatUnknown
from dispatch.running.recover import with_units_of
from dispatch.store.head_mark import read_mark
from dispatch.store.read_only import reading
from dispatch.store.signed_heads import HeadKey
from dispatch.store.sqlite_log import LOG_NAME, format_of
from dispatch.store.upgrade import CHAINED_LATER
from dispatch.verifying.event_walk import EventWalk
from dispatch.verifying.found import Fault, Found, Verified
from dispatch.verifying.head_check import HeadCheck
from dispatch.verifying.row_check import check_closed, check_commands, read_snapshots
from platforms.city import City

__all__ = ["Fault", "Verified", "verify"]

STRUCTURE_FAULTS_MAX = 20


def verify(
    folder: Path,
    *,
    heads_dir: Path | None = None,
    key: HeadKey | None = None,
    city: City | None = None,
    older_copy: bool = False,
    say: Callable[[str], None] = lambda _text: None,
) -> Verified:
    """Read everything in a data folder or backup and compare it with itself.

    Args:
        folder: Holds the log.
        heads_dir: Its signed heads; None leaves them out.
        key: The key that they are signed with; None leaves them out.
        city: The city of the service, for the digest of the board; None leaves that out.
        older_copy: Whether it is a backup: heads signed later are no fault of it.
        say: Told how far it is.

    Raises:
        LogFormatUnknown: a newer version wrote it.
    """
    began = perf_counter()
    found = Found()
    # Before the log itself is looked at: beside a running service they are the older ones.
    heads = HeadCheck(found, heads_dir, key)
    marked = read_mark(folder)
    walk: EventWalk | None = None
    try:
        with reading(folder / LOG_NAME) as connection:
            walk = _look(
                connection, folder / LOG_NAME, found=found, heads=heads, city=city, say=say
            )
    except LogFormatUnknown:
        raise
    except (sqlite3.Error, OverflowError, ValueError) as error:
        # ValueError: a damaged number in `meta`.
        found.fault("file", None if walk else 1, f"{folder / LOG_NAME} cannot be read ({error})")
    head = 0 if walk is None else walk.head
    if marked is not None and marked > head:
        found.fault("end", head + 1, f"events up to {marked} were recorded, it ends at {head}")
    if not older_copy:
        heads.check_end(head)
    return Verified(
        events=head,
        chain="" if walk is None else walk.chain.hex(),
        unchained_up_to=0 if walk is None else walk.unchained_up_to,
        board_sha256=_digest_of(walk, city),
        road_version=None if walk is None else walk.road_version,
        counts=dict(found.counts),
        faults=tuple(found.faults),
        notes=tuple(found.notes),
        took_s=perf_counter() - began,
    )


def _look(
    connection: sqlite3.Connection,
    path: Path,
    *,
    found: Found,
    heads: HeadCheck,
    city: City | None,
    say: Callable[[str], None],
) -> EventWalk:
    log_format = format_of(connection, path)
    say("checking the file's structure")
    _check_structure(connection, found)
    snapshots = read_snapshots(connection, found)
    walk = EventWalk(found, heads, snapshots, city=city, chained=log_format != 1)
    walk.run(connection, say)
    if log_format is not None and log_format > 1:
        later = connection.execute("SELECT value FROM meta WHERE name = ?", (CHAINED_LATER,))
        row = later.fetchone()
        if row is not None and row[0]:
            found.notes.append(f"events up to {row[0]} were chained after they were written")
        check_commands(connection, found)
    else:
        found.notes.append(f"format 1: unchained up to {walk.head}")
    say("checking closed incidents")
    check_closed(connection, found, walk, digests=log_format != 1)
    return walk


def _check_structure(connection: sqlite3.Connection, found: Found) -> None:
    try:
        rows = connection.execute(f"PRAGMA integrity_check({STRUCTURE_FAULTS_MAX})").fetchall()
    except sqlite3.Error as error:
        found.fault("file", None, f"its structure cannot be checked ({error})")
        return
    for (text,) in rows:
        if text != "ok":
            found.fault("file", None, str(text))


def _digest_of(walk: EventWalk | None, city: City | None) -> str | None:
    if walk is None or city is None or walk.board is None:
        return None
    return board_hash(with_units_of(walk.board, city))
