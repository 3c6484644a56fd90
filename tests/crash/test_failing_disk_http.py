"""A disk that fails under the real service: refused with a reason, resumed, nothing lost."""

from __future__ import annotations

import json
import os
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.scenarios.http.client import Client, Json, check_problem, eventually
from tests.scenarios.http.process import ServiceProcess, kuaijing
from tests.scenarios.http.town import Town

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

ROUNDS = 10 if os.environ.get("KUAIJING_LONG") else 2
RESUMES_WITHIN_S = 20.0
DEGRADED = "x-kuaijing-degraded"
UNIT = "P01-C1"


@dataclass
class Desk:
    """A desk that reports incidents, and remembers what it was told."""

    client: Client
    home: Json
    told: dict[str, str] = field(default_factory=dict)
    """Incident by key."""
    refused: list[str] = field(default_factory=list)
    """Keys whose requests were refused and not yet repeated."""

    def report(self, key: str | None = None) -> httpx.Response:
        """Report an incident and close it, so that units stay free; the first answer."""
        key = key or str(uuid4())
        body = {"location": self.home, "category": "dispute"}
        reply = self.client.send("POST", "/v1/incidents", body, key=key)
        if reply.status_code != 201:
            self.refused.append(key)
            return reply
        incident = reply.json()["incident"]
        self.told[key] = incident["id"]
        path = f"/v1/incidents/{incident['id']}/close"
        self.client.send("POST", path, {"release_units": True})
        return reply

    def is_refused(self) -> httpx.Response | None:
        """The answer, when it is 503."""
        reply = self.report()
        return reply if reply.status_code == 503 else None

    def is_served_again(self) -> bool | None:
        """Whether all that was refused is done now, each with its old key."""
        while self.refused:
            key = self.refused.pop()
            if self.report(key).status_code != 201:
                return None
        return True


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """The file that says what fails now."""
    path = tmp_path / "fault"
    path.write_text("")
    return path


@pytest.fixture
def service(tmp_path: Path, fault_shim: Path, switch: Path) -> Iterator[ServiceProcess]:
    """A service whose disk can be made to fail."""
    process = ServiceProcess(
        tmp_path / "data",
        LD_PRELOAD=str(fault_shim),
        FAULT_FILE=str(switch),
        # The sheet for paper takes a file number for a moment, and one test counts them.
        KUAIJING_SHEET_EVERY_S="0",
    )
    process.start()
    yield process
    switch.write_text("")
    process.stop()


@contextmanager
def desk_of(service: ServiceProcess) -> Iterator[Desk]:
    """A desk at the service; its connections are closed whatever happens."""
    town = Town(service)
    try:
        home = town.home(town.county(0))
    finally:
        town.close()
    with Client(service.url, service.token("dispatcher")) as client:
        yield Desk(client=client, home=home)


def check_refusal(reply: httpx.Response) -> None:
    """503, when to come again, and why: fit for whoever has to mend it."""
    problem = check_problem(reply)
    assert problem["code"] == "store_unavailable", problem
    assert int(reply.headers["Retry-After"]) >= 1
    assert reply.headers[DEGRADED] == "store_failing"
    assert "nothing was changed" in problem["detail"]
    assert "Check the disk's space and permissions" in problem["detail"]


def check_reads(desk: Desk) -> None:
    """What is asked for is answered, whatever the disk does."""
    some = next(iter(desk.told.values()))
    for path in (f"/v1/incidents/{some}", "/v1/incidents", "/v1/units", "/v1/snapshot"):
        assert desk.client.get(path).headers[DEGRADED] == "store_failing", path
    for path in ("/v1/incidents", "/v1/snapshot", "/v1/alarms", f"/v1/units/{UNIT}/inbox"):
        assert desk.client.get(path).json()["degraded"] == ["store_failing"], path
    assert desk.client.http.get("/healthz").headers[DEGRADED] == "store_failing"
    desk.client.get("/v1/events", after=0, wait=0)
    ready = desk.client.http.get("/readyz")
    assert ready.status_code == 503, "a service that cannot write says so to its balancer"


