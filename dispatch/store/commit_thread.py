"""The one thread that writes: it drains its queue and makes all of it durable in one commit.

While one commit waits for the disk the next appends gather, so that many callers share one fsync
and a single caller waits for just one. Nothing else in the process writes to the log.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import TypeAlias, TypeVar

from dispatch.errors import (
    CommandKnown,
    DispatchError,
    LogDamaged,
    LogMoved,
    StaleEpoch,
    StoreUnavailable,
)
from dispatch.store import Append, Settled
from dispatch.store.append_rows import write_appends
from dispatch.store.sqlite_log import PAGE_BYTES, WAL_ROOM_BYTES, head_of

MAX_BATCH = 512
"""Most appends in one commit: bounds how long the first of them waits for the last."""

IDLE_S = 0.25
"""Silence after which the thread tidies up."""

CHECKPOINT_IDLE_PAGES = 1_000
"""Pages in the write-ahead log from which a quiet moment is used to fold them into the file."""

CHECKPOINT_FORCED_PAGES = WAL_ROOM_BYTES // PAGE_BYTES * 9 // 10
"""Pages from which it is done even under load, before the log outgrows the room made for it."""

RETRY_AFTER_S = 2

Result = TypeVar("Result")
OnCommit: TypeAlias = Callable[[int, float], None]
"""Told on the event loop how many appends a commit held and how many seconds it took."""

_Outcome: TypeAlias = tuple[Settled, DispatchError | None]
_log = logging.getLogger(__name__)


class _Task:
    """Something else to do with the writing connection, between two commits."""

    def __init__(self, run: Callable[[sqlite3.Connection], None]) -> None:
        self.run = run


class CommitThread:
    """Owns the writing connection.

    Attributes:
        end: Number of the last durable event and the chain after it, always of the same commit.
        epoch: This writer's epoch; appends of an older one are refused.
        failing: The last commit failed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        end: tuple[int, bytes],
        epoch: int,
        on_commit: OnCommit | None = None,
    ) -> None:
        """Start the thread; it ends with `stop`."""
        self.end = end
        self.epoch = epoch
        self.failing = False
        self._connection = connection
        self._queue: SimpleQueue[tuple[Append, Settled] | _Task | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._on_commit = on_commit
        self._wal_pages = 0
        self._broken: str | None = None
        self._thread = Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    @property
    def head(self) -> int:
        """Number of the last durable event."""
        return self.end[0]

    def append(self, append: Append, settled: Settled) -> None:
        """Queue an append; see `Store.append`."""
        if not self._thread.is_alive():
            self._loop.call_soon(settled, _stopped())
            return
        self._queue.put((append, settled))

    def call(self, run: Callable[[sqlite3.Connection], Result]) -> Future[Result]:
        """Run something in a transaction of its own on the writing connection.

        Raises (through the future):
            StoreUnavailable: the medium refused.
        """
        done: Future[Result] = Future()
        if not self._thread.is_alive():
            done.set_exception(_stopped())
            return done

        def task(connection: sqlite3.Connection) -> None:
            try:
                connection.execute("BEGIN IMMEDIATE")
                result = run(connection)
                connection.execute("COMMIT")
            except Exception as error:  # noqa: BLE001  # see _commit
                done.set_exception(self._failed(error))
            else:
                self.failing = False
                done.set_result(result)

        self._queue.put(_Task(task))
        return done

    def stop(self) -> None:
        """Finish the queue, fold the write-ahead log into the file, close. Blocks."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            tidy = self._wal_pages >= CHECKPOINT_IDLE_PAGES
            try:
                job = self._queue.get(timeout=IDLE_S if tidy else None)
            except Empty:
                self._checkpoint()
                continue
            if job is None:
                break
            if isinstance(job, _Task):
                job.run(self._connection)
            elif not self._drain(job):
                break
            if self._wal_pages >= CHECKPOINT_FORCED_PAGES:
                self._checkpoint()
        self._checkpoint()
        self._connection.close()

    def _drain(self, first: tuple[Append, Settled]) -> bool:
        """Commit `first` and what has gathered behind it; False when told to stop."""
        batch = [first]
        job: tuple[Append, Settled] | _Task | None
        after: _Task | None = None
        running = True
        # This thread alone takes from the queue: what is not empty now has something to give.
        while len(batch) < MAX_BATCH and not self._queue.empty():
            job = self._queue.get_nowait()
            if job is None:
                running = False
                break
            if isinstance(job, _Task):
                after = job
                break
            batch.append(job)
        began = perf_counter()
        outcomes = self._commit(batch)
        self._post(outcomes, perf_counter() - began)
        if after is not None:
            after.run(self._connection)
        return running

    def _commit(self, batch: Sequence[tuple[Append, Settled]]) -> list[_Outcome]:
        """Write a batch in one transaction; the outcome of each append, in order."""
        outcomes: list[_Outcome] = []
        fitting: list[Append] = []
        head = self.head
        for append, settled in batch:
            refusal = self._refusal(append, head)
            outcomes.append((settled, refusal))
            if refusal is None:
                fitting.append(append)
                head += len(append.events)
        if not fitting:
            return outcomes
        try:
            chain = self._write(fitting)
        except sqlite3.IntegrityError as error:
            if len(batch) > 1:
                # One of them repeats a known command: find it, without harming the others.
                self._roll_back()
                return [outcome for one in batch for outcome in self._commit([one])]
            failure = self._repeated(batch[0][0], error)
        except Exception as error:  # noqa: BLE001
            # Whatever it is: were the thread to end here, all who wait for it would wait for ever.
            failure = self._failed(error)
        else:
            self.end = (head, chain)
            self.failing = False
            return outcomes
        return [(settled, refusal or failure) for settled, refusal in outcomes]

    def _write(self, appends: Sequence[Append]) -> bytes:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        written = write_appends(self._connection, appends, self.end[1])
        self._wal_pages += written.pages
        execute("COMMIT")
        return written.chain

    def _refusal(self, append: Append, head: int) -> DispatchError | None:
        if self._broken is not None:
            return StoreUnavailable(self._broken, retry_after_s=RETRY_AFTER_S)
        if append.epoch != self.epoch:
            return StaleEpoch(given=append.epoch, current=self.epoch)
        if append.expected_seq != head:
            return LogMoved(given=append.expected_seq, head=head)
        return None

    def _repeated(self, append: Append, error: sqlite3.Error) -> DispatchError:
        self._roll_back()
        command = append.command
        if command is not None:
            known = self._connection.execute(
                "SELECT 1 FROM commands WHERE key = ?", (command.key,)
            ).fetchone()
            if known is not None:
                return CommandKnown(command.key)
        why = f"rows that this writer did not write ({error}): another program changed the log"
        self._broken = f"it holds {why}; stop the service and run `kuaijing replay`"
        return LogDamaged(append.expected_seq + 1, why=why)

    def _failed(self, error: Exception) -> StoreUnavailable:
        """Undo a failed transaction; the log stands where it stood."""
        self.failing = True
        self._roll_back()
        _log.error("commit failed: %s", error)
        return StoreUnavailable(
            f"{error}. Check the disk's space and permissions; the service goes on by itself when"
            " the cause is gone",
            retry_after_s=RETRY_AFTER_S,
        )

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            found = head_of(self._connection)
        except sqlite3.Error as error:
            _log.error("rollback failed: %s", error)
            return
        if found != self.head:
            self._broken = (
                f"after a failed commit it stands at event {found} instead of {self.head};"
                " restart the service, it reads the log anew"
            )

    def _post(self, outcomes: list[_Outcome], took_s: float) -> None:
        # One wake-up of the event loop for the whole batch.
        try:
            self._loop.call_soon_threadsafe(self._settle, outcomes, took_s)
        except RuntimeError:
            _log.warning("the event loop ended before %d appends settled", len(outcomes))

    def _checkpoint(self) -> None:
        try:
            row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            # The log itself is whole: the write-ahead log only stays longer.
            _log.warning("checkpoint put off: %s", error)
            self._wal_pages = 0
            return
        _, in_log, folded = row
        self._wal_pages = max(0, in_log - folded)

    def _settle(self, outcomes: Sequence[_Outcome], took_s: float) -> None:
        for settled, error in outcomes:
            try:
                settled(error)
            except Exception:  # noqa: BLE001
                # A defect in one must not leave those behind it waiting.
                _log.exception("a commit could not be told")
        if self._on_commit is not None:
            self._on_commit(len(outcomes), took_s)


def _stopped() -> StoreUnavailable:
    return StoreUnavailable(
        "the log's writer has stopped; restart the service", retry_after_s=RETRY_AFTER_S
    )
