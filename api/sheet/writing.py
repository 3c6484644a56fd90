"""Writes the sheet whole or not at all, for its owner's eyes: it names places and what happened."""

from __future__ import annotations

from pathlib import Path

from routing.whole_file import replacing

OWNER_ONLY = 0o600


def write_page(path: Path, page: str) -> None:
    """Writes or replaces a sheet.

    Raises:
        OSError: The folder is missing or cannot be written to.
    """
    with replacing(path, mode=OWNER_ONLY) as draft:
        draft.write_text(page, encoding="utf-8")
