"""Opaque cursors of lists: where a page ended, packed so that nobody counts on their inside."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from api.errors import BadCursor

CURSOR_MAX_CHARS = 512

T = TypeVar("T")


def write_cursor(kind: str, position: object) -> str:
    """Packs a position in a list.

    Args:
        kind: Name of the list, so that a cursor of one is refused by another.
        position: What the list needs to go on: numbers, strings, lists of them.
    """
    packed = msgspec.msgpack.encode([kind, position])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(cursor: str, kind: str, shape: type[T]) -> T:
    """Unpacks a position.

    Args:
        cursor: What the client sent.
        kind: Name of the list.
        shape: Type of the position.

    Raises:
        BadCursor: The cursor is damaged or belongs to another list.
    """
    try:
        padded = cursor[:CURSOR_MAX_CHARS] + "=" * (-len(cursor) % 4)
        packed = base64.b64decode(padded, altchars=b"-_", validate=True)
        found_kind, position = msgspec.msgpack.decode(packed, type=tuple[str, shape])  # type: ignore[valid-type]
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise _bad(cursor) from error
    if found_kind != kind:
        raise _bad(cursor)
    return position


def _bad(cursor: str) -> BadCursor:
    return BadCursor(
        f"cursor {cursor[:40]!r} was not given out by this list; leave it out to begin at the start"
    )
