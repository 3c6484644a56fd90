"""The embedded store: one SQLite file in WAL mode, one writer, group commit.

Durable means `synchronous=FULL`: an append settles after its write-ahead log is synced to disk.
Exactly one connection writes and checkpoints (`CommitThread`); readers are `query_only`; a lock on
the folder keeps a second server away.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from dispatch.errors import LogDamaged, StoreUnavailable
from dispatch.store import (
    FIRST_SEQ,
    READ_LIMIT,
    Append,
    ClosedQuery,
    LogEntry,
    Settled,
    StoredCommand,
    StoredSnapshot,
)
from dispatch.store.append_rows import read_command
from dispatch.store.closed_rows import closed_bodies, closed_body, closed_body_of_assignment
from dispatch.store.commit_thread import RETRY_AFTER_S, CommitThread, OnCommit
from dispatch.store.event_rows import chain_at, read_events
from dispatch.store.folder_lock import FolderLock
from dispatch.store.head_keeper import HeadKeeper
from dispatch.store.head_mark import HeadMark
from dispatch.store.signed_heads import HEADS_DIR
from dispatch.store.sqlite_log import LOG_NAME, head_of, make_room, open_reader, open_writer
from dispatch.store.upgrade import bring_up
from dispatch.words import UnixMs

SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest cannot be read."""

PROBE_BYTES = 65_536
"""As much as a large decision: a disk with room for less is full."""

FORGET_AT_ONCE = 2_000
"""Most commands forgotten in one transaction, so that nobody waits long behind it."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""SQLite's codes for a file that is not whole; all others are the medium's."""

Result = TypeVar("Result")


