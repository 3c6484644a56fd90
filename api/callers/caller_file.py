"""What is done with callers on the disk: kept, read with a record of who read, forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from api.callers.caller_tables import open_tables, roll_back
from api.callers.sealing import KEY_BYTES, CallerDetails, seal, unseal
from api.errors import CallerNotKept
from dispatch.words import UnixMs

KEY_ID_BYTES = 16
NONE_GIVEN = "none was given"
NONE_HERE = (
    "none was given, or it lies on another machine: the one whose worker led when it was given,"
    " which cannot be known here; ask each machine that serves this log"
)
"""Where workers with other folders may share the log."""

AGED = "kept_days"
"""In `forgotten_by`: nobody asked, its time was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledAbout:
    """The incident that a caller belongs to.

    Attributes:
        incident_id: Its id.
        received_at_ms: When it was received: after a restored backup ids are given anew, and a
            caller must not turn up at another incident.
        version: The incident's version that came of the command: later ones replace earlier ones,
            and a repeated command replaces nothing.
    """

    incident_id: str
    received_at_ms: UnixMs
    version: int = 0

    @property
    def bound_to(self) -> bytes:
        """What a sealed caller is bound to."""
        return f"kuaijing caller 1 {self.incident_id} {self.received_at_ms}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a caller, and when."""

    actor: str
    token_id: str
    at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerRead:
    """One reading of a caller, as it was recorded before it was answered."""

    at_ms: UnixMs
    actor: str
    token_id: str
    incident_id: str


class CallerFile:
    """The callers of one data folder; one thread uses it at a time."""

    def __init__(self, folder: Path, *, why_none: str = NONE_GIVEN) -> None:
        """Opens the files, or makes them.

        Args:
            folder: Holds them.
            why_none: What is said where nothing is known of an incident's caller.

        Raises:
            sqlite3.Error: One is damaged, or the medium refuses.
            OSError: The medium refuses.
            ValueError: A newer version wrote them.
        """
        self._connection = open_tables(folder)
        self._why_none = why_none

    def keep(self, about: CalledAbout, details: CallerDetails, *, at_ms: UnixMs) -> bool:
        """Seals a caller under a new key; durable when it returns.

        Returns:
            False where this one was forgotten meanwhile. True also where it is there already.
        """
        key, key_id = token_bytes(KEY_BYTES), token_bytes(KEY_ID_BYTES)
        sealed = seal(details, key, bound_to=about.bound_to)
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT received_at_ms, version, key_id FROM callers WHERE incident_id = ?",
                (about.incident_id,),
            ).fetchone()
            same = row is not None and row[0] == about.received_at_ms
            if same and row[1] >= about.version:
                return row[2] is not None
            if row is not None:
                connection.execute("DELETE FROM keys.caller_keys WHERE key_id = ?", (row[2],))
            connection.execute(
                "INSERT INTO keys.caller_keys VALUES (?, ?, ?)", (key_id, key, at_ms)
            )
            connection.execute(
                "INSERT OR REPLACE INTO callers VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                (about.incident_id, about.received_at_ms, about.version, key_id, sealed),
            )
        return True

    def read(self, about: CalledAbout, reader: Reader) -> CallerDetails:
        """Gives a caller out; who reads is on the disk before.

        Raises:
            CallerNotKept: None was given, it was forgotten, or its key is not here.
            ValueError: It is not as it was written.
        """
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT sealed, key, forgotten_at_ms FROM callers"
                " LEFT JOIN keys.caller_keys USING (key_id)"
                " WHERE incident_id = ? AND received_at_ms = ?",
                (about.incident_id, about.received_at_ms),
            ).fetchone()
            if row is None:
                raise CallerNotKept(about.incident_id, why=self._why_none)
            sealed, key, forgotten_at_ms = row
            if forgotten_at_ms is not None:
                raise CallerNotKept(about.incident_id, why="it was forgotten")
            if key is None:
                raise CallerNotKept(
                    about.incident_id,
                    why="its key is not in callers.keys, which no backup holds",
                )
            connection.execute(
                "INSERT INTO reads (at_ms, actor, token_id, incident_id) VALUES (?, ?, ?, ?)",
                (reader.at_ms, reader.actor, reader.token_id, about.incident_id),
            )
        return unseal(sealed, key, bound_to=about.bound_to)

    def reads(self, incident_id: str | None = None) -> Iterator[CallerRead]:
        """Who read callers, oldest first; of one incident, or of all."""
        rows = self._connection.execute(
            "SELECT at_ms, actor, token_id, incident_id FROM reads"
            " WHERE ?1 IS NULL OR incident_id = ?1 ORDER BY id",
            (incident_id,),
        )
        for at_ms, actor, token_id, found in rows:
            yield CallerRead(at_ms=UnixMs(at_ms), actor=actor, token_id=token_id, incident_id=found)

    def forget(self, incident_id: str, *, at_ms: UnixMs, by: str) -> bool:
        """Drops the key and what it sealed, for ever.

        Returns:
            False where there is nothing to forget.
        """
        with self._transaction() as connection:
            return _forget(connection, [incident_id], at_ms=at_ms, by=by) > 0

    def forget_older(
        self, before_ms: UnixMs, *, but: Collection[str], reads_before_ms: UnixMs, at_ms: UnixMs
    ) -> int:
        """Forgets callers of incidents received before a time, and drops records older still.

        Args:
            before_ms: Callers of incidents received earlier are forgotten.
            but: Incidents that are open: theirs stay.
            reads_before_ms: Readings, and marks of forgotten callers, from earlier are dropped.
            at_ms: Now.

        Returns:
            How many callers were forgotten.
        """
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT incident_id FROM callers WHERE sealed IS NOT NULL AND received_at_ms < ?",
                (before_ms,),
            ).fetchall()
            aged = [incident_id for (incident_id,) in rows if incident_id not in but]
            forgotten = _forget(connection, aged, at_ms=at_ms, by=AGED)
            connection.execute("DELETE FROM reads WHERE at_ms < ?", (reads_before_ms,))
            connection.execute("DELETE FROM callers WHERE forgotten_at_ms < ?", (reads_before_ms,))
            # Keys that came with a copied callers.keys and fit nothing here.
            connection.execute(
                "DELETE FROM keys.caller_keys WHERE made_at_ms < ?"
                " AND key_id NOT IN (SELECT key_id FROM callers WHERE key_id IS NOT NULL)",
                (before_ms,),
            )
        return forgotten

    def close(self) -> None:
        """Lets go of the files."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE: two writers meet here, and not when one of them has read already.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            roll_back(self._connection)
            raise


def _forget(
    connection: sqlite3.Connection, incident_ids: Collection[str], *, at_ms: UnixMs, by: str
) -> int:
    forgotten = 0
    for incident_id in incident_ids:
        connection.execute(
            "DELETE FROM keys.caller_keys WHERE key_id ="
            " (SELECT key_id FROM callers WHERE incident_id = ?)",
            (incident_id,),
        )
        forgotten += connection.execute(
            "UPDATE callers SET key_id = NULL, sealed = NULL, forgotten_at_ms = ?,"
            " forgotten_by = ? WHERE incident_id = ? AND sealed IS NOT NULL",
            (at_ms, by, incident_id),
        ).rowcount
    return forgotten
