"""A Redis server that would lose what was acknowledged is refused, with what to mend."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.errors import StoreUnavailable, StoreUnsafe
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address
from dispatch.store.redis.server_check import EXEMPTIONS, faults_of
from dispatch.store.redis.store import RedisPlace, RedisStore
from tests.appending import an_append, run, submit
from tests.redis_server import RedisServer, free_port, redis_binary, running_redis
from tests.redis_stores import open_redis

AREA = "city"
GOOD = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
WRONG = {
    "appendonly": "no",
    "appendfsync": "everysec",
    "no-appendfsync-on-rewrite": "yes",
    "maxmemory-policy": "allkeys-lru",
}


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> Iterator[RedisServer]:
    """A server that is set up well, and will be again after the test."""
    yield one_server
    one_server.ask("REPLICAOF", "NO", "ONE")
    for name, value in GOOD.items():
        one_server.ask("CONFIG", "SET", name, value)


async def opens(server: RedisServer, *accepted: str) -> None:
    store = await open_redis(server.url, AREA, *accepted)
    await store.close()


async def opens_soon(server: RedisServer) -> None:
    while True:
        try:
            return await opens(server)
        except StoreUnavailable:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", sorted(WRONG))
def test_each_setting_is_named_with_how_to_mend_it(server: RedisServer, name: str) -> None:
    server.ask("CONFIG", "SET", name, WRONG[name])
    with pytest.raises(StoreUnsafe) as refused:
        run(lambda: opens(server))
    (fault,) = refused.value.faults
    assert fault.startswith(f"{name} is {WRONG[name]}, {GOOD[name]} is meant: otherwise ")
    assert f"CONFIG SET {name} {GOOD[name]}" in fault
    assert f"127.0.0.1:{server.port}" in str(refused.value)
    # The mending is what it says, and so is the exemption.
    run(lambda: opens(server, name))
    server.ask(*fault.rpartition(": ")[2].split())
    run(lambda: opens_soon(server))


def test_redis_as_it_comes_is_refused(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--loglevel notice") as server:
        with pytest.raises(
            StoreUnsafe, match=r"\(1\) appendonly is no.*\(2\) appendfsync is everysec"
        ):
            run(lambda: opens(server))
        with pytest.raises(StoreUnsafe, match="appendfsync") as refused:
            run(lambda: opens(server, "appendonly"))
        assert len(refused.value.faults) == 1
        run(lambda: opens(server, "appendonly", "appendfsync"))


def test_a_replica_is_refused_and_cannot_be_accepted(server: RedisServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(StoreUnsafe, match=r"role is slave.*REPLICAOF NO ONE"):
        run(lambda: opens(server, *EXEMPTIONS, "role"))


def test_settings_that_cannot_be_read_are_not_taken_for_good(server: RedisServer) -> None:
    server.ask("ACL", "SETUSER", "guard", "on", ">pass", "~*", "+@all", "-config")
    try:
        url = server.url.replace("//", "//guard:pass@")
        with pytest.raises(StoreUnsafe, match="appendfsync is not to be read by this user") as no:
            run(lambda: open_redis(url, AREA))
        assert len(no.value.faults) == len(EXEMPTIONS)
        assert "pass" not in str(no.value)
    finally:
        server.ask("ACL", "DELUSER", "guard")


def test_a_wrong_password_is_told_without_showing_it(server: RedisServer) -> None:
    url = server.url.replace("//", "//nobody:sesame@")
    with pytest.raises(StoreUnavailable, match=r"invalid username.*password_file") as refused:
        run(lambda: open_redis(url, AREA))
    assert "sesame" not in str(refused.value)


def test_nobody_there_is_told_with_the_address(server: RedisServer) -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=f"redis://127.0.0.1:{port}/0"):
        run(lambda: open_redis(f"redis://127.0.0.1:{port}/0", AREA))


def test_a_log_that_was_only_just_switched_on_is_waited_for(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--appendonly no", "--appendfsync always") as server:
        for number in range(100):
            server.ask("SET", f"other-{number}", number)
        # Microseconds a key: its first copy takes some two seconds.
        server.ask("CONFIG", "SET", "rdb-key-save-delay", 20_000)
        server.ask("CONFIG", "SET", "appendonly", "yes")
        with pytest.raises(StoreUnavailable, match="first copy is not yet whole"):
            run(lambda: opens(server))
        run(lambda: opens_soon(server))


def test_an_old_server_and_a_cluster_are_refused() -> None:
    info = {"redis_version": "6.2.14", "role": "master", "cluster_enabled": "1"}
    old, cluster = faults_of(GOOD, info)
    assert old.startswith("redis_version is 6.2.14: install 7.0 or newer")
    assert cluster.startswith("cluster-enabled is yes")
    assert faults_of(GOOD, {"redis_version": "7.0.15", "role": "master"}) == []
    assert faults_of(GOOD, {"redis_version": "10.0.0", "role": "master"}) == []


def test_a_server_that_comes_back_unsafe_is_not_written_to_until_it_is_mended(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        store = await open_redis(server.url, AREA)
        await submit(store, an_append(store, b"1"))
        server.kill()
        await asyncio.to_thread(server.start, "--appendfsync everysec")
        waiting = submit(store, an_append(store, b"2"))
        while not store.failing:  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.02)
        with pytest.raises(StoreUnavailable, match="CONFIG SET appendfsync always"):
            await submit(store, an_append(store, b"refused"))
        assert [one.body for one in await store.read(0)] == [b"1"]
        server.ask("CONFIG", "SET", "appendfsync", "always")
        await waiting
        await submit(store, an_append(store, b"3"))
        assert [one.body for one in await store.read(0)] == [b"1", b"2", b"3"]
        await store.close()

    with running_redis(tmp_path) as server:
        run(scenario)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite",
        "http://127.0.0.1:6379/0",
        "redis://",
        "redis:///0",
        "redis://127.0.0.1/zero",
        "redis://127.0.0.1:seven/0",
        "redis://127.0.0.1/0?retry_on_timeout=yes",
        "unix:///run/redis.sock",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a Redis server"):
        Address(url)


def test_an_address_is_shown_without_its_password() -> None:
    assert Address("rediss://desk:sesame@redis.example:7000/2").shown == (
        "rediss://redis.example:7000/2"
    )
    assert Address("redis://127.0.0.1").shown == "redis://127.0.0.1"


def test_the_configuration_that_the_how_to_gives_is_taken_as_it_stands(tmp_path: Path) -> None:
    port = free_port()
    given = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "redis.conf"
    command = [redis_binary(), str(given), "--port", str(port), "--dir", str(tmp_path)]

    async def scenario() -> None:
        address = Address(f"redis://kuaijing@127.0.0.1:{port}/0", password="change-this-password")
        place = RedisPlace(address, AreaKeys(AREA))
        while True:
            try:
                store = await RedisStore.open(place)
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
        await submit(store, an_append(store, b"a"))
        # What several workers need beyond it.
        line = await address.connect()
        assert await line.ask("SUBSCRIBE", *place.keys.named("positions"))
        await line.close()
        await store.close()
        stranger = Address(f"redis://127.0.0.1:{port}/0")
        with pytest.raises(StoreUnavailable, match="does not take it"):
            await RedisStore.open(RedisPlace(stranger, AreaKeys(AREA)))

    async def again() -> None:
        address = Address(f"redis://kuaijing@127.0.0.1:{port}/0", password="change-this-password")
        while True:
            try:
                store = await RedisStore.open(RedisPlace(address, AreaKeys(AREA)))
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
        assert store.head == 1
        await store.close()

    # What the first server was told, the second reads out of its file.
    for story in (scenario, again):
        with (tmp_path / "server.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            run(story)
        finally:
            process.kill()
            process.wait(timeout=10)


def test_a_server_that_would_not_read_its_own_file_is_refused(server: RedisServer) -> None:
    server.ask("ACL", "SETUSER", "guard", "on", ">pass", "~*", "&*", "+@all")
    url = server.url.replace("//", "//guard:pass@")
    try:
        server.ask("ACL", "SETUSER", "default", "-@all", "+acl")
        with pytest.raises(StoreUnsafe, match=r"the user default may not HSET.*ACL SETUSER") as no:
            run(lambda: open_redis(url, AREA))
        assert len(no.value.faults) == 1
    finally:
        server.ask("ACL", "SETUSER", "default", "~*", "&*", "+@all")
        server.ask("ACL", "DELUSER", "guard")