class SqliteStore:
    """`Store` on one SQLite file; open it inside a running event loop with `SqliteStore.open`."""

    def __init__(
        self,
        path: Path,
        lock: FolderLock,
        writer: sqlite3.Connection,
        *,
        heads_dir: Path | None = None,
        sign: bool = True,
        on_commit: OnCommit | None = None,
    ) -> None:
        """Start the commit thread; `SqliteStore.open` does it for a folder."""
        epoch = _next_epoch(writer)
        head = head_of(writer)
        chain = chain_at(writer, head)
        make_room(path)
        self._mark = HeadMark(path.parent)
        try:
            self._mark.check(head)
        except BaseException:
            self._mark.close()
            raise
        self._mark.keep(head)
        self._lock = lock
        self._told = on_commit
        self._commits = CommitThread(
            writer, end=(head, chain), epoch=epoch, on_commit=self._committed
        )
        self._heads = HeadKeeper(
            path.parent,
            heads_dir or path.parent / HEADS_DIR,
            lambda: self._commits.end,
            sign=sign,
        )
        # Point look-ups by the event loop itself: microseconds from the page cache.
        self._quick = open_reader(path)
        # Long reads by a thread of their own, so that the loop goes on meanwhile.
        self._long = open_reader(path)
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-read")

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        heads_dir: Path | None = None,
        sign: bool = True,
        on_commit: OnCommit | None = None,
    ) -> SqliteStore:
        """Open the log in `folder` for writing; both are made when missing.

        Args:
            folder: The data folder.
            heads_dir: Where signed heads go; `heads` in the data folder when left out.
            sign: Whether the log's end is signed; False for somebody who only looks.
            on_commit: Told, on the event loop, of each commit's appends and seconds.

        Raises:
            StoreLocked: another process works on it.
            LogDamaged: the file is not a log that this version reads, or has a gap.
            StoreUnavailable: the medium refuses.
        """
        lock = FolderLock.take(folder)
        path = folder / LOG_NAME
        try:
            writer = open_writer(path)
            try:
                _check_start(writer, path)
                bring_up(writer, path)
                return cls(path, lock, writer, heads_dir=heads_dir, sign=sign, on_commit=on_commit)
            except BaseException:
                writer.close()
                raise
        except sqlite3.Error as error:
            lock.release()
            raise _unavailable(error, f"the log {path} could not be opened") from error
        except BaseException:
            lock.release()
            raise

    @property
    def head(self) -> int:
        """Sequence number of the last durable event."""
        return self._commits.head

    @property
    def epoch(self) -> int:
        """This writer's epoch."""
        return self._commits.epoch

    @property
    def failing(self) -> bool:
        """True after a failed commit, until one succeeds."""
        return self._commits.failing

    def append(self, append: Append, settled: Settled) -> None:
        """Hand in an append; see `Store.append`."""
        self._commits.append(append, settled)

    async def read(self, after: int, limit: int = READ_LIMIT) -> Sequence[LogEntry]:
        """Durable events after a number; see `Store.read`."""
        return await self._read(lambda connection: read_events(connection, after, limit))

    async def command(self, key: str) -> StoredCommand | None:
        """The command with this key."""
        return self._at_once(read_command, key)

    async def forget_commands(self, before_ms: UnixMs) -> int:
        """Forget old commands; see `Store.forget_commands`."""

        def run(connection: sqlite3.Connection) -> int:
            # Ids grow with time: the scan ends at the first command that is still kept.
            row = connection.execute(
                "SELECT id FROM commands WHERE at_ms >= ? ORDER BY id LIMIT 1", (before_ms,)
            ).fetchone()
            bound = "" if row is None else "WHERE id < ?"
            done = connection.execute(
                f"DELETE FROM commands WHERE id IN"  # noqa: S608 - fixed text
                f" (SELECT id FROM commands {bound} ORDER BY id LIMIT {FORGET_AT_ONCE})",
                () if row is None else row,
            )
            return done.rowcount

        return await asyncio.wrap_future(self._commits.call(run))

    async def closed(self, incident_id: str) -> bytes | None:
        """Body of a closed incident."""
        return self._at_once(closed_body, incident_id)

    async def closed_of_assignment(self, assignment_id: str) -> bytes | None:
        """Body of the closed incident that an assignment belonged to."""
        return self._at_once(closed_body_of_assignment, assignment_id)

    async def list_closed(self, query: ClosedQuery) -> Sequence[bytes]:
        """Bodies of closed incidents, newest first."""
        return await self._read(lambda connection: closed_bodies(connection, query))

    async def save_snapshot(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and drop the oldest."""

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?)", (snapshot.seq, snapshot.body)
            )
            connection.execute(
                "DELETE FROM snapshots WHERE seq NOT IN"
                " (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)",
                (SNAPSHOTS_KEPT,),
            )

        await asyncio.wrap_future(self._commits.call(run))

    async def snapshots(self) -> Sequence[StoredSnapshot]:
        """The kept snapshots, newest first."""

        def run(connection: sqlite3.Connection) -> list[StoredSnapshot]:
            rows = connection.execute("SELECT seq, body FROM snapshots ORDER BY seq DESC")
            return [StoredSnapshot(seq=seq, body=body) for seq, body in rows.fetchall()]

        return await self._read(run)

    async def probe(self) -> None:
        """Make one small durable write; see `Store.probe`."""

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO probes VALUES (1, zeroblob(?))", (PROBE_BYTES,)
            )

        await asyncio.wrap_future(self._commits.call(run))

    async def close(self) -> None:
        """Finish what was handed in, then let go of the folder; harmless when done twice."""
        self._heads.stop()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        # Readers first: the last connection to close folds the write-ahead log into the file, and
        # that has to be the writer.
        self._reading.shutdown(wait=True)
        self._quick.close()
        self._long.close()
        self._commits.stop()
        self._mark.keep(self._commits.head)
        self._mark.close()
        self._heads.finish()
        self._lock.release()

    def _committed(self, appends: int, took_s: float) -> None:
        # On the event loop, in the turn that settles the appends: before any of them is answered.
        self._mark.keep(self._commits.head)
        self._heads.look()
        if self._told is not None:
            self._told(appends, took_s)

    async def _read(self, run: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, run, self._long)
        except sqlite3.Error as error:
            raise _unavailable(error, "the log could not be read") from error

    def _at_once(self, look: Callable[[sqlite3.Connection, str], Result], key: str) -> Result:
        try:
            return look(self._quick, key)
        except sqlite3.Error as error:
            raise _unavailable(error, "the log could not be read") from error


def _next_epoch(writer: sqlite3.Connection) -> int:
    writer.execute("BEGIN IMMEDIATE")
    writer.execute(
        "INSERT INTO meta VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
    )
    row = writer.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    writer.execute("COMMIT")
    return int(row[0])


def _check_start(writer: sqlite3.Connection, path: Path) -> None:
    # Two index look-ups; gaps further on are found by whoever reads over them.
    first = writer.execute("SELECT min(seq) FROM events").fetchone()[0]
    if first not in {None, FIRST_SEQ}:
        raise LogDamaged(first, why=f"it is the first in {path}, the ones before it are missing")


def _unavailable(error: sqlite3.Error, what: str) -> StoreUnavailable:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
        mend = "The file is damaged: stop the service and restore the last backup"
    else:
        mend = "Check the disk's space and permissions"
    return StoreUnavailable(f"{what} ({error}). {mend}", retry_after_s=RETRY_AFTER_S)
