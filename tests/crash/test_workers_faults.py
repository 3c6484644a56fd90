"""Workers killed, paused and cut off under load: another leads, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contracts.http_town import lon_lat
from tests.crash.test_kill9_http import check_units
from tests.crash.worker_processes import Town, Ways, WorkerProcess, eventually, worker_town
from tests.redis_server import running_redis
from tests.shell_town import SPAN_M

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]

LONG = os.environ.get("KUAIJING_LONG", "") not in ("", "0")
ROUNDS = 7 if LONG else 1
ANSWER_S = 10.0 if LONG else 5.0
ANSWERED_WITHIN_S = 60.0
CALLERS = 4
PAUSED_S = 5.0 if LONG else 0.0
"""Longer than the lease at any rate: until another leads."""

LED_WITHIN_S = 5.0 if LONG else 30.0
"""Another leads within 5 s; the per-commit form runs beside other work, and asks only that it does.
"""

Json = dict[str, Any]


@dataclass
class Told:
    """What clients were told; they hold the workers to it."""

    incidents: dict[str, str] = field(default_factory=dict)
    """Incident by its mark, which stands in its description."""
    unsure: set[str] = field(default_factory=set)
    """Marks of calls without a key whose answer was lost, or said that nobody knows."""
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Caller:
    """A desk that reports and closes as fast as it goes, at whatever worker it comes to."""

    def __init__(self, town: Town, told: Told, number: int) -> None:
        self._town = town
        self._told = told
        self._chance = Random(number)
        self._with_key = number % 2 == 0
        self._workers = list(town.workers)
        self._clients = [town.client(one, timeout_s=ANSWER_S) for one in self._workers]
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"caller-{number}")
        self._thread.start()

    def join(self) -> None:
        self.stop.set()
        self._thread.join(timeout=120)
        assert not self._thread.is_alive(), "a caller was never answered"

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                self._one_incident()
        finally:
            for client in self._clients:
                client.close()

    def _one_incident(self) -> None:
        mark = uuid4().hex
        place = lon_lat(self._chance.uniform(0, SPAN_M), self._chance.uniform(0, SPAN_M))
        body = {"location": place, "category": "help", "description": mark}
        reply = self._send("/v1/incidents", body, key=mark if self._with_key else None)
        if reply is None:
            self._told.unsure.add(mark)
            return
        if reply.status_code != 201:
            self._told.wrong.append(f"{reply.status_code} {reply.text[:200]}")
            return
        incident = reply.json()["incident"]
        with self._told.lock:
            self._told.incidents[mark] = incident["id"]
        if self._with_key:
            self._read_at_another(incident["id"], reply.headers["x-kuaijing-seq"])
            path = f"/v1/incidents/{incident['id']}/close"
            self._send(path, {"release_units": True}, key=uuid4().hex, if_match=1)

    def _send(
        self, path: str, body: Json, *, key: str | None, if_match: int | None = None
    ) -> httpx.Response | None:
        """The answer; asked again until there is one, where it has a key."""
        headers = {} if key is None else {"Idempotency-Key": key}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        until_s = time.monotonic() + ANSWERED_WITHIN_S
        while time.monotonic() < until_s:
            try:
                reply = self._any().post(path, json=body, headers=headers)
            except httpx.TransportError:
                if key is None:
                    return None
            else:
                if reply.status_code not in (409, 503) or (
                    reply.status_code == 409 and "idempotency_key_in_progress" not in reply.text
                ):
                    return reply
                if key is None and reply.json()["code"] == "outcome_unknown":
                    return None
            time.sleep(0.05)
        self._told.wrong.append(f"{path} was not answered within {ANSWERED_WITHIN_S:g} s")
        return None

    def _any(self) -> httpx.Client:
        """Whatever worker there is: the supervisor's socket does not bring one that is none."""
        there = [n for n, worker in enumerate(self._workers) if not worker.ended]
        return self._clients[self._chance.choice(there or range(len(self._workers)))]

    def _read_at_another(self, incident_id: str, seq: str) -> None:
        """Whoever was answered finds it at every worker, when it says what it has seen."""
        try:
            found = self._any().get(f"/v1/incidents/{incident_id}", headers={"x-kuaijing-seq": seq})
        except httpx.TransportError:
            return
        if found.status_code != 200 and "x-kuaijing-degraded" not in found.headers:
            self._told.wrong.append(f"{incident_id} was answered and is not found: {found.text}")


