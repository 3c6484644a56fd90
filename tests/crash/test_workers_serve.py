"""`kuaijing serve --workers N` as a shell would use it: one socket, several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from api.cli import main
from tests.contracts.http_town import lon_lat
from tests.crash.worker_processes import Town, eventually
from tests.redis_server import RedisServer, running_redis
from tests.scenarios.http.process import ServiceProcess, kuaijing

pytestmark = pytest.mark.crash

LONG = os.environ.get("KUAIJING_LONG", "") not in ("", "0")
SOON_S = 30.0
"""Generous: the machine has other work."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@contextmanager
def served(folder: Path, server: RedisServer, count: int) -> Iterator[tuple[Town, ServiceProcess]]:
    town = Town(folder)
    service = ServiceProcess(
        town.data,
        *("--store", server.url, "--workers", str(count)),
        *("--city", town.city, "--network", town.network),
    )
    try:
        service.start()
        yield town, service
    finally:
        service.stop()


def workers_of(service: ServiceProcess) -> dict[int, psutil.Process]:
    """The running workers, by number."""
    found = {}
    for child in psutil.Process(service.pid).children():
        try:
            words = child.cmdline()
        except psutil.Error:
            # It has just ended, and is not yet started again.
            continue
        if "api.workers" in words:
            found[int(words[words.index("--number") + 1])] = child
    return found


def test_one_address_serves_whichever_worker_answers_and_replaces_what_dies(
    server: RedisServer, tmp_path: Path
) -> None:
    server.ask("FLUSHALL")
    with served(tmp_path, server, 2) as (town, service):
        eventually(
            lambda: {role_at(service.url) for _ in range(8)} == {"leader", "follower"},
            within_s=SOON_S,
            what="both workers answer",
        )
        second = kuaijing("serve", "--data", town.data, "--store", server.url, "--workers", 1)
        assert second.returncode == 1
        assert "another service writes to" in second.stderr

        headers = {"Authorization": f"Bearer {town.token}"}
        seq = "0"
        for nth in range(12):
            # A connection of its own each time: it comes to either.
            with httpx.Client(base_url=service.url, headers=headers, trust_env=False) as client:
                body = {"location": lon_lat(100.0 * nth, 200.0), "category": "help"}
                made = client.post("/v1/incidents", json=body)
                assert made.status_code == 201, made.text
                seq = made.headers["x-kuaijing-seq"]
                incident = made.json()["incident"]
                assert client.get(f"/v1/incidents/{incident['id']}").json()["id"] == incident["id"]
            with httpx.Client(base_url=service.url, headers=headers, trust_env=False) as client:
                wanted = {"x-kuaijing-seq": seq}
                found = client.get(f"/v1/incidents/{incident['id']}", headers=wanted)
                assert found.status_code == 200, found.text
                assert "x-kuaijing-degraded" not in found.headers

        check_a_browser_is_served(service.url, town.token)

        before = workers_of(service)
        assert before.keys() == {1, 2}
        before[1].kill()
        eventually(
            lambda: workers_of(service).get(1, before[1]).pid != before[1].pid,
            within_s=SOON_S,
            what="worker 1 is started again",
        )
        assert "worker_ended" in service.log_text
        began_s = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began_s < SOON_S
        assert not [one for one in before.values() if one.is_running()]


def check_a_browser_is_served(url: str, token: str) -> None:
    """A session holds at both workers, and its changes are passed on like all others."""
    page = {"Origin": url, "X-Requested-With": "kuaijing"}
    with httpx.Client(base_url=url, headers=page, trust_env=False) as browser:
        assert browser.post("/v1/session", json={"token": token}).is_success
        cookies = dict(browser.cookies)
    body = {"location": lon_lat(100.0, 200.0), "category": "help"}
    for _ in range(8):
        with httpx.Client(base_url=url, headers=page, cookies=cookies, trust_env=False) as browser:
            assert browser.post("/v1/incidents", json=body).status_code == 201
            foreign = {"Origin": "http://evil.example"}
            refused = browser.post("/v1/incidents", json=body, headers=foreign)
            assert refused.json()["code"] == "cross_site"


def role_at(url: str) -> str:
    return str(httpx.get(f"{url}/readyz", trust_env=False).json().get("role"))


@pytest.mark.skipif(not LONG, reason="one more start of some seconds: KUAIJING_LONG=1")
def test_workers_do_not_outlive_whoever_started_them(server: RedisServer, tmp_path: Path) -> None:
    server.ask("FLUSHALL")
    with served(tmp_path, server, 1) as (_town, service):
        workers = workers_of(service)
        service.kill()
        _, alive = psutil.wait_procs(workers.values(), timeout=SOON_S)
        assert not alive


@pytest.mark.parametrize(
    ("words", "exit_code", "named"),
    [
        (("--workers", "2"), 2, "--store redis://"),
        (("--workers", "0", "--store", "redis://127.0.0.1:1/0"), 2, "1 to 32"),
        (("--workers", "33", "--store", "redis://127.0.0.1:1/0"), 2, "1 to 32"),
        (("--workers", "two", "--store", "redis://127.0.0.1:1/0"), 2, "a number"),
        (("--peer-host", "10.0.0.7"), 2, "--workers"),
        (
            ("--workers", "2", "--store", "redis://127.0.0.1:1/0", "--peer-host", "10.0.0.7"),
            1,
            "--behind-proxy",
        ),
        (
            (
                *("--workers", "2", "--store", "redis://127.0.0.1:1/0", "--behind-proxy"),
                *("--peer-host", "0.0.0.0"),
            ),
            1,
            "this machine's own",
        ),
        (
            (
                *("--workers", "2", "--store", "redis://127.0.0.1:1/0", "--behind-proxy"),
                *("--peer-host", "10.0.0.7", "--peer-ca", "nowhere.crt"),
            ),
            1,
            "nowhere.crt",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_started(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    exit_code: int,
    named: str,
) -> None:
    try:
        code = main(["serve", "--data", str(tmp_path / "data"), "--port", "0", *words])
    except SystemExit as usage:
        code = int(usage.code or 0)
    assert code == exit_code
    assert named in capsys.readouterr().err.splitlines()[-1]


def test_a_reason_that_stays_ends_the_whole(server: RedisServer, tmp_path: Path) -> None:
    done = kuaijing(
        *("serve", "--data", tmp_path / "data", "--port", 0, "--workers", 1),
        *("--store", server.url, "--network", tmp_path / "nowhere.net"),
    )
    assert done.returncode == 4, done.stderr
    assert "nowhere.net" in done.stderr
