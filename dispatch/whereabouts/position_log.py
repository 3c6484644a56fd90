"""The history of positions: a sampled track per unit in a file of its own, written behind.

Positions may be lost with the last second before a power cut: the next fix is seconds away. So
nothing here waits for the disk, and the log of facts is never delayed by it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Lock, Thread

from dispatch.errors import StoreUnavailable
from dispatch.whereabouts.positions import Fix
from dispatch.words import UnitId, UnixMs

POSITIONS_NAME = "positions.db"

SAMPLE_MS = 10_000
"""At most one fix per unit and so long is kept, and beside it one that came late."""

KEPT_MS = 30 * 86_400_000
"""Tracks older than this are dropped (ASSUMPTION: a month, as long as complaints come in)."""

LATE_WAITING_MAX = 10_000
"""Late fixes of one unit waiting to be written: a day of them and some (8,640). What one device
sends beyond it must not push the tracks of others out."""

WAITING_MAX = 50_000
"""Fixes waiting to be written; beyond it the oldest go."""

WRITE_EVERY_S = 1.0
DROP_EVERY_WRITES = 600

_TABLES = (
    """CREATE TABLE IF NOT EXISTS tracks (
        unit_id TEXT, at_ms INTEGER, lon REAL, lat REAL, seq INTEGER, speed_mps REAL,
        heading_deg REAL, accuracy_m REAL, late INTEGER, PRIMARY KEY (unit_id, at_ms)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS last_fixes (
        unit_id TEXT PRIMARY KEY, at_ms INTEGER, lon REAL, lat REAL, seq INTEGER, speed_mps REAL,
        heading_deg REAL, accuracy_m REAL
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS tracks_by_time ON tracks (at_ms)",
)
_INSERT_LATE = """INSERT OR IGNORE INTO tracks SELECT ?, ?, ?, ?, ?, ?, ?, ?, 1 WHERE NOT EXISTS
    (SELECT 1 FROM tracks WHERE unit_id = ? AND at_ms > ? AND at_ms < ? AND late)"""
_log = logging.getLogger(__name__)


class PositionLog:
    """Writes fixes behind the back of whoever sends them; one thread owns the connection."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file. A damaged one is put aside: dispatch does not wait for a history.

        Raises:
            StoreUnavailable: The medium refuses.
        """
        self._path = folder / POSITIONS_NAME
        try:
            try:
                self._connection = _opened(self._path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._connection = self._anew(error)
        except sqlite3.Error as error:
            raise _cannot_open(self._path, error) from error
        self._lock = Lock()
        self._tracks: deque[tuple[Fix, bool]] = deque(maxlen=WAITING_MAX)
        self._last: dict[UnitId, Fix] = {}
        self._sampled_ms: dict[UnitId, UnixMs] = {}
        self._late_ms: dict[UnitId, UnixMs] = {}
        self._late_waiting: Counter[UnitId] = Counter()
        self._writes = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="positions", daemon=True)

    def start(self) -> None:
        """Begin to write what comes in."""
        self._thread.start()

    def keep(self, fix: Fix, late: bool) -> None:
        """Queue a fix; returns at once."""
        with self._lock:
            if late:
                self._keep_late(fix)
                return
            self._last[fix.unit_id] = fix
            sampled_ms = self._sampled_ms.get(fix.unit_id)
            if sampled_ms is None or fix.at_ms - sampled_ms >= SAMPLE_MS:
                self._sampled_ms[fix.unit_id] = fix.at_ms
                self._tracks.append((fix, False))

    def _keep_late(self, fix: Fix) -> None:
        """Queue a late fix, sampled here as far as it comes in order; the file does the rest."""
        before_ms = self._late_ms.get(fix.unit_id)
        if before_ms is not None and abs(fix.at_ms - before_ms) < SAMPLE_MS:
            return
        if self._late_waiting[fix.unit_id] < LATE_WAITING_MAX:
            self._late_ms[fix.unit_id] = fix.at_ms
            self._late_waiting[fix.unit_id] += 1
            self._tracks.append((fix, True))

    def last_fixes(self) -> list[Fix]:
        """The last fix of each unit as of the last run; call it before `start`.

        Raises:
            StoreUnavailable: It is damaged, and the medium refuses another.
        """
        try:
            rows = self._connection.execute(
                "SELECT unit_id, at_ms, lon, lat, seq, speed_mps, heading_deg, accuracy_m"
                " FROM last_fixes"
            ).fetchall()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            self._connection = self._anew(error)
            return []
        return [
            Fix(
                unit_id=UnitId(unit_id),
                at_ms=UnixMs(at_ms),
                lon=lon,
                lat=lat,
                seq=seq,
                speed_mps=speed_mps,
                heading_deg=heading_deg,
                accuracy_m=accuracy_m,
            )
            for unit_id, at_ms, lon, lat, seq, speed_mps, heading_deg, accuracy_m in rows
        ]

    def stop(self) -> None:
        """Write what waits, and close. Blocks."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._write()
        self._connection.close()

    def _anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        """Put a file that cannot be read aside and begin another."""
        aside = self._path.with_name(f"{POSITIONS_NAME}.damaged")
        _log.warning("%s is damaged (%s): put aside as %s", self._path, error, aside.name)
        try:
            for ending in ("-wal", "-shm"):
                self._path.with_name(POSITIONS_NAME + ending).unlink(missing_ok=True)
            self._path.replace(aside)
            return _opened(self._path)
        except (sqlite3.Error, OSError) as refusal:
            raise _cannot_open(self._path, refusal) from refusal

    def _run(self) -> None:
        while not self._stopping.wait(WRITE_EVERY_S):
            self._write()

    def _write(self) -> None:
        with self._lock:
            tracks, last = list(self._tracks), self._last
            self._tracks.clear()
            self._late_waiting.clear()
            self._last = {}
        if not tracks and not last:
            return
        self._writes += 1
        try:
            with self._connection:
                self._insert(tracks, last.values())
                if self._writes % DROP_EVERY_WRITES == 0:
                    self._drop_old(max(fix.at_ms for fix in last.values()) if last else None)
        except sqlite3.Error as error:
            _log.warning("%d fixes of the position history lost: %s", len(tracks), error)

    def _insert(self, tracks: Iterable[tuple[Fix, bool]], last: Iterable[Fix]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            [_columns(fix) for fix, late in tracks if not late],
        )
        self._connection.executemany(
            _INSERT_LATE,
            [
                (*_columns(fix), fix.unit_id, fix.at_ms - SAMPLE_MS, fix.at_ms + SAMPLE_MS)
                for fix, late in tracks
                if late
            ],
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO last_fixes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [_columns(fix) for fix in last],
        )

    def _drop_old(self, newest_ms: UnixMs | None) -> None:
        if newest_ms is not None:
            self._connection.execute("DELETE FROM tracks WHERE at_ms < ?", (newest_ms - KEPT_MS,))


def _cannot_open(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"the positions' history {path} could not be opened ({error}). Check the disk's space and"
        " permissions"
    )


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        with connection:
            for statement in _TABLES:
                connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _columns(fix: Fix) -> tuple[object, ...]:
    return (
        fix.unit_id,
        fix.at_ms,
        fix.lon,
        fix.lat,
        fix.seq,
        fix.speed_mps,
        fix.heading_deg,
        fix.accuracy_m,
    )
