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

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors

    @classmethod
    def take(cls, folder: Path) -> FolderLock:
        """Take the lock, without waiting; the folder is made when missing.

        Raises:
            StoreLocked: another process holds it.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        named = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # The folder itself too: whoever tidies the lock file away does not let a second server in.
        whole = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        lock = cls(named, whole)
        try:
            fcntl.flock(named, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _lock_where_possible(whole)
        except BlockingIOError as error:
            lock.release()
            raise StoreLocked(str(folder)) from error
        os.ftruncate(named, 0)
        os.pwrite(named, str(os.getpid()).encode("ascii"), 0)
        return lock

    def release(self) -> None:
        """Let go; harmless when done twice."""
        descriptors, self._descriptors = self._descriptors, ()
        for descriptor in descriptors:
            os.close(descriptor)


def holder_of(folder: Path) -> int | None:
    """Process that holds a folder's lock, None where none does; asks without touching the lock.

    Trying to take it would refuse a service that starts at that moment. Linux only: elsewhere
    nobody can tell, and the answer is None.
    """
    try:
        inode = (folder / LOCK_NAME).stat().st_ino
        held = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in held:
        # Number, kind, mode, access, process, device with inode, first and last byte.
        fields = line.split()
        if fields[1] == "FLOCK" and fields[-3].rpartition(":")[2] == str(inode):
            return int(fields[-4])
    return None


def _lock_where_possible(folder: int) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        # Network file systems lock files only: there the lock file has to do.
        return
