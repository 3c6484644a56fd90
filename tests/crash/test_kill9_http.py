"""kill -9 of the real service under load: what was acknowledged is there, once, and goes on."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
import pytest

from tests.scenarios.http.client import Client, Json, now
from tests.scenarios.http.process import ServiceProcess
from tests.scenarios.http.town import Town

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]

CALLERS = 6
READY_AGAIN_S = 60.0
"""Generous: how fast it is ready is a benchmark, here it must be right."""
STEPS = ("ack", "depart", "arrive")


@dataclass
class Acknowledged:
    """What clients were told is done; they hold the service to it."""

    incidents: dict[str, str] = field(default_factory=dict)
    """Incident by Idempotency-Key."""
    stamps: dict[tuple[str, str], str] = field(default_factory=dict)
    """Device time by assignment and step."""
    closed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """Keys of calls whose caller was acknowledged as kept."""
    unanswered: dict[str, Json] = field(default_factory=dict)
    """Requests by key whose answer was lost: either done or not, but not twice."""
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@pytest.fixture
def long_form() -> bool:
    """Whether the long form was asked for: KUAIJING_LONG=1."""
    return os.environ.get("KUAIJING_LONG", "") not in ("", "0")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service of the test's own."""
    process = ServiceProcess(tmp_path / "data")
    yield process
    process.stop()


def test_nothing_acknowledged_is_lost_or_doubled(service: ServiceProcess, long_form: bool) -> None:
    chance = Random(9)
    service.start()
    town = Town(service)
    homes = [town.home(town.county(nth)) for nth in range(CALLERS)]
    crews = {
        unit["id"]: service.token("vehicle", unit=unit["id"])
        for nth in range(2)
        for unit in town.units_of(town.county(nth))[:7]
    }
    town.close()
    told = Acknowledged()
    for _ in range(20 if long_form else 3):
        stop = threading.Event()
        callers = [
            threading.Thread(target=caller, args=(service, homes[nth], crews, told, stop))
            for nth in range(CALLERS)
        ]
        for thread in callers:
            thread.start()
        time.sleep(chance.uniform(0.5, 1.5))
        service.kill()
        stop.set()
        for thread in callers:
            thread.join(timeout=15)
        assert not told.refused, told.refused[:5]
        service.start(ready_within_s=READY_AGAIN_S)
        check(service, told)
        make_room(service, told)
    assert len(told.incidents) > 30, "the load was none"
    assert told.stamps
    assert told.kept


def caller(
    service: ServiceProcess,
    home: Json,
    crews: dict[str, str],
    told: Acknowledged,
    stop: threading.Event,
) -> None:
    """Report, stamp and close as fast as it goes, until the service is gone."""
    with Client(service.url, service.token("dispatcher")) as desk:
        try:
            while not stop.is_set():
                work_one_incident(service, desk, home, crews, told)
        except httpx.TransportError:
            return


def work_one_incident(
    service: ServiceProcess, desk: Client, home: Json, crews: dict[str, str], told: Acknowledged
) -> None:
    """One incident from call to close; what is answered is noted at once."""
    key = str(uuid4())
    body = {"location": home, "category": "dispute", **who_called(key)}
    told.unanswered[key] = body
    reply = desk.send("POST", "/v1/incidents", body, key=key)
    if reply.status_code != 201:
        told.refused.append(f"{reply.status_code} {reply.text[:200]}")
        return
    answer = reply.json()
    with told.lock:
        told.incidents[key] = answer["incident"]["id"]
        del told.unanswered[key]
        if answer.get("caller", {}).get("kept"):
            told.kept.add(key)
    for order in answer["assignments"]:
        if order["unit_id"] not in crews:
            continue
        with Client(service.url, crews[order["unit_id"]]) as crew:
            for step in STEPS:
                at = now()
                done = crew.send("POST", f"/v1/assignments/{order['id']}/{step}", {"at": at})
                if done.status_code == 200 and done.json()["applied"]:
                    with told.lock:
                        told.stamps[order["id"], step] = at
                elif done.status_code != 200:
                    told.refused.append(f"{step} {done.status_code} {done.text[:200]}")
    incident = desk.http.get(f"/v1/incidents/{answer['incident']['id']}").json()
    path = f"/v1/incidents/{incident['id']}/close"
    done = desk.send("POST", path, {"release_units": True}, if_match=incident["version"])
    if done.status_code == 200:
        with told.lock:
            told.closed.add(incident["id"])


