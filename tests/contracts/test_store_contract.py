"""The contract of a store: every adapter passes this suite, whatever it keeps its bytes in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from dispatch.errors import CommandKnown, LogMoved, StaleEpoch, StoreLocked
from dispatch.store import Append, ClosedQuery, Store, StoredSnapshot
from dispatch.store.sqlite import SqliteStore
from dispatch.words import UnixMs
from tests.appending import a_closed, a_command, an_append, run, submit
from tests.redis_server import RedisServer
from tests.redis_stores import open_redis

Open: TypeAlias = Callable[[Path], Awaitable[Store]]


@pytest.fixture(params=["redis", "sqlite"])
def open_store(request: pytest.FixtureRequest) -> Open:
    if request.param == "sqlite":
        return open_sqlite
    server: RedisServer = request.getfixturevalue("redis_server")
    return partial(open_an_area, server.url)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server; each test has an area of its own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


async def open_sqlite(folder: Path) -> Store:
    return SqliteStore.open(folder)


async def open_an_area(url: str, folder: Path) -> Store:
    return await open_redis(url, hashlib.sha256(bytes(folder)).hexdigest()[:16])


@asynccontextmanager
async def opened(open_store: Open, folder: Path) -> AsyncIterator[Store]:
    store = await open_store(folder)
    try:
        yield store
    finally:
        await store.close()


def note(order: list[int], seq: int, _done: object) -> None:
    order.append(seq)


def test_appended_events_are_numbered_from_one_without_gaps(
    open_store: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            assert store.head == 0
            await submit(store, an_append(store, b"a", b"b"))
            await submit(store, an_append(store, b"c"))
            assert store.head == 3
            entries = await store.read(0)
            assert [(entry.seq, entry.body) for entry in entries] == [
                (1, b"a"),
                (2, b"b"),
                (3, b"c"),
            ]
            assert [entry.seq for entry in await store.read(1, limit=1)] == [2]
            assert list(await store.read(3)) == []

    run(scenario)


def test_what_settled_is_there_after_reopening(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            await submit(store, an_append(store, b"a", key="k"))
            first_epoch = store.epoch
        async with opened(open_store, tmp_path) as store:
            assert store.head == 1
            assert store.epoch > first_epoch
            assert [entry.body for entry in await store.read(0)] == [b"a"]
            command = await store.command("k")
            assert command == a_command("k")

    run(scenario)


def test_a_decision_on_an_old_board_is_refused_and_leaves_nothing(
    open_store: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            await submit(store, an_append(store, b"a"))
            with pytest.raises(LogMoved):
                await submit(store, an_append(store, b"x", seq=0, key="x"))
            with pytest.raises(LogMoved):
                await submit(store, an_append(store, b"x", seq=5))
            assert store.head == 1
            assert await store.command("x") is None

    run(scenario)


def test_a_writer_of_an_older_epoch_is_refused(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            append = Append(expected_seq=0, epoch=store.epoch - 1, events=(b"x",))
            with pytest.raises(StaleEpoch):
                await submit(store, append)
            assert store.head == 0

    run(scenario)


def test_appends_settle_in_the_order_they_were_handed_in(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        order: list[int] = []
        async with opened(open_store, tmp_path) as store:
            waits = []
            for seq in range(500):
                done = submit(store, an_append(store, b"e%d" % seq, seq=seq))
                done.add_done_callback(partial(note, order, seq))
                waits.append(done)
            await asyncio.gather(*waits)
            await asyncio.sleep(0)
            assert order == list(range(500))
            assert [entry.body for entry in await store.read(0)] == [
                b"e%d" % seq for seq in range(500)
            ]

    run(scenario)


def test_a_refused_append_stops_those_built_on_it_and_no_others(
    open_store: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            good = submit(store, an_append(store, b"a", seq=0))
            doomed = submit(store, an_append(store, b"b", b"c", seq=7))
            built_on_it = submit(store, an_append(store, b"d", seq=9))
            fresh = submit(store, an_append(store, b"e", seq=1))
            results = await asyncio.gather(good, doomed, built_on_it, fresh, return_exceptions=True)
            assert [type(result) for result in results] == [
                type(None),
                LogMoved,
                LogMoved,
                type(None),
            ]
            assert [entry.body for entry in await store.read(0)] == [b"a", b"e"]

    run(scenario)


def test_a_known_command_is_not_carried_out_again(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            await submit(store, an_append(store, b"a", key="k"))
            before = submit(store, an_append(store, b"b", seq=1, key="before"))
            again = submit(store, an_append(store, b"again", seq=2, key="k"))
            results = await asyncio.gather(before, again, return_exceptions=True)
            assert [type(result) for result in results] == [type(None), CommandKnown]
            assert [entry.body for entry in await store.read(0)] == [b"a", b"b"]
            # The store goes on as if nothing had been.
            await submit(store, an_append(store, b"c", key="after"))
            assert store.head == 3

    run(scenario)


def test_a_command_without_events_keeps_its_answer(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            await submit(store, an_append(store, key="nothing-to-do"))
            assert store.head == 0
            command = await store.command("nothing-to-do")
            assert command is not None
            assert command.reply.status == 201
            assert command.reply.headers == (("ETag", '"1"'),)

    run(scenario)


def test_old_commands_are_forgotten_and_young_ones_kept(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            for at_ms in (1, 2, 3, 10):
                command = a_command(f"k{at_ms}", at_ms=at_ms)
                await submit(
                    store, Append(expected_seq=0, epoch=store.epoch, events=(), command=command)
                )
            assert await store.forget_commands(UnixMs(3)) == 2
            assert await store.forget_commands(UnixMs(3)) == 0
            kept = [key for key in ("k1", "k2", "k3", "k10") if await store.command(key)]
            assert kept == ["k3", "k10"]
            assert await store.forget_commands(UnixMs(100)) == 2

    run(scenario)


def test_closed_incidents_are_found_by_id_and_by_assignment(
    open_store: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            row = a_closed(1, assignment_ids=("A000001", "A000002"))
            await submit(
                store, Append(expected_seq=0, epoch=store.epoch, events=(b"e",), closed=(row,))
            )
            assert await store.closed("I000001") == b"closed 1"
            assert await store.closed_of_assignment("A000002") == b"closed 1"
            assert await store.closed("I000002") is None
            assert await store.closed_of_assignment("A000009") is None
            changed = a_closed(1, body=b"a late stamp")
            await submit(
                store, Append(expected_seq=1, epoch=store.epoch, events=(b"f",), closed=(changed,))
            )
            assert await store.closed("I000001") == b"a late stamp"
            await submit(
                store,
                Append(expected_seq=2, epoch=store.epoch, events=(b"g",), reopened=("I000001",)),
            )
            assert await store.closed("I000001") is None
            assert await store.closed_of_assignment("A000001") is None

    run(scenario)


def test_history_is_listed_newest_first_by_page_and_filter(
    open_store: Open, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            rows = (
                a_closed(1),
                a_closed(2, category="dispute"),
                a_closed(3, received_at_ms=UnixMs(2_000), status="cancelled"),
                a_closed(4, platform_id=None),
            )
            await submit(
                store, Append(expected_seq=0, epoch=store.epoch, events=(b"e",), closed=rows)
            )

            async def numbers(**wanted: object) -> list[int]:
                bodies = await store.list_closed(ClosedQuery(**wanted))  # type: ignore[arg-type]
                return [int(body.split()[-1]) for body in bodies]

            assert await numbers() == [4, 3, 2, 1]
            assert await numbers(limit=2) == [4, 3]
            assert await numbers(before=(UnixMs(2_000), "I000003")) == [2, 1]
            assert await numbers(statuses=("cancelled", "merged")) == [3]
            assert await numbers(category="dispute") == [2]
            assert await numbers(platform_id="P01") == [3, 2, 1]
            assert await numbers(since_ms=UnixMs(2_000), until_ms=UnixMs(4_000)) == [3, 2]

    run(scenario)


def test_the_newest_snapshots_are_kept(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            assert list(await store.snapshots()) == []
            for seq in (10, 20, 30):
                await store.save_snapshot(StoredSnapshot(seq=seq, body=b"board %d" % seq))
            assert [snapshot.seq for snapshot in await store.snapshots()] == [30, 20]
            assert (await store.snapshots())[0].body == b"board 30"

    run(scenario)


def test_a_second_writer_on_the_same_folder_is_refused(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path):
            with pytest.raises(StoreLocked, match="another service"):
                await open_store(tmp_path)
        async with opened(open_store, tmp_path):
            pass

    run(scenario)


def test_closing_finishes_what_was_handed_in(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_store(tmp_path)
        waits = [submit(store, an_append(store, b"e", seq=seq)) for seq in range(200)]
        await store.close()
        await asyncio.gather(*waits)
        async with opened(open_store, tmp_path) as again:
            assert again.head == 200

    run(scenario)


def test_a_probe_writes_nothing_into_the_log(open_store: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(open_store, tmp_path) as store:
            await store.probe()
            assert store.head == 0
            assert not store.failing

    run(scenario)
