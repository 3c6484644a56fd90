"""A log that lost its end is refused, not served; a folder has one writer, lock file or not."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.errors import DispatchError, LogDamaged, StoreLocked, StoreUnavailable
from dispatch.store import Append
from dispatch.store.folder_lock import LOCK_NAME
from dispatch.store.head_mark import MARK_NAME, HeadMark
from dispatch.store.sqlite import SqliteStore

EVENTS = 40


async def _append(store: SqliteStore, count: int) -> None:
    for _ in range(count):
        done: asyncio.Future[DispatchError | None] = asyncio.get_running_loop().create_future()
        append = Append(expected_seq=store.head, epoch=store.epoch, events=(b"x" * 3_000,))
        store.append(append, done.set_result)
        assert await done is None


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder as a killed process leaves it: all events in the write-ahead log."""

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path / "running")
        await _append(store, EVENTS)
        shutil.copytree(tmp_path / "running", tmp_path / "killed")
        await store.close()

    asyncio.run(scenario())
    return tmp_path / "killed"


def _head(folder: Path) -> int:
    async def scenario() -> int:
        store = SqliteStore.open(folder)
        await store.close()
        return store.head

    return asyncio.run(scenario())


def _flip(path: Path, share: float) -> None:
    content = bytearray(path.read_bytes())
    used = len(bytes(content).rstrip(b"\0"))
    content[int(used * share)] ^= 0xFF
    path.write_bytes(content)


def test_a_killed_log_is_whole(killed: Path) -> None:
    assert _head(killed) == EVENTS


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: _flip(folder / "log.db-wal", 0.5),
        lambda folder: _flip(folder / "log.db-wal", 0.0),
        lambda folder: (folder / "log.db-wal").unlink(),
        lambda folder: (folder / "log.db-wal").write_bytes(b""),
        lambda folder: (folder / "log.db-wal").write_bytes(
            (folder / "log.db-wal").read_bytes()[:100_000]
        ),
        lambda folder: [(folder / f"log.db{end}").unlink() for end in ("", "-wal", "-shm")],
    ],
    ids=["flipped", "flipped head", "removed", "emptied", "cut", "all removed"],
)
def test_a_log_that_lost_its_end_is_refused_until_that_is_accepted(
    killed: Path, harm: Callable[[Path], object]
) -> None:
    harm(killed)
    for _ in range(2):
        with pytest.raises(LogDamaged, match=r"events up to 40 were recorded.*delete .*log\.head"):
            _head(killed)
    (killed / MARK_NAME).unlink()
    assert _head(killed) < EVENTS


@pytest.mark.parametrize("content", [b"", b"junk", b"%020d %08x\n" % (999, 1), b"\xff" * 64])
def test_a_mark_that_cannot_be_read_stops_nobody(killed: Path, content: bytes) -> None:
    (killed / MARK_NAME).write_bytes(content)
    assert _head(killed) == EVENTS
    mark = HeadMark(killed)
    with pytest.raises(LogDamaged):
        mark.check(EVENTS - 1)
    mark.close()


def test_a_mark_that_lags_behind_is_brought_up(killed: Path) -> None:
    mark = HeadMark(killed)
    mark.keep(3)
    mark.close()
    assert _head(killed) == EVENTS


def test_a_mark_that_cannot_be_kept_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / MARK_NAME).mkdir()
    mark = HeadMark(tmp_path)
    mark.check(0)
    mark.keep(7)
    mark.close()


def test_a_second_writer_is_refused_when_the_lock_file_was_tidied_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore.open(tmp_path)
        (tmp_path / LOCK_NAME).unlink()
        with pytest.raises(StoreLocked):
            SqliteStore.open(tmp_path)
        await _append(store, 1)
        await store.close()
        again = SqliteStore.open(tmp_path)
        await again.close()

    asyncio.run(scenario())


def test_a_file_that_is_no_log_is_told_from_a_disk_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(StoreUnavailable, match=r"damaged.*backup"):
        _head(tmp_path)
