"""Lists in pages: `limit` and an opaque cursor, never page numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from api.http.cursors import CURSOR_MAX_CHARS, read_cursor, write_cursor

LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most items on a page")]
Cursor = Annotated[
    str | None,
    Query(max_length=CURSOR_MAX_CHARS, description="`next_cursor` of the page before"),
]

Item = TypeVar("Item")


def page_by_id(
    items: Sequence[Item],
    *,
    kind: str,
    id_of: Callable[[Item], str],
    limit: int,
    cursor: str | None,
) -> tuple[list[Item], str | None]:
    """One page of a list that is sorted by id.

    Returns:
        The items after the cursor, and the cursor of the next page or None.

    Raises:
        BadCursor: The cursor belongs to another list.
    """
    after = None if cursor is None else read_cursor(cursor, kind, str)
    rest = [item for item in items if after is None or id_of(item) > after]
    page = rest[:limit]
    more = len(rest) > len(page)
    return page, write_cursor(kind, id_of(page[-1])) if more else None
