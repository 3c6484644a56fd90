"""Writes a file whole or not at all: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE_MODE = 0o644

WRITING = ".writing-"
"""How the name of a file begins that is being written."""


@contextmanager
def replacing(path: Path, *, mode: int = _FILE_MODE) -> Iterator[Path]:
    """Gives a temporary file beside `path` that takes its place when the block ends well.

    The new content is on the disk before the name changes. When the block raises, or the user
    interrupts it, the temporary file goes and `path` stays as it was.

    Args:
        path: The file to write or replace; its folder must exist.
        mode: Who may read and write it.

    Yields:
        The temporary file, with the same endings as `path`.

    Raises:
        OSError: The folder is missing or cannot be written to.
    """
    # The endings stay, for writers that choose the format by the name.
    handle, name = tempfile.mkstemp(prefix=WRITING, suffix=f"-{path.name}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        _sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders; the new name is not at risk there.
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