def check_stream_tells(desk: Desk, switch: Path) -> None:
    """Whoever only listens hears that it begins, and that it ends although nobody writes."""
    with desk.client.http.stream("GET", "/v1/events/stream") as reply:
        assert DEGRADED not in reply.headers
        lines = reply.iter_lines()
        for fault, expected in (("sync", ["store_failing"]), ("", [])):
            switch.write_text(fault)
            if fault:
                eventually(desk.is_refused, within_s=30, what="the disk is seen to fail")
            while next(lines) != "event: degraded":
                pass
            message = json.loads(next(lines).removeprefix("data: "))
            assert message == {"degraded": expected}
            inbox = desk.client.get(f"/v1/units/{UNIT}/inbox")
            assert inbox.json()["degraded"] == expected
            assert (DEGRADED in inbox.headers) == bool(expected)
    eventually(desk.is_served_again, within_s=RESUMES_WITHIN_S, what="writes resume")


def check_nothing_lost(service: ServiceProcess, desk: Desk) -> None:
    """After a crash and a new start: each acknowledged incident once, and the log is whole."""
    service.kill()
    service.start()
    town = Town(service)
    events = town.events(0)
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    received = Counter(one["incident_id"] for one in events if one["type"] == "incident_received")
    assert set(received.values()) == {1}
    assert set(desk.told.values()) <= received.keys()
    # What was refused was not done: a repetition has not made a second one.
    assert len(received) == len(desk.told) + len(desk.refused)
    town.close()
    done = kuaijing("verify", "--data", service.data)
    assert done.returncode == 0, done.stdout


def fails_and_resumes(desk: Desk, fail: Callable[[], object], mend: Callable[[], object]) -> None:
    """One round: served, refused with a reason, read on, served again."""
    for _ in range(3):
        assert desk.report().status_code == 201
    fail()
    reply = eventually(desk.is_refused, within_s=30, what="the disk is seen to fail")
    check_refusal(reply)
    check_reads(desk)
    mend()
    eventually(desk.is_served_again, within_s=RESUMES_WITHIN_S, what="writes resume")
    assert desk.client.http.get("/readyz").status_code == 200


def test_a_disk_that_fails_to_sync_or_write_is_told_and_survived(
    service: ServiceProcess, switch: Path
) -> None:
    with desk_of(service) as desk:
        for fault in ("sync", "full", "readonly"):
            for _ in range(ROUNDS):
                fails_and_resumes(
                    desk,
                    lambda fault=fault: switch.write_text(fault),
                    lambda: switch.write_text(""),
                )
        check_stream_tells(desk, switch)
        # Killed while it fails: what was acknowledged before is there all the same.
        switch.write_text("sync")
        eventually(desk.is_refused, within_s=30, what="the disk is seen to fail")
        service.kill()
        switch.write_text("")
        service.start()
        eventually(desk.is_served_again, within_s=RESUMES_WITHIN_S, what="writes resume")
        check_nothing_lost(service, desk)


def test_a_disk_that_is_really_full_is_told_and_survived(small_disk: Path) -> None:
    service = ServiceProcess(small_disk / "data")
    ballast = small_disk / "ballast"
    service.start()
    try:
        with desk_of(service) as desk:
            for _ in range(ROUNDS):
                fails_and_resumes(desk, lambda: fill(ballast), ballast.unlink)
            check_nothing_lost(service, desk)
    finally:
        service.stop()


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_a_service_without_free_file_numbers_serves_whom_it_has(service: ServiceProcess) -> None:
    soft, hard = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
    with desk_of(service) as desk:
        assert desk.report().status_code == 201
        for _ in range(ROUNDS):
            eventually(
                lambda: use_up_file_numbers(service, hard) and not is_healthy(service),
                within_s=10,
                what="a new client finds no room",
            )
            # Who is connected is served; the log needs no new file for a commit.
            assert desk.report().status_code == 201
            desk.client.get("/v1/snapshot")
            assert not is_healthy(service)
            assert desk.report().status_code == 201
            resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (soft, hard))
            eventually(
                lambda: is_healthy(service), within_s=10, what="new clients are served again"
            )
        check_nothing_lost(service, desk)


def use_up_file_numbers(service: ServiceProcess, hard: int) -> bool:
    """Leave no number below the limit; once more where a connection that ends frees one."""
    used = {int(one.name) for one in Path(f"/proc/{service.pid}/fd").iterdir()}
    lowest_free = next(number for number in range(len(used) + 1) if number not in used)
    resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (lowest_free, hard))
    return True


def is_healthy(service: ServiceProcess) -> bool | None:
    try:
        reply = httpx.get(f"{service.url}/healthz", trust_env=False, timeout=2.0)
    except httpx.TransportError:
        return None
    return reply.status_code == 200 or None
