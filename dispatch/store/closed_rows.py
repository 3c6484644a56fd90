"""Reads closed incidents out of the log's tables, each checked against its digest."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatch.store import ClosedQuery
from dispatch.store.row_digests import CLOSED_COLUMNS, check_row


def closed_body(connection: sqlite3.Connection, incident_id: str) -> bytes | None:
    """Body of a closed incident.

    Raises:
        RowDamaged: its row is not as it was written.
    """
    row = connection.execute(
        f"SELECT {CLOSED_COLUMNS}, digest FROM closed_incidents"  # noqa: S608 - fixed text
        " WHERE incident_id = ?",
        (incident_id,),
    ).fetchone()
    return None if row is None else _body(row)


def closed_body_of_assignment(connection: sqlite3.Connection, assignment_id: str) -> bytes | None:
    """Body of the closed incident that an assignment belonged to.

    Raises:
        RowDamaged: its row is not as it was written.
    """
    row = connection.execute(
        "SELECT incident_id FROM closed_assignments WHERE assignment_id = ?", (assignment_id,)
    ).fetchone()
    return None if row is None else closed_body(connection, row[0])


def closed_bodies(connection: sqlite3.Connection, query: ClosedQuery) -> list[bytes]:
    """Bodies of closed incidents, newest first.

    Raises:
        RowDamaged: a row is not as it was written.
    """
    where, values = _conditions(query)
    rows = connection.execute(
        f"SELECT {CLOSED_COLUMNS}, digest FROM closed_incidents"  # noqa: S608 - fixed text
        f" WHERE {where} ORDER BY received_at_ms DESC, incident_id DESC LIMIT ?",
        (*values, query.limit),
    )
    return [_body(row) for row in rows.fetchall()]


def _body(row: Sequence[object]) -> bytes:
    *values, digest = row
    check_row(f"closed incident {values[0]}", values, digest)
    body = values[-1]
    assert isinstance(body, bytes)  # noqa: S101 - the column's type
    return body


def _conditions(query: ClosedQuery) -> tuple[str, list[object]]:
    parts = ["1"]
    values: list[object] = []
    if query.statuses:
        parts.append(f"status IN ({','.join('?' * len(query.statuses))})")
        values.extend(query.statuses)
    for column, value in (("category", query.category), ("platform_id", query.platform_id)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    for comparison, at_ms in (
        ("received_at_ms >= ?", query.since_ms),
        ("received_at_ms < ?", query.until_ms),
    ):
        if at_ms is not None:
            parts.append(comparison)
            values.append(at_ms)
    if query.before is not None:
        parts.append("(received_at_ms, incident_id) < (?, ?)")
        values.extend(query.before)
    return " AND ".join(parts), values