def test_one_after_another_fails_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    told = Told()
    with (
        running_redis(tmp_path / "redis") as server,
        worker_town(tmp_path, server, 3) as (town, ways),
    ):
        callers = [Caller(town, told, number) for number in range(CALLERS)]
        try:
            for number in range(ROUNDS):
                killed(town)
                sleeper = paused(town)
                # It has not noticed yet, perhaps, and still says that it leads.
                stale = [sleeper, cut_off(town, ways, sleeper)]
                for leader in stale:
                    ends_as_a_stale_leader(leader)
                if number + 1 < ROUNDS:
                    for leader in stale:
                        leader.start()
                    town.wait_ready()
        finally:
            for caller in callers:
                caller.stop.set()
            for caller in callers:
                caller.join()
        # Those that ended last are not waited for: whoever is left is held to it all.
        town.workers = [one for one in town.workers if not one.ended]
        town.wait_ready()
        check(town, told)


def killed(town: Town) -> None:
    """SIGKILL: the lease runs out, another goes on."""
    leader = town.leader()
    leader.kill()
    led_by_another(town, leader)
    leader.start()


def paused(town: Town) -> WorkerProcess:
    """It sleeps through its succession, and is refused whatever it had begun."""
    leader = town.leader()
    began_s = time.monotonic()
    leader.send(signal.SIGSTOP)
    try:
        led_by_another(town, leader)
        time.sleep(max(0.0, PAUSED_S - (time.monotonic() - began_s)))
    finally:
        leader.send(signal.SIGCONT)
    return leader


def cut_off(town: Town, ways: Ways, sleeper: WorkerProcess) -> WorkerProcess:
    """It lives and is asked, and cannot reach the log."""
    leader = town.leader(sleeper)
    ways.cut(leader.number - 1)
    try:
        led_by_another(town, leader, sleeper)
    finally:
        ways.mend(leader.number - 1)
    return leader


def led_by_another(town: Town, *before: WorkerProcess) -> None:
    began_s = time.monotonic()
    town.leader(*before, within_s=LED_WITHIN_S)
    print(f"another leads after {time.monotonic() - began_s:.1f} s")  # noqa: T201


def ends_as_a_stale_leader(leader: WorkerProcess) -> None:
    eventually(lambda: leader.ended, within_s=30.0, what="the stale leader ends")
    assert leader.wait_for_end(1) == 1
    assert "was replaced by that of epoch" in leader.log_text


def check(town: Town, told: Told) -> None:
    """Hold the workers to their word, each of them."""
    assert not told.wrong, told.wrong[:5]
    assert len(told.incidents) > (200 if LONG else 5), "the load was none"
    feeds = [events_of(town, worker) for worker in town.workers]
    events = feeds[0]
    assert all(feed == events for feed in feeds)
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1)), "a gap in the log"
    received = Counter(one["description"] for one in events if one["type"] == "incident_received")
    assert not [mark for mark, count in received.items() if count > 1], "an incident twice"
    assert told.incidents.keys() <= received.keys(), "an acknowledged incident is lost"
    assert received.keys() <= told.incidents.keys() | told.unsure
    check_units(events)


def events_of(town: Town, worker: WorkerProcess) -> list[Json]:
    found: list[Json] = []
    with town.client(worker) as client:
        head = client.get("/v1/snapshot").json()["seq"]
        for other in town.workers:
            with town.client(other) as another:
                head = max(head, another.get("/v1/snapshot").json()["seq"])
        while len(found) < head:
            query = {"after": len(found), "limit": 1000, "wait": 5}
            page = client.get("/v1/events", params=query).json()["items"]
            assert page, f"worker {worker.number} ends at {len(found)} of {head}"
            found += page
    return found
