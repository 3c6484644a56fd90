"""Checks the rows beside the events: answers to commands, closed incidents, snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatch.board import Board
from dispatch.codec import decode_board, decode_closed, snapshot_is_older
from dispatch.errors import LogDamaged, RowDamaged
from dispatch.store.history import history_row
from dispatch.store.row_digests import (
    CLOSED_COLUMNS,
    COMMAND_COLUMNS,
    check_row,
    closed_values,
)
from dispatch.verifying.event_walk import EventWalk, closed_digest, step_digest
from dispatch.verifying.found import Found


def read_snapshots(connection: sqlite3.Connection, found: Found) -> dict[int, Board]:
    """The kept boards by their event; those that cannot be read are faults."""
    boards: dict[int, Board] = {}
    try:
        for seq, body in connection.execute("SELECT seq, body FROM snapshots"):
            found.counts["snapshots"] += 1
            board = decode_board(body) if isinstance(body, bytes) else None
            if board is not None and board.seq == seq:
                boards[seq] = board
            elif isinstance(body, bytes) and snapshot_is_older(body):
                found.notes.append(f"the snapshot of event {seq} is of an older version")
            else:
                found.fault("snapshot", None, f"that of event {seq} is damaged")
    except (sqlite3.Error, OverflowError) as error:
        found.fault("snapshot", None, f"they cannot be read ({error})")
    return boards


def check_commands(connection: sqlite3.Connection, found: Found) -> None:
    """Every answer to a command is as it was written."""
    try:
        for *values, digest in connection.execute(
            f"SELECT {COMMAND_COLUMNS}, digest FROM commands"  # noqa: S608 - fixed text
        ):
            found.counts["commands"] += 1
            try:
                check_row(f"the answer to command {values[0]!r}", values, digest)
            except RowDamaged as error:
                found.fault("command", None, str(error))
    except (sqlite3.Error, OverflowError) as error:
        found.fault("command", None, f"answers to commands cannot be read ({error})")


def check_closed(
    connection: sqlite3.Connection, found: Found, walk: EventWalk, *, digests: bool
) -> None:
    """Every closed incident is as it was written, and as the log tells it.

    Args:
        connection: The log.
        found: Where faults go.
        walk: A walk over all events.
        digests: Whether the rows' format has digests.
    """
    digest_column = "digest" if digests else "NULL"
    missing = dict(walk.closed)
    try:
        for *values, digest in connection.execute(
            f"SELECT {CLOSED_COLUMNS}, {digest_column} FROM closed_incidents"  # noqa: S608
        ):
            found.counts["closed"] += 1
            told = missing.pop(str(values[0]), None)
            wrong = _fault_of(connection, values, digest)
            if wrong is None and walk.board is not None:
                wrong = _disagreement(values[-1], told, walk.late.get(str(values[0]), set()))
            if wrong is not None:
                found.fault("closed", None, f"incident {values[0]!r}: {wrong}")
    except (sqlite3.Error, OverflowError) as error:
        found.fault("closed", None, f"closed incidents cannot be read ({error})")
        return
    if walk.board is not None:
        for incident_id in missing:
            found.fault("closed", None, f"incident {incident_id!r} was closed and is missing")


def _fault_of(
    connection: sqlite3.Connection, values: Sequence[object], digest: object
) -> str | None:
    body = values[-1]
    try:
        check_row("its row", values, digest)
        if not isinstance(body, bytes):
            return "it holds no incident"
        row = history_row(decode_closed(body))
    except (RowDamaged, LogDamaged) as error:
        return str(error)
    if closed_values(row)[:-1] != tuple(values)[:-1]:
        return "the columns that it is found by are not its own"
    for assignment_id in row.assignment_ids:
        pointer = connection.execute(
            "SELECT incident_id FROM closed_assignments WHERE assignment_id = ?", (assignment_id,)
        ).fetchone()
        if pointer != (row.incident_id,):
            return f"it is not found by its assignment {assignment_id}"
    return None


def _disagreement(body: object, told: bytes | None, late: set[bytes]) -> str | None:
    assert isinstance(body, bytes)  # noqa: S101 - looked at before
    if told is None:
        return "the log does not say that it was closed"
    closed = decode_closed(body)
    # Version 0.1 logged steps after the end without keeping them in history: fewer are no fault.
    steps = {step_digest(step) for step in closed.late_steps}
    return None if closed_digest(closed) == told and steps <= late else "it disagrees with the log"
