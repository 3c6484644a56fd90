"""How appends become rows of the log's tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import chain

import msgspec

from dispatch.store import Append, StoredCommand, StoredReply
from dispatch.store.sqlite_log import PAGE_BYTES, insert_rows

_header_encoder = msgspec.json.Encoder()

_COMMAND_COLUMNS = "key, body_sha256, at_ms, status, headers, reply"


def write_appends(connection: sqlite3.Connection, appends: Sequence[Append]) -> int:
    """Write appends inside the caller's transaction; returns the pages dirtied, about.

    Raises:
        sqlite3.Error: as SQLite says; the caller rolls back.
    """
    rows = [
        (append.expected_seq + place, body)
        for append in appends
        for place, body in enumerate(append.events, start=1)
    ]
    if rows:
        insert_rows(connection, "events", "seq, body", rows)
    commands = [append.command for append in appends if append.command is not None]
    if commands:
        insert_rows(connection, "commands", _COMMAND_COLUMNS, [_command_row(c) for c in commands])
    for append in appends:
        if append.closed or append.reopened:
            _write_history(connection, append)
    size = sum(len(body) for _, body in rows) + sum(len(c.reply.body) for c in commands)
    return size // PAGE_BYTES + 2 + len(commands)


def read_command(connection: sqlite3.Connection, key: str) -> StoredCommand | None:
    """The command with this key."""
    row = connection.execute(
        "SELECT body_sha256, at_ms, status, headers, reply FROM commands WHERE key = ?", (key,)
    ).fetchone()
    if row is None:
        return None
    body_sha256, at_ms, status, headers, reply = row
    pairs = tuple((name, value) for name, value in json.loads(headers))
    return StoredCommand(
        key=key,
        body_sha256=body_sha256,
        at_ms=at_ms,
        reply=StoredReply(status=status, body=reply, headers=pairs),
    )


def _command_row(command: StoredCommand) -> tuple[object, ...]:
    reply = command.reply
    headers = _header_encoder.encode(reply.headers).decode()
    return (command.key, command.body_sha256, command.at_ms, reply.status, headers, reply.body)


def _write_history(connection: sqlite3.Connection, append: Append) -> None:
    for incident_id in chain((row.incident_id for row in append.closed), append.reopened):
        connection.execute("DELETE FROM closed_incidents WHERE incident_id = ?", (incident_id,))
    for row in append.closed:
        connection.execute(
            "INSERT INTO closed_incidents VALUES (?, ?, ?, ?, ?, ?)",
            (
                row.incident_id,
                row.received_at_ms,
                row.status,
                row.category,
                row.platform_id,
                row.body,
            ),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO closed_assignments VALUES (?, ?)",
            [(assignment_id, row.incident_id) for assignment_id in row.assignment_ids],
        )
