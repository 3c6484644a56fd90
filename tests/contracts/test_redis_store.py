"""What the store on Redis does beyond the contract of all stores, on a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from dispatch.errors import (
    CommandKnown,
    LogDamaged,
    LogFormatUnknown,
    LogMoved,
    OutcomeUnknown,
    StaleEpoch,
    StoreLocked,
    StoreUnavailable,
)
from dispatch.store import Append, ClosedQuery, Store, StoredSnapshot
from dispatch.store.redis import commit_queue, reading
from dispatch.store.redis import store as redis_store
from dispatch.store.redis.line import Address, LineBroken
from dispatch.store.redis.store import RedisStore
from dispatch.store.redis.tail import RedisTail
from dispatch.store.sqlite import SqliteStore
from dispatch.words import UnixMs
from tests.appending import a_closed, a_command, an_append, run, submit
from tests.redis_server import RedisServer, running_redis
from tests.redis_stores import open_redis

AREA = "city"


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> RedisServer:
    """A server that holds nothing."""
    one_server.ask("FLUSHALL")
    return one_server


@asynccontextmanager
async def opened(server: RedisServer, area: str = AREA) -> AsyncIterator[RedisStore]:
    store = await open_redis(server.url, area)
    try:
        yield store
    finally:
        await store.close()


def key(name: str, area: str = AREA) -> str:
    return f"kuaijing:{{{area}}}:{name}"


def test_areas_have_logs_of_their_own(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server, "city") as city, opened(server, "wugang") as county:
            await submit(city, an_append(city, b"in the city"))
            assert county.head == 0
            await submit(county, an_append(county, b"in the county"))
            assert [one.body for one in await county.read(0)] == [b"in the county"]

    run(scenario)


@pytest.mark.parametrize("area", ["", "City", "a}b", "a b", "x" * 65])
def test_an_area_whose_name_cannot_stand_in_a_key_is_refused(
    server: RedisServer, area: str
) -> None:
    with pytest.raises(ValueError, match="cannot be an area's name"):
        asyncio.run(open_redis(server.url, area))


def test_a_writer_whose_turn_is_over_is_refused_although_its_head_fits(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with opened(server) as old:
            await submit(old, an_append(old, b"a"))
            # The lease is gone and somebody else has taken it; the old one has not noticed.
            server.ask("DEL", key("leader"))
            async with opened(server) as new:
                assert new.epoch == old.epoch + 1
                with pytest.raises(StaleEpoch):
                    await submit(old, an_append(old, b"late", key="k"))
                assert await new.command("k") is None
                assert [one.body for one in await new.read(0)] == [b"a"]
                # From now on it refuses by itself, and keeps nothing else either.
                for _ in range(2):
                    with pytest.raises(StaleEpoch):
                        await submit(old, an_append(old, b"late"))
                with pytest.raises(StoreUnavailable, match="replaced"):
                    await old.save_snapshot(StoredSnapshot(seq=1, body=b"old"))
                with pytest.raises(StoreUnavailable, match="replaced"):
                    await old.probe()
                await submit(new, an_append(new, b"b"))
            # Its end does not take the lease from whoever has it.
        async with opened(server) as again:
            assert again.head == 2

    run(scenario)


def test_a_leader_learns_of_its_succession_without_writing(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as old:
            server.ask("DEL", key("leader"))
            async with opened(server):
                # By the next renewal, within a second or so.
                while not old.failing:  # noqa: ASYNC110 - the store tells nobody
                    await asyncio.sleep(0.05)
                with pytest.raises(StoreUnavailable, match="replaced"):
                    await old.probe()

    run(scenario)


def test_the_lease_of_a_killed_leader_runs_out(server: RedisServer) -> None:
    async def scenario() -> None:
        server.ask("SET", key("leader"), "somebody who is dead", "PX", 700)
        began = time.monotonic()
        async with opened(server):
            assert time.monotonic() - began > 0.5

    run(scenario)


def test_a_lease_that_never_ends_is_not_waited_for(server: RedisServer) -> None:
    async def scenario() -> None:
        server.ask("SET", key("leader"), "by hand")
        with pytest.raises(StoreLocked, match="area city"):
            async with opened(server):
                pass

    run(scenario)


def test_a_leader_whose_lease_ran_out_goes_on_when_nobody_took_it(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            server.ask("DEL", key("leader"))
            await submit(store, an_append(store, b"a"))
            # Renewed within a second or so: nobody else gets in then.
            while not server.ask("EXISTS", key("leader")):  # noqa: ASYNC110 - nor the server
                await asyncio.sleep(0.05)
            with pytest.raises(StoreLocked):
                async with opened(server):
                    pass

    run(scenario)


def test_a_known_command_brings_its_old_answer(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"a", key="k"))
            outcome = await store.append_if_untouched(an_append(store, b"b", key="k"), ["U1"])
            assert isinstance(outcome.error, CommandKnown)
            assert outcome.answer == a_command("k")
            assert store.head == 1

    run(scenario)


def test_who_names_what_it_touches_is_refused_only_where_that_has_changed(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"a", b"b"))
            seen = Append(expected_seq=2, epoch=store.epoch, events=(b"x", b"y"))
            first = await store.append_if_untouched(seen, ["U1"])
            other = await store.append_if_untouched(seen, ["U2", "U3"])
            again = await store.append_if_untouched(seen, ["U1"])
            mixed = await store.append_if_untouched(seen, ["U4", "U3"])
            assert (first.error, first.last_seq) == (None, 4)
            assert (other.error, other.last_seq) == (None, 6)
            assert isinstance(again.error, LogMoved)
            assert again.error.head == 4
            assert isinstance(mixed.error, LogMoved)
            later = await store.append_if_untouched(replace(seen, expected_seq=4), ["U1"])
            assert (later.error, later.last_seq) == (None, 8)
            ahead = await store.append_if_untouched(replace(seen, expected_seq=9), ["U9"])
            assert isinstance(ahead.error, LogMoved)
            # An append that does not say what it touches may have touched anything.
            await submit(store, an_append(store, b"whatever"))
            unsure = await store.append_if_untouched(replace(seen, expected_seq=8), ["U9"])
            assert isinstance(unsure.error, LogMoved)
            assert store.head == 9

    run(scenario)


def test_two_that_want_the_same_unit_at_once_are_not_both_served(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            seen = Append(expected_seq=0, epoch=store.epoch, events=(b"x",))
            for number in range(50):
                at_once = [store.append_if_untouched(seen, [f"U{number}"]) for _ in range(4)]
                outcomes = await asyncio.gather(*at_once)
                assert sum(one.error is None for one in outcomes) == 1

    run(scenario)


def test_history_is_the_same_as_on_sqlite_whatever_is_asked(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LIST_STRIDE", 100)
    chance = Random(7)
    rows = [
        a_closed(
            number,
            incident_id=f"I{chance.randrange(10**6):06d}-{number}",
            # Few milliseconds, so that many rows share one.
            received_at_ms=UnixMs(1_700_000_000_000 + chance.randrange(60)),
            status=chance.choice(["closed", "cancelled", "merged"]),
            category=chance.choice(["traffic", "dispute", "求助"]),
            platform_id=chance.choice(["P01", "P02", None]),
            body=b"\x00\xff%d" % number,
        )
        for number in range(1_000)
    ]

    def a_query() -> ClosedQuery:
        def perhaps(value: object) -> object:
            return value if chance.random() < 0.4 else None

        moment = UnixMs(1_700_000_000_000 + chance.randrange(60))
        row = chance.choice(rows)
        return ClosedQuery(
            statuses=tuple(chance.sample(["closed", "merged", "x"], chance.randrange(3))),
            category=perhaps("求助"),  # type: ignore[arg-type]
            platform_id=perhaps("P02"),  # type: ignore[arg-type]
            since_ms=perhaps(moment - 20),  # type: ignore[arg-type]
            until_ms=perhaps(moment),  # type: ignore[arg-type]
            before=perhaps((row.received_at_ms, row.incident_id)),  # type: ignore[arg-type]
            limit=chance.choice([1, 7, 100, 5_000]),
        )

    async def scenario() -> None:
        sqlite: Store = SqliteStore.open(tmp_path)
        async with opened(server) as store:
            for one in (store, sqlite):
                append = Append(expected_seq=0, epoch=one.epoch, events=(b"e",), closed=tuple(rows))
                await submit(one, append)
            found = 0
            for _ in range(150):
                query = a_query()
                wanted = await sqlite.list_closed(query)
                assert list(await store.list_closed(query)) == list(wanted), query
                found += len(wanted)
            assert found > 1_000
        await sqlite.close()

    run(scenario)


def test_commands_are_forgotten_in_portions(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "FORGET_AT_ONCE", 3)

    async def scenario() -> None:
        async with opened(server) as store:
            waits = [submit(store, an_append(store, key=f"k{number}")) for number in range(19)]
            await asyncio.gather(*waits)
            forgotten = [await store.forget_commands(UnixMs(2_000)) for _ in range(3)]
            assert forgotten == [12, 7, 0]
            assert server.ask("EXISTS", key("commands"), key("command-times")) == 0

    run(scenario)


def test_the_tail_brings_events_as_they_come(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1", b"2"))
            tail = RedisTail(Address(server.url), AREA)
            followed = tail.follow(1)
            assert [one.body for one in await anext(followed)] == [b"2"]
            news = asyncio.ensure_future(anext(followed))
            # Longer than one question is held.
            await asyncio.sleep(1.3)
            assert not news.done()
            await submit(store, an_append(store, b"3", b"4"))
            assert [(one.seq, one.body) for one in await news] == [(3, b"3"), (4, b"4")]
            await tail.close()

    run(scenario)


def test_the_tail_lives_through_a_restart_and_notices_another_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_redis(server.url, AREA)
        await submit(store, an_append(store, b"1"))
        tail = RedisTail(Address(server.url), AREA)
        followed = tail.follow(0)
        assert len(await anext(followed)) == 1
        news = asyncio.ensure_future(anext(followed))
        server.kill()
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.start)
        await submit(store, an_append(store, b"2"))
        assert [one.body for one in await news] == [b"2"]
        lost = asyncio.ensure_future(anext(followed))
        server.ask("FLUSHALL")
        server.kill()
        await asyncio.to_thread(server.start)
        with pytest.raises(LogDamaged, match="events up to 2 were read"):
            await lost
        await tail.close()
        await store.close()

    with running_redis(tmp_path) as server:
        run(scenario)


def test_a_gap_in_the_log_is_found_at_the_start_and_by_whoever_reads_over_it(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1", b"2", b"3", b"4"))
            server.ask("XDEL", key("events"), "2-0")
            with pytest.raises(LogDamaged, match="entry 2"):
                await store.read(0)
            assert [one.seq for one in await store.read(2)] == [3, 4]
        with pytest.raises(LogDamaged, match="3 entries from 1-0 to 4-0"):
            await open_redis(server.url, AREA)

    run(scenario)


def test_keys_of_another_version_are_refused(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server):
            pass
        server.ask("HSET", key("meta"), "format", "2")
        with pytest.raises(LogFormatUnknown, match="has format 2"):
            await open_redis(server.url, AREA)

    run(scenario)


def test_a_server_that_has_less_than_was_recorded_is_not_started_on(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        store = await open_redis(server.url, AREA, folder=tmp_path)
        await submit(store, an_append(store, b"1", b"2"))
        with pytest.raises(StoreLocked, match="another --data"):
            await open_redis(server.url, "wugang", folder=tmp_path)
        await store.close()
        server.ask("FLUSHALL")
        with pytest.raises(LogDamaged, match="events up to 2 were recorded and the log ends at 0"):
            await open_redis(server.url, AREA, folder=tmp_path)
        # Refused, it holds nothing back: another area of the same folder is another log.
        other = await open_redis(server.url, "wugang", folder=tmp_path)
        await other.close()

    run(scenario)


def test_full_memory_refuses_and_resumes(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1"))
            server.ask("CONFIG", "SET", "maxmemory", "100kb")
            try:
                with pytest.raises(StoreUnavailable, match="memory"):
                    await submit(store, an_append(store, b"refused", key="k"))
                assert store.failing
                with pytest.raises(StoreUnavailable):
                    await store.probe()
                # Reading goes on.
                assert len(await store.read(0)) == 1
            finally:
                server.ask("CONFIG", "SET", "maxmemory", "0")
            await store.probe()
            assert not store.failing
            await submit(store, an_append(store, b"2"))
            assert [one.body for one in await store.read(0)] == [b"1", b"2"]
            assert await store.command("k") is None

    run(scenario)


def test_a_log_that_was_emptied_from_outside_is_not_written_to(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1"))
            server.ask("FLUSHALL")
            with pytest.raises(OutcomeUnknown):
                await submit(store, an_append(store, b"2"))
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="changed from outside"):
                    await submit(store, an_append(store, b"3"))
            assert server.ask("DBSIZE") == 0

    run(scenario)


def test_a_script_that_stumbles_over_a_strange_key_ends_the_writing(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            server.ask("SET", key("events"), "not a stream")
            with pytest.raises(OutcomeUnknown, match="WRONGTYPE"):
                await submit(store, an_append(store, b"1"))
            with pytest.raises(StoreUnavailable, match="changed from outside"):
                await submit(store, an_append(store, b"2"))

    run(scenario)


def test_a_defect_of_the_writer_leaves_nobody_waiting(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1"))
            # What no server says: the outcome of an append that nobody made.
            monkeypatch.setattr(commit_queue, "outcomes_of", lambda *_: 1 / 0)
            with pytest.raises(OutcomeUnknown, match="ZeroDivisionError"):
                await submit(store, an_append(store, b"2"))
            with pytest.raises(StoreUnavailable, match="restart the service"):
                await submit(store, an_append(store, b"3"))
            assert store.failing

    run(scenario)


def test_the_scripts_come_back_after_the_server_forgot_them(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            await submit(store, an_append(store, b"1"))
            server.ask("SCRIPT", "FLUSH")
            await submit(store, an_append(store, b"2"))
            assert store.head == 2

    run(scenario)


def test_who_goes_away_takes_back_its_wait_and_not_the_append(server: RedisServer) -> None:
    async def scenario() -> None:
        async with opened(server) as store:
            append = an_append(store, b"1")
            wait = asyncio.ensure_future(store.append_if_untouched(append, []))
            await asyncio.sleep(0)
            wait.cancel()
            # A cancelled question does not leave its answer to the next one on that line.
            reading_ = asyncio.ensure_future(store.read(0))
            await asyncio.sleep(0.0005)
            reading_.cancel()
            await submit(store, an_append(store, b"2", seq=1))
            assert [one.body for one in await store.read(0)] == [b"1", b"2"]
            assert await store.command("none") is None

    run(scenario)


def test_a_line_that_broke_is_not_mended_behind_our_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        line = await Address(server.url).connect()
        assert await line.ask("PING") == b"PONG"
        server.kill()
        with pytest.raises(LineBroken):
            await line.ask("PING")
        await asyncio.to_thread(server.start)
        # What stands there now may be another server, with other settings and another log.
        with pytest.raises(LineBroken):
            await line.ask("SET", "written", "unseen")
        assert server.ask("EXISTS", "written") == 0

    with running_redis(tmp_path) as server:
        run(scenario)
