"""One server at a time works on a data folder: an exclusive lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dispatch.errors import StoreLocked

LOCK_NAME = "lock"


class FolderLock:
    """An exclusive lock on a data folder; the kernel drops it when the process ends.

    A second writer on the same SQLite file could checkpoint while the first commits, which SQLite
    before 3.51.3 may answer with a corrupt log; that is why it is refused and not queued.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder = folder
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Take the lock, without waiting; the folder is made when missing.

        Raises:
            StoreLocked: another process holds it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / LOCK_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise StoreLocked(str(folder)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        return cls(folder, descriptor)

    def release(self) -> None:
        """Let go; harmless when done twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