def check(service: ServiceProcess, told: Acknowledged) -> None:
    """Hold the service to its word."""
    town = Town(service)
    try:
        events = town.events(0)
        assert [one["seq"] for one in events] == list(range(1, len(events) + 1)), "a gap in the log"
        received = Counter(
            one["incident_id"] for one in events if one["type"] == "incident_received"
        )
        assert not [one for one, count in received.items() if count > 1], "an incident twice"
        assert set(told.incidents.values()) <= received.keys(), "an acknowledged incident is lost"
        assert len(received) <= len(told.incidents) + len(told.unanswered)
        check_stamps(events, told)
        check_units(events)
        closed = {one["incident_id"] for one in events if one["type"] == "incident_closed"}
        assert told.closed <= closed, "an acknowledged close is lost"
        # The answer of then comes again now, and nothing is done twice.
        seq = town.seq()
        for key in list(told.incidents)[-20:]:
            body = {**body_of(events, told.incidents[key]), **who_called(key)}
            if key in told.kept:
                check_caller(town, told.incidents[key], key)
            again = town.desk.post("/v1/incidents", body, expect=201, key=key)
            assert again.json()["incident"]["id"] == told.incidents[key]
            assert again.headers["Idempotency-Replayed"] == "true"
            if "caller" in body:
                assert again.json()["caller"] == {"kept": True}
                check_caller(town, told.incidents[key], key)
        assert town.seq() == seq
    finally:
        town.close()


def who_called(key: str) -> Json:
    """Every other call names its caller, each another one."""
    return {"caller": {"name": key}} if int(key[0], 16) % 2 else {}


def check_caller(town: Town, incident_id: str, name: str) -> None:
    """The caller is this incident's own, and nobody else's."""
    found = town.desk.http.get(f"/v1/incidents/{incident_id}/caller")
    assert found.status_code == 200, found.text
    assert found.json()["name"] == name


def body_of(events: list[Json], incident_id: str) -> Json:
    """The body with which an incident was reported."""
    received = next(
        one
        for one in events
        if one["type"] == "incident_received" and one["incident_id"] == incident_id
    )
    location = received["location"]
    return {
        "location": {"lon": location["given_lon"], "lat": location["given_lat"]},
        "category": "dispute",
    }


def check_stamps(events: list[Json], told: Acknowledged) -> None:
    """Every acknowledged step is in the log once, at the device's time."""
    kinds = {
        "ack": "assignment_acked",
        "depart": "assignment_departed",
        "arrive": "assignment_arrived",
    }
    found: dict[tuple[str, str], list[str]] = {}
    for one in events:
        for step, kind in kinds.items():
            if one["type"] == kind:
                found.setdefault((one["assignment_id"], step), []).append(one["at"])
    for key, at in told.stamps.items():
        assert found.get(key) == [at], (key, at, found.get(key))
    assert not [key for key, times in found.items() if len(times) > 1], "a step twice"


def check_units(events: list[Json]) -> None:
    """Through the whole log no unit is bound twice."""
    ends = {
        "assignment_cleared",
        "assignment_declined",
        "assignment_timed_out",
        "assignment_preempted",
        "assignment_cancelled",
        "assignment_released",
    }
    bound: dict[str, str] = {}
    for one in events:
        if one["type"] == "unit_dispatched":
            assert one["unit_id"] not in bound, (one["unit_id"], bound[one["unit_id"]])
            bound[one["unit_id"]] = one["assignment_id"]
        elif one["type"] in ends and bound.get(one["unit_id"]) == one["assignment_id"]:
            del bound[one["unit_id"]]


def make_room(service: ServiceProcess, told: Acknowledged) -> None:
    """Settle the requests whose answers were lost, and close what the crash left open."""
    town = Town(service)
    try:
        for key, body in list(told.unanswered.items()):
            incident = town.desk.post("/v1/incidents", body, expect=201, key=key).json()["incident"]
            assert incident["id"] not in told.incidents.values()
            told.incidents[key] = incident["id"]
            del told.unanswered[key]
        town.quiet()
    finally:
        town.close()
