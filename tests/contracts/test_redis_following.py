"""Dispatchers that share a log on a real Redis server: one decides, the others follow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch.errors import CursorExpired, LogDamaged, OutcomeUnknown, StaleEpoch, StoreUnavailable
from dispatch.questions import CloseRoad, Recommend
from dispatch.rules import Rules
from dispatch.runner import Runner
from dispatch.running import following as following_module
from dispatch.running.ground import OnCommit
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address
from dispatch.store.redis.shared import SharedStore
from dispatch.store.redis.store import RedisPlace
from dispatch.store.redis.tail import RedisTail
from tests.appending import an_append, submit
from tests.redis_server import RedisServer, running_redis
from tests.shell_town import TestClock, a_call, make_city, make_roads, ok, place_at, run
from tests.tcp_proxy import Proxy

AREA = "city"
LEADS_WITHIN_S = 10.0
"""Generous: a lease of 3 s has to run out, on a machine with other work."""


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> RedisServer:
    """A server that holds nothing."""
    one_server.ask("FLUSHALL")
    return one_server


def place(url: str, folder: Path | None = None, *, doubt_s: float = 8.0) -> RedisPlace:
    return RedisPlace(Address(url), AreaKeys(AREA), folder=folder, doubt_s=doubt_s)


@asynccontextmanager
async def worker(
    where: RedisPlace, folder: Path, *, peer: str = "http://127.0.0.1:1", begin: bool = True
) -> AsyncIterator[Runner]:
    """A dispatcher on the shared log; with its clock in nobody's hand."""

    async def opened(on_commit: OnCommit | None) -> SharedStore:
        return await SharedStore.open(where, peer=peer, on_commit=on_commit)

    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    runner = await Runner.open(
        folder,
        city=make_city(),
        roads=make_roads(),
        rules=Rules(),
        now_ms=TestClock(),
        timers=False,
        open_store=opened,
    )
    assert runner.following is not None
    try:
        if begin:
            runner.following.begin()
        yield runner
    finally:
        await runner.close()


@pytest.fixture(autouse=True)
def _reached_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_module, "REACH_S", 2.0)


