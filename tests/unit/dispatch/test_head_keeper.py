"""The log's end is signed from time to time and at the close, and never in anybody's way."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from threading import Event

import pytest

from dispatch.errors import DispatchError
from dispatch.store import Append, head_keeper
from dispatch.store.signed_heads import HeadKey, SignedHead, read_heads
from dispatch.store.sqlite import SqliteStore
from tests.shell_town import run


async def append(store: SqliteStore, events: int) -> None:
    done: asyncio.Future[DispatchError | None] = asyncio.get_running_loop().create_future()
    bodies = tuple(b"event" for _ in range(events))
    store.append(Append(expected_seq=store.head, epoch=store.epoch, events=bodies), done.set_result)
    assert await done is None


def signed(folder: Path) -> list[tuple[int, str]]:
    heads = [one for one in read_heads(folder) if isinstance(one, SignedHead)]
    return [(one.seq, one.why) for one in heads]


def test_heads_come_after_so_many_events_and_at_the_close(tmp_path: Path) -> None:
    heads = tmp_path / "other-disk" / "heads"

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path / "data", heads_dir=heads)
        await append(store, 999)
        await append(store, 1)
        await append(store, 5)
        await store.close()
        await store.close()
        again = SqliteStore.open(tmp_path / "data", heads_dir=heads)
        await append(again, 1)
        await again.close()

    run(scenario)
    assert signed(heads) == [
        (1_000, "interval"),
        (1_005, "close"),
        (1_006, "interval"),
        (1_006, "close"),
    ]
    assert not (tmp_path / "data" / "heads").exists()
    assert (tmp_path / "data" / "log.key").stat().st_mode & 0o777 == 0o600


def test_a_quiet_log_is_signed_a_while_after_its_first_unsigned_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_keeper, "EVERY_S", 0.05)

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path)
        await append(store, 1)
        await append(store, 1)
        for _ in range(200):
            if signed(tmp_path / "heads"):
                break
            await asyncio.sleep(0.01)
        assert signed(tmp_path / "heads") == [(2, "interval")]
        await store.close()

    run(scenario)


def test_whoever_only_looks_signs_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore.open(tmp_path, sign=False)
        await append(store, 1_500)
        await store.close()

    run(scenario)
    assert not (tmp_path / "heads").exists()
    assert not (tmp_path / "log.key").exists()


@pytest.mark.parametrize("harm", ["no folder", "no key"])
def test_heads_that_cannot_be_written_stop_nobody(tmp_path: Path, harm: str) -> None:
    heads = tmp_path / "heads"
    if harm == "no folder":
        heads.write_text("a file stands here")
    else:
        (tmp_path / "log.key").write_text("no key")

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path, heads_dir=heads)
        await append(store, 1_500)
        assert store.head == 1_500
        await store.close()

    run(scenario)


def test_a_folder_that_hangs_holds_up_neither_commits_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = Event()
    monkeypatch.setattr(head_keeper, "append_head", lambda *_: hangs.wait(60))
    monkeypatch.setattr(head_keeper, "WRITE_MAX_S", 0.05)

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path)
        await append(store, 1_500)
        await append(store, 1_500)
        await store.close()
        # The folder of the log is let go of all the same.
        again = SqliteStore.open(tmp_path)
        assert again.head == 3_000
        await again.close()

    try:
        run(scenario)
        assert sum(one.name == "heads" for one in threading.enumerate()) <= 2
    finally:
        hangs.set()


def test_the_key_stays_the_same_over_starts(tmp_path: Path) -> None:
    first = HeadKey.read_or_make(tmp_path / "log.key")
    again = HeadKey.read_or_make(tmp_path / "log.key")
    assert first.key_id == again.key_id
    assert again.holds(b"text", first.sign(b"text"))
    assert not again.holds(b"other", first.sign(b"text"))


def test_a_key_that_is_gone_from_a_log_with_events_is_told_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Else whoever takes the key away has a forged log signed anew, and nobody hears of it."""

    async def scenario() -> None:
        store = SqliteStore.open(tmp_path)
        await append(store, 2)
        await store.close()
        again = SqliteStore.open(tmp_path)
        await again.close()
        assert caplog.records == [], "a first start and a usual one are no news"
        (tmp_path / "log.key").unlink()
        third = SqliteStore.open(tmp_path)
        await third.close()

    run(scenario)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "the log has 2 events and its key" in record.getMessage()
    assert (tmp_path / "log.key").exists()
