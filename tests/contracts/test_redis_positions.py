"""Positions between workers, over a real Redis server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from dispatch.errors import StoreUnavailable
from dispatch.store.redis.line import Address, Lines
from dispatch.whereabouts import shared_positions
from dispatch.whereabouts.positions import Fix, Positions
from dispatch.whereabouts.shared_positions import SharedPositions
from dispatch.words import UnitId, UnixMs
from tests.redis_server import RedisServer, running_redis
from tests.shell_town import START_MS, TestClock, run
from tests.tcp_proxy import Proxy

HEARD_WITHIN_S = 20.0
BOX = (111.0, 27.0, 112.0, 28.0)


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """A server that holds nothing; what is silent or away is noticed soon."""
    one_server.ask("FLUSHALL")
    one_server.ask("CONFIG", "RESETSTAT")
    monkeypatch.setattr(shared_positions, "KEEP_S", 0.2)
    monkeypatch.setattr(shared_positions, "PING_S", 0.3)
    monkeypatch.setattr(shared_positions, "PAUSE_S", 0.1)
    return one_server


class Worker:
    """The positions of one worker, and what it keeps in its history."""

    def __init__(self) -> None:
        self.history: list[tuple[Fix, bool]] = []
        units = [UnitId("P01-C1"), UnitId("P01-C2")]
        self.positions = Positions(
            units, bounds=BOX, keep=lambda fix, late: self.history.append((fix, late))
        )

    def send(self, *fixes: Fix) -> None:
        self.positions.accept(fixes, UnixMs(START_MS))


def a_fix(unit_id: str = "P01-C1", *, ago_s: float = 0.0, lon: float = 111.5) -> Fix:
    at_ms = UnixMs(START_MS - round(ago_s * 1000))
    return Fix(unit_id=UnitId(unit_id), lon=lon, lat=27.5, at_ms=at_ms, speed_mps=8.5)


@asynccontextmanager
async def sharing(port: int) -> AsyncIterator[Worker]:
    worker = Worker()
    address = Address(f"redis://127.0.0.1:{port}/0")
    shared = SharedPositions(address, "city", worker.positions, TestClock())
    await shared.begin()
    try:
        yield worker
    finally:
        await shared.stop()


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(HEARD_WITHIN_S):
        while not what():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def until_listening(server: RedisServer, listeners: int) -> None:
    def listening() -> bool:
        channel = "kuaijing:{city}:positions"
        return server.ask("PUBSUB", "NUMSUB", channel) == [channel.encode(), listeners]

    await until(listening)


def test_what_one_worker_takes_all_others_know_and_it_is_not_told_again(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with sharing(server.port) as one, sharing(server.port) as other:
            await until_listening(server, 2)
            fix = a_fix()
            one.send(fix)
            await until(lambda: other.positions.last.get(fix.unit_id) == fix)
            # A late one goes into the history there too, which whoever leads keeps.
            late = a_fix(ago_s=30.0, lon=111.501)
            one.send(late)
            await until(lambda: (late, True) in other.history)
            assert other.history == [(fix, False), (late, True)]
            assert one.history == [(fix, False), (late, True)]
            await asyncio.sleep(4 * shared_positions.GATHER_S)
            assert "'cmdstat_publish': {'calls': 2," in str(server.ask("INFO", "commandstats"))

    run(scenario)


def test_a_worker_that_starts_knows_where_units_are(server: RedisServer) -> None:
    async def scenario() -> None:
        fixes = [a_fix(), a_fix("P01-C2", lon=111.51)]
        async with sharing(server.port) as one:
            one.send(*fixes)
            await until(lambda: server.ask("HLEN", "kuaijing:{city}:last-fixes") == 2)
        # One write for all that moved: the server syncs each.
        calls = str(server.ask("INFO", "commandstats"))
        assert "'cmdstat_hset': {'calls': 1," in calls, calls
        async with sharing(server.port) as late:
            assert late.positions.last == {fix.unit_id: fix for fix in fixes}

    run(scenario)


def test_a_clock_far_ahead_is_known_to_all_and_its_fix_counts_nowhere(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with sharing(server.port) as one, sharing(server.port) as other:
            await until_listening(server, 2)
            ahead = a_fix(ago_s=-3_600.0)
            one.send(ahead)
            now_ms = UnixMs(START_MS)
            await until(lambda: other.positions.ahead_s(now_ms) == {ahead.unit_id: 3_600.0})
            assert not other.positions.last
            good = a_fix("P01-C2")
            one.send(good)
            await until(lambda: server.ask("HLEN", "kuaijing:{city}:last-fixes") == 1)
        # Whoever starts believes what is kept: the false fix is not among it.
        async with sharing(server.port) as late:
            assert late.positions.last == {good.unit_id: good}

    run(scenario)


def test_a_last_fix_that_could_not_be_kept_is_kept_later(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()
    ask = Lines.ask

    async def refusing(lines: Lines, *words: str | bytes) -> object:
        if words[0] == "HSET" and not refused.is_set():
            refused.set()
            raise StoreUnavailable("the server went away")
        return await ask(lines, *words)

    monkeypatch.setattr(Lines, "ask", refusing)

    async def scenario() -> None:
        async with sharing(server.port) as one:
            one.send(a_fix())
            await until(refused.is_set)
            await until(lambda: server.ask("HLEN", "kuaijing:{city}:last-fixes") == 1)

    run(scenario)


def test_a_defect_in_the_hearing_does_not_end_it(server: RedisServer) -> None:
    async def scenario() -> None:
        async with sharing(server.port) as one, sharing(server.port) as other:
            await until_listening(server, 2)
            met = asyncio.Event()

            def defect(_moved: object) -> None:
                if not met.is_set():
                    met.set()
                    raise ValueError("a defect")

            other.positions.on_change(defect)
            one.send(a_fix())
            await until(met.is_set)
            # What is told while it is opened anew may be missed; the next one is not.
            ago_s = count(10.0, -0.01)

            def heard() -> bool:
                one.send(a_fix("P01-C2", ago_s=next(ago_s)))
                return UnitId("P01-C2") in other.positions.last

            await until(heard)

    run(scenario)


def test_a_channel_that_was_cut_is_opened_again_and_what_was_missed_is_read(
    server: RedisServer,
) -> None:
    async def scenario() -> None:
        async with (
            Proxy(server.port, marked=b"never") as way,
            sharing(server.port) as one,
            sharing(way.port) as cut,
        ):
            await until_listening(server, 2)
            way.stop_forwarding()
            missed = a_fix()
            one.send(missed)
            # Long enough to give the channel up, with what was under way on it.
            await asyncio.sleep(4 * shared_positions.PING_S)
            assert not cut.positions.last
            way.forward_again()
            await until(lambda: cut.positions.last.get(missed.unit_id) == missed)
            news = a_fix("P01-C2")
            one.send(news)
            await until(lambda: cut.positions.last.get(news.unit_id) == news)

    run(scenario)


def test_a_server_that_is_away_stops_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(server.port) as one:
            server.kill()
            one.send(a_fix())
            assert one.positions.last
            await asyncio.to_thread(server.start)
            async with sharing(server.port) as other:
                await until_listening(server, 2)
                news = a_fix("P01-C2")
                one.send(news)
                await until(lambda: other.positions.last.get(news.unit_id) == news)

    with running_redis(tmp_path) as server:
        run(scenario)
