"""A real Redis server under load, killed, stopped, cut off from power, emptied: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from dispatch.store import LogEntry, StoredCommand
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address, Lines
from dispatch.store.redis.reading import RedisReader
from tests.crash.writer_process import Running, check, name_of, writing
from tests.redis_server import RedisServer, running_redis

pytestmark = pytest.mark.crash

AREA = "city"
HERE = Path(__file__).parent
LONG = bool(os.environ.get("KUAIJING_LONG"))
KILLS = 50 if LONG else 6
PAUSES = 10 if LONG else 1
CUTS = 20 if LONG else 3
UNSYNCED = ("--appendonly yes", "--appendfsync everysec", "--maxmemory-policy noeviction")


def found_in(server: RedisServer) -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
    """All events of the log, and the commands that its events speak of."""

    async def read() -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
        lines = Lines(Address(server.url))
        reader = RedisReader(lines, AreaKeys(AREA))
        try:
            entries: list[LogEntry] = []
            while page := await reader.read(len(entries)):
                entries.extend(page)
            names = {name_of(entry) for entry in entries}
            return entries, {name: await reader.command(name) for name in names}
        finally:
            await lines.close()

    return asyncio.run(read())


def refusals(running: Running) -> set[str]:
    return {line for line in list(running.lines) if line.startswith("refused")}


def test_kill_9_of_the_server_loses_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20_181_101)
    with running_redis(tmp_path) as server:
        # One writer lives through all of it and goes on by itself each time.
        with writing(server.url, AREA) as running:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.0, 0.3))
                server.kill()
                time.sleep(chance.uniform(0.0, 0.3))
                server.start()
                running.wait_for("ack", 10)
        assert refusals(running) <= {"refused StoreUnavailable", "refused LogMoved"}
        check(*found_in(server), running.acknowledged())


def test_a_server_that_stands_still_holds_up_and_doubles_nothing(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        with writing(server.url, AREA) as running:
            for _ in range(PAUSES):
                running.wait_for("ack", 20)
                server.pause()
                # Longer than the lease: nobody else has taken the lead, so that it goes on.
                time.sleep(5)
                server.resume()
                running.wait_for("ack", 20)
        assert refusals(running) <= {"refused StoreUnavailable", "refused LogMoved"}
        check(*found_in(server), running.acknowledged())


def test_a_leader_that_slept_through_its_succession_is_refused(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        with writing(server.url, AREA) as old:
            old.wait_for("ack", 20)
            old.process.send_signal(signal.SIGSTOP)
            with writing(server.url, AREA) as new:
                new.wait_for("ack", 20)
                old.process.send_signal(signal.SIGCONT)
                old.wait_for("refused StaleEpoch", 5)
                acknowledged = old.count("ack")
                new.wait_for("ack", 20)
                old.wait_for("refused StaleEpoch", 5)
                assert old.count("ack") == acknowledged
        check(*found_in(server), old.acknowledged() | new.acknowledged())


@pytest.fixture(scope="session")
def sync_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: the power cut of a Redis server left out")
    library = tmp_path_factory.mktemp("shim") / "sync_shim.so"
    source = str(HERE / "sync_shim.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"],
        check=True,
        timeout=60,
    )
    return library


def cut_power(server: RedisServer, synced: Path) -> None:
    """Kill the server and take from its log what was never synced."""
    server.kill()
    sizes: dict[str, int] = {}
    for line in synced.read_text().splitlines():
        size, _, path = line.partition(" ")
        sizes[path] = int(size)
    for log in (server.folder / "appendonlydir").glob("*.incr.aof"):
        os.truncate(log, sizes.get(str(log), 0))


def test_a_power_cut_of_the_server_loses_nothing_acknowledged(
    tmp_path: Path, sync_shim: Path
) -> None:
    synced = tmp_path / "synced"
    preload = {"LD_PRELOAD": str(sync_shim), "SYNC_FILE": str(synced)}
    acknowledged: dict[str, int] = {}
    with running_redis(tmp_path / "redis", **preload) as server:
        for _ in range(CUTS):
            with writing(server.url, AREA) as running:
                running.wait_for("ack", 50)
                cut_power(server, synced)
            acknowledged |= running.acknowledged()
            server.start()
            check(*found_in(server), acknowledged)


def test_the_power_cut_bites_where_the_server_does_not_sync(
    tmp_path: Path, sync_shim: Path
) -> None:
    synced = tmp_path / "synced"
    preload = {"LD_PRELOAD": str(sync_shim), "SYNC_FILE": str(synced)}
    with running_redis(tmp_path / "redis", *UNSYNCED, **preload) as server:
        with writing(server.url, AREA, "appendfsync") as running:
            running.wait_for("ack", 200)
            cut_power(server, synced)
            server.start()
            # The living writer notices that what it was told is gone, and stays away.
            running.wait_for("refused StoreUnavailable", 5)
            before = running.count("ack")
            running.wait_for("refused StoreUnavailable", 5)
            assert running.count("ack") == before
        with pytest.raises(AssertionError):
            check(*found_in(server), running.acknowledged())


def test_a_server_that_comes_back_empty_is_not_written_to(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as server, writing(server.url, AREA) as running:
        running.wait_for("ack", 20)
        server.kill()
        shutil.rmtree(tmp_path / "redis")
        server.start()
        running.wait_for("refused StoreUnavailable", 5)
        time.sleep(0.5)
        assert server.ask("DBSIZE") == 0


def test_the_checks_catch_a_lost_acknowledgement(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        with writing(server.url, AREA) as running:
            running.wait_for("ack", 20)
        entries, commands = found_in(server)
        with pytest.raises(AssertionError):
            check(entries, commands, running.acknowledged() | {"c0-999999": len(entries)})