async def until(what: Callable[[], bool], *, within_s: float = LEADS_WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not what():  # noqa: ASYNC110 - a follower tells nobody
            await asyncio.sleep(0.02)


async def report(runner: Runner, **more: object) -> None:
    await runner.ask(a_call(**more), actor="desk", answer=ok)  # type: ignore[arg-type]


def test_what_one_decides_the_others_show_and_wake_their_readers(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            leader = await enter(worker(place(server.url), tmp_path / "a"))
            await until(lambda: leader.leads)
            await report(leader)
            follower = await enter(worker(place(server.url), tmp_path / "b"))
            # It begins with what was there, and goes on with what comes.
            assert follower.board.incidents == leader.board.incidents
            waiting = asyncio.ensure_future(follower.tail.wait_after(follower.durable_seq, 10.0))
            await report(leader, east_m=900.0)
            assert await waiting
            await until(lambda: follower.durable_seq == leader.durable_seq)
            assert follower.board == leader.board
            here, there = await leader.read_events(0), await follower.read_events(0)
            assert [one.body for one in there] == [one.body for one in here]
            # Whom would it send? The same, though it decides nothing.
            asked = Recommend(location=place_at(300.0, 0.0))
            chosen = [
                one.recommend(asked, actor="desk").decision.recommendation
                for one in (leader, follower)
            ]
            assert chosen[0] == chosen[1]
            with pytest.raises(StoreUnavailable, match="follows"):
                await report(follower)
            follower.tick()
            await until(lambda: follower.following is not None and not follower.following.lack)
            assert follower.following is not None
            assert follower.following.leader is not None
            assert follower.following.leader.peer == "http://127.0.0.1:1"
            await follower.check_writable()
            # Of one folder's workers, whoever leads keeps the history of positions.
            await until((tmp_path / "a" / "positions.db").exists)
            assert not (tmp_path / "b" / "positions.db").exists()

    run(scenario)


def test_a_feed_is_read_on_at_another_worker(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            leader = await enter(worker(place(server.url), tmp_path / "a"))
            await until(lambda: leader.leads)
            follower = await enter(worker(place(server.url), tmp_path / "b"))
            for _ in range(5):
                await report(leader)
                # Not shown here yet: waited for, and no reason to begin anew.
                assert await follower.read_events(leader.durable_seq) == []
                assert follower.durable_seq == leader.durable_seq
            with pytest.raises(CursorExpired):
                await follower.read_events(leader.durable_seq + 1_000)

    run(scenario)


def test_a_cursor_that_nobody_can_have_is_refused_without_a_wait(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "REACH_S", 3_600.0)

    async def scenario() -> None:
        async with worker(place(server.url), tmp_path / "a", begin=False) as follower:
            async with asyncio.timeout(LEADS_WITHIN_S):
                with pytest.raises(CursorExpired):
                    await follower.read_events(10**12)

    run(scenario)


def test_when_the_leader_goes_another_goes_on_and_nothing_is_lost(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with worker(place(server.url), tmp_path / "b") as second:
            await until(lambda: second.leads)
            async with worker(place(server.url), tmp_path / "a") as first:
                await report(second)
                await until(lambda: first.durable_seq == second.durable_seq)
                await second.close()
                began = time.monotonic()
                await until(lambda: first.leads)
                # It gave up the lease: nobody waited for its end.
                assert time.monotonic() - began < LEADS_WITHIN_S / 2
                await report(first, east_m=900.0)
                assert len(first.board.incidents) == 2

    run(scenario)


def test_a_leader_that_was_deposed_is_refused_and_ends(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            old = await enter(worker(place(server.url), tmp_path / "a"))
            await until(lambda: old.leads)
            new = await enter(worker(place(server.url), tmp_path / "b"))
            server.ask("DEL", f"kuaijing:{{{AREA}}}:leader")
            await until(lambda: new.leads)
            with pytest.raises(StoreUnavailable):
                await report(old)
            assert old.following is not None
            await asyncio.wait_for(old.following.ended.wait(), LEADS_WITHIN_S)
            assert "replaced" in old.following.why
            assert old.following.lack == "feed_behind"
            await report(new)
            assert len(new.board.incidents) == 1

    run(scenario)


def test_the_epoch_holds_off_a_leader_although_its_board_is_the_logs_end(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        old = await SharedStore.open(place(server.url), peer="")
        new = await SharedStore.open(place(server.url), peer="")
        try:
            assert await old.take_lead() == 0
            server.ask("DEL", f"kuaijing:{{{AREA}}}:leader")
            assert await new.take_lead() == 0
            with pytest.raises(StaleEpoch):
                await submit(old, an_append(old, b"late"))
            await submit(new, an_append(new, b"a"))
            assert [one.body for one in await new.read(0)] == [b"a"]
            assert "replaced" in await old.ended
        finally:
            await old.close()
            await new.close()

    run(scenario)


def test_a_leader_that_cannot_tell_what_came_of_a_batch_ends_within_its_bound(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with Proxy(server.port, marked=b"EVALSHA") as proxy:
            url = f"redis://127.0.0.1:{proxy.port}/0"
            store = await SharedStore.open(place(url, doubt_s=0.5), peer="")
            try:
                await store.take_lead()
                await submit(store, an_append(store, b"a"))
                proxy.stop_forwarding()
                began = time.monotonic()
                with pytest.raises(OutcomeUnknown, match="could not be found out in"):
                    await submit(store, an_append(store, b"b"))
                assert time.monotonic() - began < LEADS_WITHIN_S
                await store.ended
            finally:
                await store.close()

    run(scenario)


def test_a_follower_that_does_not_hear_of_the_log_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log says at least once a second where it ends.
    monkeypatch.setattr(following_module, "FRESH_S", 1.5)

    async def scenario() -> None:
        server.ask("SET", f"kuaijing:{{{AREA}}}:leader", "0f http://127.0.0.1:1", "PX", 60_000)
        async with worker(place(server.url), tmp_path / "a") as follower:
            assert follower.following is not None
            following = follower.following
            await until(lambda: following.lack is None)
            await follower.check_writable()
            server.kill()
            await until(lambda: following.lack == "feed_behind")
            with pytest.raises(StoreUnavailable, match="does not follow the log"):
                await follower.check_writable()

    with running_redis(tmp_path / "redis") as server:
        run(scenario)


def test_closed_roads_are_closed_at_a_follower_too(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            leader = await enter(worker(place(server.url), tmp_path / "a"))
            await until(lambda: leader.leads)
            follower = await enter(worker(place(server.url), tmp_path / "b"))
            await leader.ask(CloseRoad(arcs=(0, 1), reason="桥面事故"), actor="desk", answer=ok)
            await until(lambda: follower.durable_seq == leader.durable_seq)
            shut = follower.roads.roads.effective_conditions.closures
            assert [one.arcs for one in shut] == [(0, 1)]

    run(scenario)


def test_a_server_that_has_less_than_was_followed_is_not_gone_on_with(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        where = place(server.url, tmp_path / "a")
        async with worker(where, tmp_path / "a") as leader:
            await until(lambda: leader.leads)
            await report(leader)
        server.ask("FLUSHALL")
        with pytest.raises(LogDamaged, match="were recorded and the log ends at 0"):
            await SharedStore.open(where, peer="")
        other = await SharedStore.open(replace(where, folder=tmp_path / "b"), peer="")
        await other.close()

    run(scenario)


def test_a_line_over_which_the_log_could_not_be_looked_at_is_not_followed(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with worker(place(server.url), tmp_path / "a") as leader:
            await until(lambda: leader.leads)
            await report(leader)
            end = leader.durable_seq
        meta = f"kuaijing:{{{AREA}}}:meta"
        log_id = server.ask("HGET", meta, "log_id")
        server.ask("DEL", meta)
        server.ask("SET", meta, "not what is asked for")
        tail = RedisTail(Address(server.url), AREA)
        try:
            news = asyncio.create_task(anext(tail.follow(end)))
            await until(lambda: tail.failing)
            # By now it is a log that ends earlier.
            server.ask("DEL", meta)
            server.ask("HSET", meta, "log_id", log_id, "head", end - 1)
            with pytest.raises(LogDamaged, match="events up to"):
                await asyncio.wait_for(news, LEADS_WITHIN_S)
        finally:
            await tail.close()

    run(scenario)
