"""A disk that forgets what was not synced: records what SQLite writes, and cuts the power anywhere.

apsw brings an SQLite of its own whose file system can be replaced. Everything goes to real files
too; the record is what a cut is made of. At a cut each 512-byte sector that was written and not
synced is kept, dropped, or torn in the middle, by chance and each for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR_BYTES = 512
VFS_NAME = "power-cut"


@dataclass(frozen=True)
class Write:
    """Bytes that went to a file."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Cut:
    """A file was given a length."""

    name: str
    size: int


@dataclass(frozen=True)
class Synced:
    """All of a file is on the disk from here on."""

    name: str


@dataclass(frozen=True)
class Deleted:
    """A file is gone, for good."""

    name: str


@dataclass(frozen=True)
class Told:
    """Somebody was told that a command is durable."""

    name: str
    seq: int


@dataclass
class Record:
    """What happened, in order."""

    steps: list[Write | Cut | Synced | Deleted | Told] = field(default_factory=list)

    def told_before(self, end: int) -> dict[str, int]:
        """What had been acknowledged, and the head it was decided on."""
        return {one.name: one.seq for one in self.steps[:end] if isinstance(one, Told)}

    def cut_at(self, end: int, chance: Random) -> dict[str, bytes]:
        """The files as a power cut after so many steps leaves them."""
        disks: dict[str, Disk] = {}
        for step in self.steps[:end]:
            if isinstance(step, Deleted):
                disks.pop(step.name, None)
            elif not isinstance(step, Told):
                disks.setdefault(step.name, Disk()).take(step)
        return {name: disk.after_cut(chance) for name, disk in disks.items()}


@dataclass
class Disk:
    """One file: what is safe, and what is on its way."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Write | Cut] = field(default_factory=list)

    def take(self, step: Write | Cut | Synced) -> None:
        """One more step."""
        if isinstance(step, Synced):
            for one in self.pending:
                apply(self.safe, one)
            self.pending.clear()
        else:
            self.pending.append(step)

    def after_cut(self, chance: Random) -> bytes:
        """What is left."""
        left = bytearray(self.safe)
        for one in self.pending:
            if isinstance(one, Cut):
                if chance.random() < 0.5:
                    apply(left, one)
                continue
            for sector in sectors_of(one):
                fate = chance.choice(("kept", "dropped", "torn"))
                kept = len(sector.content) if fate == "kept" else 0
                if fate == "torn":
                    kept = chance.randrange(len(sector.content))
                if kept:
                    apply(left, Write(sector.name, sector.offset, sector.content[:kept]))
        return bytes(left)


def apply(content: bytearray, step: Write | Cut) -> None:
    """Do to a file what was done to it."""
    size = step.size if isinstance(step, Cut) else step.offset + len(step.content)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(step, Cut):
        del content[size:]
    else:
        content[step.offset : size] = step.content


def sectors_of(write: Write) -> Iterable[Write]:
    """A write, cut at the sectors' borders."""
    start = write.offset
    end = start + len(write.content)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield Write(write.name, start, write.content[start - write.offset : stop - write.offset])
        start = stop


class RecordingFile(apsw.VFSFile):
    """A real file whose writes are recorded."""

    def __init__(self, filename: Any, flags: list[int], record: Record) -> None:
        super().__init__("", filename, flags)
        path = filename.filename() if isinstance(filename, apsw.URIFilename) else filename
        self._name = Path(path).name
        self._record = record

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._record.steps.append(Write(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._record.steps.append(Cut(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._record.steps.append(Synced(self._name))


class RecordingVfs(apsw.VFS):
    """The file system of the record."""

    def __init__(self, record: Record) -> None:
        super().__init__(VFS_NAME, "")
        self._record = record

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return RecordingFile(name, flags, self._record)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self._record.steps.append(Deleted(Path(filename).name))


class Connection:
    """A connection of apsw that answers as one of `sqlite3` does, as far as the store asks."""

    def __init__(self, path: Path) -> None:
        self._apsw = apsw.Connection(str(path), vfs=VFS_NAME)
        # A replaced file system has no shared memory; alone on the file, WAL needs none.
        self.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()

    @property
    def in_transaction(self) -> bool:
        return bool(self._apsw.in_transaction)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._apsw.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Any:
        return self._apsw.executemany(sql, rows)

    def close(self) -> None:
        self._apsw.close()


def note_room(record: Record, path: Path, make_room: Callable[[Path], None]) -> None:
    """Make room in the write-ahead log, which is done past SQLite, and record it as synced."""
    wal = path.with_name(path.name + "-wal")
    before = wal.stat().st_size
    make_room(path)
    grown = wal.stat().st_size - before
    record.steps += [Write(wal.name, before, bytes(grown)), Synced(wal.name)]
