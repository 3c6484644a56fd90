"""The power fails: what was acknowledged is there, whole, whatever became of unsynced sectors."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from dispatch.errors import DispatchError
from dispatch.store import Append, StoredCommand, StoredReply, commit_thread, sqlite_log
from dispatch.store.chain import GENESIS
from dispatch.store.commit_thread import CommitThread
from dispatch.words import UnixMs
from tests.crash.log_writer import EVENTS, events_of
from tests.crash.sqlite_contents import found_in
from tests.crash.writer_process import check

apsw = pytest.importorskip("apsw", reason="apsw is not installed: power cuts left out")

from tests.crash.power_cut import Connection, Record, RecordingVfs, Synced, Told, note_room  # noqa: E402

pytestmark = pytest.mark.crash

CUTS = 400 if os.environ.get("KUAIJING_LONG") else 40
COMMANDS = 400
CALLERS = 4


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """A record that SQLite writes; checkpoints come often, and the room is small."""
    monkeypatch.setattr(sqlite_log, "WAL_ROOM_BYTES", 128 * 1024)
    monkeypatch.setattr(commit_thread, "CHECKPOINT_FORCED_PAGES", 60)
    found = Record()
    vfs = RecordingVfs(found)
    yield found
    vfs.unregister()


async def write(record: Record, path: Path, synchronous: str) -> None:
    """Callers append through the store's own writer, on the recorded disk."""
    connection = Connection(path)
    as_sqlite3 = cast("sqlite_log.sqlite3.Connection", connection)
    sqlite_log.lay_out(as_sqlite3, path)
    connection.execute(f"PRAGMA synchronous={synchronous}").fetchall()
    note_room(record, path, sqlite_log.make_room)
    commits = CommitThread(as_sqlite3, end=(0, GENESIS), epoch=1)
    seq = 0

    async def call() -> None:
        nonlocal seq
        while seq < COMMANDS * EVENTS:
            name, at = f"c{seq}", seq
            seq += EVENTS
            done: asyncio.Future[DispatchError | None] = loop.create_future()
            reply = StoredReply(status=201, body=name.encode())
            command = StoredCommand(key=name, body_sha256=b"x" * 32, at_ms=UnixMs(at), reply=reply)
            append = Append(expected_seq=at, epoch=1, events=events_of(name), command=command)
            commits.append(append, done.set_result)
            assert await done is None
            record.steps.append(Told(name, at))

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    await asyncio.to_thread(commits.stop)


def lost_after(record: Record, end: int, chance: random.Random, folder: Path) -> str | None:
    """Cut the power after `end` steps and start again; what is wrong then."""
    folder.mkdir()
    for name, content in record.cut_at(end, chance).items():
        (folder / name).write_bytes(content)
    try:
        check(*found_in(folder), record.told_before(end))
    except (AssertionError, DispatchError) as error:
        return f"cut after step {end}: {error}"
    finally:
        shutil.rmtree(folder)
    return None


def cuts(record: Record, home: Path) -> list[str]:
    chance = random.Random(512)
    found = []
    for nth in range(CUTS):
        end = chance.randrange(len(record.steps))
        lost = lost_after(record, end, chance, home / f"cut{nth}")
        if lost is not None:
            found.append(lost)
    return found


def test_a_power_cut_loses_nothing_acknowledged(record: Record, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    asyncio.run(write(record, tmp_path / "disk" / "log.db", "FULL"))
    assert len(record.told_before(len(record.steps))) >= COMMANDS
    folded = [one for one in record.steps if one == Synced("log.db")]
    assert len(folded) > 3, "the write-ahead log was never folded into the file under load"
    assert cuts(record, tmp_path) == []


def test_without_a_sync_at_each_commit_it_would(record: Record, tmp_path: Path) -> None:
    """The planted defect: the test above can tell."""
    (tmp_path / "disk").mkdir()
    asyncio.run(write(record, tmp_path / "disk" / "log.db", "NORMAL"))
    assert len(cuts(record, tmp_path)) > CUTS // 4
