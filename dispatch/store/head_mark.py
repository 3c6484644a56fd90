"""Beside the log, the number of its last event: a log that lost its end is found out at the start.

SQLite reads a write-ahead log up to the first frame that does not fit and takes the rest for a
torn write. A flipped byte, a shortened or missing file would so drop acknowledged events without a
word. The mark is written after each commit and before anybody is answered. It is not synced: after
a power cut it may lag behind the log, and never runs ahead of it.
"""

from __future__ import annotations

import logging
import os
import zlib
from pathlib import Path

from dispatch.errors import LogDamaged

MARK_NAME = "log.head"

_log = logging.getLogger(__name__)


def read_mark(folder: Path) -> int | None:
    """The number that is marked in a folder; None where there is none that can be read."""
    try:
        written = (folder / MARK_NAME).read_bytes()
    except OSError:
        return None
    return _number_in(written)


class HeadMark:
    """The number of the last event, in a small file that is written over in place."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file; without one (a full disk) the service goes on, warned."""
        self._path = folder / MARK_NAME
        self._descriptor: int | None = None
        self._kept = -1
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._give_up(error)

    def check(self, head: int) -> None:
        """Compare what was marked with what the log holds.

        Raises:
            LogDamaged: The log ends before the mark.
        """
        marked = self._read()
        if marked is not None and marked > head:
            raise LogDamaged(
                head + 1,
                why=f"events up to {marked} were recorded and the log ends at {head}, its end is"
                f" damaged or gone (to go on without it, knowingly, delete {self._path})",
            )

    @property
    def marked(self) -> int:
        """The number that is marked; 0 where there is none that can be read."""
        return self._read() or 0

    def keep(self, head: int) -> None:
        """Mark the log's last event."""
        if head == self._kept or self._descriptor is None:
            return
        try:
            os.pwrite(self._descriptor, _marked(head), 0)
        except OSError as error:
            self._give_up(error)
        self._kept = head

    def close(self) -> None:
        """Let go of the file; harmless when done twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> int | None:
        if self._descriptor is None:
            return None
        written = os.pread(self._descriptor, 64, 0)
        number = _number_in(written)
        if number is None and written:
            _log.warning("%s cannot be read and is written anew", self._path)
            os.ftruncate(self._descriptor, 0)
        return number

    def _give_up(self, error: OSError) -> None:
        self.close()
        _log.warning(
            "%s cannot be kept, a lost end of the log would not show: %s", self._path, error
        )


def _number_in(written: bytes) -> int | None:
    number = written.partition(b" ")[0]
    return int(number) if number.isdigit() and written == _marked(int(number)) else None


def _marked(head: int) -> bytes:
    number = b"%020d" % head
    return b"%b %08x\n" % (number, zlib.crc32(number))
