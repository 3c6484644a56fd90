"""One raw fsync: what a durable answer cannot do without."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import Self

_ROOM_BYTES = 32 * 1024 * 1024
_FILL = b"\xa5"


class DiskFloor:
    """A file on the log's disk, as long as it will ever be, written and synced like a log.

    The file is filled beforehand, as the service's write-ahead log is, so that a sync carries the
    bytes and not a growing file's metadata: the cheapest durable write there is.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self._file, _FILL * _ROOM_BYTES, 0)
        os.fsync(self._file)
        self._at = 0

    def sync_ns(self, size: int) -> int:
        """Write so many bytes after the last and sync them; the nanoseconds."""
        content = os.urandom(size)
        if self._at + size > _ROOM_BYTES:
            self._at = 0
        began_ns = perf_counter_ns()
        os.pwrite(self._file, content, self._at)
        os.fsync(self._file)
        elapsed_ns = perf_counter_ns() - began_ns
        self._at += size
        return elapsed_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)


def written_bytes(pid: int) -> int | None:
    """Bytes that a process has caused to be written so far; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    except OSError:
        return None
    return next(
        int(line.split()[1]) for line in text.splitlines() if line.startswith("write_bytes")
    )
