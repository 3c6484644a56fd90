"""Digests of the rows outside the chain: a row that was damaged is not given out.

They find what a disk gives back wrong. They are no seal: whoever may write the file can write
them anew. Closed incidents are also compared with the log itself by `kuaijing verify`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch.errors import RowDamaged
from dispatch.store import ClosedRow
from dispatch.store.chain import digest_of

COMMAND_COLUMNS = "key, body_sha256, at_ms, status, headers, reply"
CLOSED_COLUMNS = "incident_id, received_at_ms, status, category, platform_id, body"

_encoder = msgspec.msgpack.Encoder()


def row_digest(values: Sequence[object]) -> bytes:
    """Digest of a row's values, in the order of its columns."""
    # MessagePack tells types and lengths, so that nothing can be shifted from one value to another.
    return digest_of(_encoder.encode(values))


def check_row(what: str, values: Sequence[object], digest: object) -> None:
    """Make sure that a row is as it was written; rows of older versions carry no digest.

    Args:
        what: The row in words, for the error.
        values: Its columns.
        digest: What was written beside them.

    Raises:
        RowDamaged: it is not.
    """
    if digest is not None and row_digest(values) != digest:
        raise RowDamaged(what)


def closed_values(row: ClosedRow) -> tuple[object, ...]:
    """The columns of a closed incident, as `CLOSED_COLUMNS`."""
    return (
        row.incident_id,
        row.received_at_ms,
        row.status,
        row.category,
        row.platform_id,
        row.body,
    )
