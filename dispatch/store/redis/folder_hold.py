"""What a service on Redis has to itself: its folder, and there the number of the log's last event.

A server that starts anew reads its log up to the first entry that does not fit, and says nothing of
what was behind it; or it is another server than yesterday's. The number tells.
"""

from __future__ import annotations

from pathlib import Path

from dispatch.store.folder_lock import FolderLock
from dispatch.store.head_mark import HeadMark


class FolderHold:
    """A locked folder with a mark in it, or neither."""

    def __init__(self, lock: FolderLock | None, mark: HeadMark | None) -> None:
        """`FolderHold.take` does it."""
        self._lock = lock
        self._mark = mark

    @classmethod
    def take(cls, folder: Path | None, area: str, *, lock: bool = True) -> FolderHold:
        """Lock the folder and open the area's mark in it; both are made when missing.

        Args:
            folder: The service's folder; None without one.
            area: The area, whose mark is meant.
            lock: False where whoever started this process holds the lock for all its workers.

        Raises:
            StoreLocked: another service works on the folder.
        """
        if folder is None:
            return cls(None, None)
        taken = FolderLock.take(folder) if lock else None
        marks = folder / "redis" / area
        try:
            marks.mkdir(parents=True, exist_ok=True)
            return cls(taken, HeadMark(marks))
        except BaseException:
            if taken is not None:
                taken.release()
            raise

    @property
    def marked(self) -> int:
        """The number that is marked; 0 where there is none."""
        return 0 if self._mark is None else self._mark.marked

    def check(self, head: int) -> None:
        """Compare the mark with the log.

        Raises:
            LogDamaged: the log ends before the mark.
        """
        if self._mark is not None:
            self._mark.check(head)
            self._mark.keep(head)

    def keep(self, head: int) -> None:
        """Mark the log's last event."""
        if self._mark is not None:
            self._mark.keep(head)

    def release(self) -> None:
        """Let go; harmless when done twice."""
        if self._mark is not None:
            self._mark.close()
        if self._lock is not None:
            self._lock.release()
