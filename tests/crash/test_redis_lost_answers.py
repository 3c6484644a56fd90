"""Answers and questions that get lost between the store and Redis: each append happens once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch.errors import StoreUnavailable
from dispatch.store.redis.scripts import APPEND
from dispatch.store.redis.store import RedisStore
from tests.appending import an_append, run, submit
from tests.redis_server import RedisServer, running_redis
from tests.redis_stores import open_redis
from tests.tcp_proxy import Harm, Proxy

pytestmark = pytest.mark.crash

AREA = "city"
TIMES = 100


@asynccontextmanager
async def store_behind_proxy(server: RedisServer) -> AsyncIterator[tuple[RedisStore, Proxy]]:
    async with Proxy(server.port, marked=APPEND.sha.encode()) as proxy:
        store = await open_redis(f"redis://127.0.0.1:{proxy.port}/0", AREA)
        try:
            yield store, proxy
        finally:
            await store.close()


def log_of(server: RedisServer) -> list[bytes]:
    entries = server.ask("XRANGE", f"kuaijing:{{{AREA}}}:events", "-", "+")
    assert isinstance(entries, list)
    return [fields[b"e"] for _, fields in entries]


@pytest.mark.parametrize("harm", ["swallow", "cut", "late"])
def test_each_command_is_carried_out_once(tmp_path: Path, harm: Harm) -> None:
    async def scenario() -> None:
        async with store_behind_proxy(server) as (store, proxy):
            for number in range(TIMES):
                proxy.harm_next(harm)
                await submit(store, an_append(store, b"%d" % number, key=f"k{number}"))
                assert store.head == number + 1
                assert not store.failing
            assert proxy.harmed == TIMES
            # Late copies have come in meanwhile, to no effect.
            await asyncio.sleep(0.2)
            assert log_of(server) == [b"%d" % number for number in range(TIMES)]
            for number in range(TIMES):
                assert await store.command(f"k{number}") is not None

    with running_redis(tmp_path) as server:
        run(scenario)


@pytest.mark.parametrize("harm", ["swallow", "cut", "late"])
def test_an_append_that_may_come_anywhere_comes_once(tmp_path: Path, harm: Harm) -> None:
    # Here no count of the log's head would stop a second copy.
    async def scenario() -> None:
        async with store_behind_proxy(server) as (store, proxy):
            append = an_append(store, b"x", seq=0)
            for number in range(TIMES):
                proxy.harm_next(harm)
                outcome = await store.append_if_untouched(append, [])
                assert (outcome.error, outcome.last_seq) == (None, number + 1)
            await asyncio.sleep(0.2)
            assert len(log_of(server)) == TIMES

    with running_redis(tmp_path) as server:
        run(scenario)


def test_a_batch_whose_answer_is_lost_time_and_again_is_carried_out_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with store_behind_proxy(server) as (store, proxy):
            proxy.harm_next("swallow", "cut", "late", "swallow")
            waits = [submit(store, an_append(store, b"%d" % n, seq=n)) for n in range(50)]
            doomed = submit(store, an_append(store, b"doomed", seq=7))
            results = await asyncio.gather(*waits, doomed, return_exceptions=True)
            # While the first batch was in doubt the server was away for whoever came after it.
            assert proxy.harmed == 4
            told = [None if error is None else type(error) for error in results]
            done = [b"%d" % n for n in range(50) if told[n] is None]
            assert log_of(server) == done
            assert len(done) >= 1
            assert told[-1] is not None

    with running_redis(tmp_path) as server:
        run(scenario)


def test_in_a_partition_those_who_come_are_refused_and_the_one_in_doubt_waits(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with store_behind_proxy(server) as (store, proxy):
            await submit(store, an_append(store, b"before"))
            proxy.stop_forwarding()
            in_doubt = submit(store, an_append(store, b"in doubt", key="k"))
            await until_failing(store)
            late = an_append(store, b"refused", seq=2)
            with pytest.raises(StoreUnavailable) as refused:
                await submit(store, late)
            assert refused.value.retry_after_s > 0
            with pytest.raises(StoreUnavailable):
                await store.probe()
            assert not in_doubt.done()
            proxy.forward_again()
            await in_doubt
            assert not store.failing
            await submit(store, replace(late, events=(b"after",)))
            assert log_of(server) == [b"before", b"in doubt", b"after"]

    with running_redis(tmp_path) as server:
        run(scenario)


def test_while_the_server_is_gone_those_who_come_are_refused_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await open_redis(server.url, AREA)
        await submit(store, an_append(store, b"before", key="k"))
        server.kill()
        waiting = [submit(store, an_append(store, b"%d" % n, seq=n)) for n in range(1, 4)]
        await until_failing(store)
        for _ in range(3):
            with pytest.raises(StoreUnavailable) as refused:
                async with asyncio.timeout(0.2):
                    await submit(store, an_append(store, b"refused", seq=4))
            assert refused.value.retry_after_s > 0
            with pytest.raises(StoreUnavailable):
                await store.command("k")
        await asyncio.to_thread(server.start)
        await asyncio.gather(*waiting)
        # It came back by itself, and nobody who was refused got in.
        await submit(store, an_append(store, b"after"))
        assert log_of(server) == [b"before", b"1", b"2", b"3", b"after"]
        assert await store.command("k") is not None
        await store.close()

    with running_redis(tmp_path) as server:
        run(scenario)


def test_a_writer_that_stops_in_a_partition_says_that_it_does_not_know(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with store_behind_proxy(server) as (store, proxy):
            proxy.stop_forwarding()
            in_doubt = submit(store, an_append(store, b"in doubt"))
            await until_failing(store)
            await store.close()
            error = in_doubt.exception()
            assert isinstance(error, StoreUnavailable)
            assert "not known" in str(error)
            assert "nothing was changed" not in str(error)

    with running_redis(tmp_path) as server:
        run(scenario)


async def until_failing(store: RedisStore) -> None:
    while not store.failing:  # noqa: ASYNC110 - the store tells nobody
        await asyncio.sleep(0.02)
