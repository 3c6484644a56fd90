"""How appends become rows of the log's tables, each with its digest."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from dispatch.store import Append, StoredCommand, StoredReply
from dispatch.store.chain import link
from dispatch.store.row_digests import (
    CLOSED_COLUMNS,
    COMMAND_COLUMNS,
    check_row,
    closed_values,
    row_digest,
)
from dispatch.store.sqlite_log import PAGE_BYTES, insert_rows

_header_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Written:
    """What an append left behind.

    Attributes:
        pages: Pages dirtied, about.
        chain: The chain after the last event.
    """

    pages: int
    chain: bytes


def write_appends(
    connection: sqlite3.Connection, appends: Sequence[Append], before: bytes
) -> Written:
    """Write appends inside the caller's transaction.

    Args:
        connection: The writing one.
        appends: They follow each other without a gap.
        before: The chain before their first event.

    Raises:
        sqlite3.Error: as SQLite says; the caller rolls back.
    """
    rows: list[tuple[int, bytes, bytes]] = []
    for append in appends:
        for seq, body in enumerate(append.events, start=append.expected_seq + 1):
            before = link(before, seq, body)
            rows.append((seq, body, before))
    if rows:
        insert_rows(connection, "events", "seq, body, chain", rows)
    commands = [append.command for append in appends if append.command is not None]
    if commands:
        columns = f"{COMMAND_COLUMNS}, digest"
        insert_rows(connection, "commands", columns, [_command_row(c) for c in commands])
    for append in appends:
        if append.closed or append.reopened:
            _write_history(connection, append)
    size = sum(len(body) for _, body, _ in rows) + sum(len(c.reply.body) for c in commands)
    return Written(pages=size // PAGE_BYTES + 2 + len(commands), chain=before)


def read_command(connection: sqlite3.Connection, key: str) -> StoredCommand | None:
    """The command with this key.

    Raises:
        RowDamaged: its row is not as it was written.
    """
    row = connection.execute(
        f"SELECT {COMMAND_COLUMNS}, digest FROM commands WHERE key = ?",  # noqa: S608 - fixed
        (key,),
    ).fetchone()
    if row is None:
        return None
    *values, digest = row
    check_row(f"the answer to command {key}", values, digest)
    _, body_sha256, at_ms, status, headers, reply = values
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
    row = (command.key, command.body_sha256, command.at_ms, reply.status, headers, reply.body)
    return (*row, row_digest(row))


def _write_history(connection: sqlite3.Connection, append: Append) -> None:
    for incident_id in chain((row.incident_id for row in append.closed), append.reopened):
        connection.execute("DELETE FROM closed_incidents WHERE incident_id = ?", (incident_id,))
    for row in append.closed:
        values = closed_values(row)
        connection.execute(
            f"INSERT INTO closed_incidents ({CLOSED_COLUMNS}, digest)"  # noqa: S608 - fixed text
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, row_digest(values)),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO closed_assignments VALUES (?, ?)",
            [(assignment_id, row.incident_id) for assignment_id in row.assignment_ids],
        )
