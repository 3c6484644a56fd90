"""The whole service with its log on a Redis server: the same stories, and its own faults."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.redis_server import RedisServer, running_redis
from tests.scenarios.http.client import Json, eventually
from tests.scenarios.http.process import READY_WITHIN_S, ServiceProcess, kuaijing
from tests.scenarios.http.town import Town


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """A server that holds nothing."""
    redis_server.ask("FLUSHALL")
    return redis_server


@pytest.fixture
def redis_service(redis: RedisServer, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service of the story's own on that server, as a user with a password; not started yet."""
    admit(redis)
    (tmp_path / "password").write_text("sesame\n")
    service = ServiceProcess(
        tmp_path / "data",
        *("--store", redis.url.replace("//", "//desk@")),
        KUAIJING_REDIS_AREA="wugang",
        KUAIJING_REDIS_PASSWORD_FILE=str(tmp_path / "password"),
    )
    yield service
    service.stop()
    redis.ask("ACL", "DELUSER", "desk")


def test_an_incident_from_call_to_history_over_two_restarts(
    redis: RedisServer, redis_service: ServiceProcess
) -> None:
    redis_service.start()
    town = Town(redis_service)
    home = town.home(town.county(0))
    key, body = str(uuid4()), {"location": home, "category": "dispute"}
    first = town.desk.post("/v1/incidents", body, expect=201, key=key)
    (order,) = first.json()["assignments"]
    for step in ("ack", "depart", "arrive"):
        town.stamp(order, step)
    closed = town.report(home)["incident"]["id"]
    town.close_incident(closed, release_units=True)
    before = town.snapshot()
    town.close()

    began_s = time.monotonic()
    assert redis_service.stop() == 0
    assert time.monotonic() - began_s < 5.0
    # Nothing of the log lies in the folder; the lease is given up, so that the next does not wait.
    assert not (redis_service.data / "log.db").exists()
    assert redis.ask("EXISTS", "kuaijing:{wugang}:events") == 1
    assert "sesame" not in redis_service.log_text
    redis_service.start()
    town = Town(redis_service)
    assert town.snapshot()["incidents"] == before["incidents"]
    again = town.desk.post("/v1/incidents", body, expect=201, key=key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [one["id"] for one in town.desk.items("/v1/incidents", status="closed")] == [closed]
    town.close()

    redis_service.kill()
    # The dead one's lease runs out first.
    redis_service.start(ready_within_s=READY_WITHIN_S)
    town = Town(redis_service)
    assert town.snapshot()["seq"] >= before["seq"]
    assert town.incident(closed)["status"] == "closed"
    assert town.report(home)["incident"]["id"] > closed
    town.close()


def test_the_service_outlives_its_server(redis: RedisServer, redis_service: ServiceProcess) -> None:
    redis_service.start()
    town = Town(redis_service)
    home = town.home(town.county(0))
    kept = town.report(home)["incident"]["id"]
    redis.kill()
    key, body = str(uuid4()), {"location": home, "category": "dispute"}
    refused = town.desk.send("POST", "/v1/incidents", body, key=key)
    assert refused.status_code == 503
    assert refused.json()["code"] == "store_unavailable"
    assert int(refused.headers["Retry-After"]) > 0
    # What is known is still shown, and the service says that it is not well.
    assert town.incident(kept)["id"] == kept
    eventually(lambda: ready(redis_service) == 503, within_s=15.0, what="not ready")
    redis.start()
    admit(redis)
    eventually(lambda: ready(redis_service) == 200, within_s=15.0, what="ready by itself")
    done = town.desk.post("/v1/incidents", body, expect=201, key=key)
    assert "Idempotency-Replayed" not in done.headers
    seqs = [one["seq"] for one in town.events(0)]
    assert seqs == list(range(1, len(seqs) + 1))

    # It ends although somebody waits for an answer that nobody can give.
    redis.pause()
    try:
        waiting = threading.Thread(target=report_without_key, args=(redis_service, home))
        waiting.start()
        time.sleep(0.5)
        assert waiting.is_alive()
        assert redis_service.stop() == 0
        waiting.join(timeout=5)
        assert not waiting.is_alive()
    finally:
        redis.resume()
    town.close()


def test_a_server_that_would_lose_what_it_acknowledged_is_told_in_one_line(
    redis: RedisServer, tmp_path: Path
) -> None:
    redis.ask("CONFIG", "SET", "appendfsync", "everysec")
    try:
        done = serve(tmp_path, redis.url)
        assert done.returncode == 1
        assert "appendfsync is everysec, always is meant" in done.stderr.splitlines()[-1]
    finally:
        redis.ask("CONFIG", "SET", "appendfsync", "always")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('accept = ["fsync"]', "fsync"),
        ('area = "The City"', "The City"),
        ('password_file = "nowhere"', "nowhere"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, settings: str, named: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[redis]\n{settings}\n")
    done = serve(tmp_path, "redis://127.0.0.1:1/0")
    assert done.returncode == 2
    assert named in done.stderr


def report_without_key(service: ServiceProcess, home: Json) -> None:
    """Whatever comes of it: the connection may end without an answer."""
    headers = {"Authorization": f"Bearer {service.token('dispatcher')}"}
    body = {"location": home, "category": "dispute"}
    with suppress(httpx.TransportError):
        httpx.post(
            f"{service.url}/v1/incidents", json=body, headers=headers, timeout=30, trust_env=False
        )


def admit(redis: RedisServer) -> None:
    """Let the service's user in; the server forgets it when it is started anew."""
    redis.ask("ACL", "SETUSER", "desk", "on", ">sesame", "~kuaijing:*", "+@all")


def serve(data: Path, store: str) -> subprocess.CompletedProcess[str]:
    return kuaijing("serve", "--data", data, "--port", "0", "--store", store)


def ready(service: ServiceProcess) -> int:
    return httpx.get(f"{service.url}/readyz", trust_env=False).status_code
