"""The demo: 231 vehicles and their callers, all of them clients like any other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.scenarios.http.client import eventually, now
from tests.scenarios.http.process import ROOT, ServiceProcess
from tests.scenarios.http.town import Town

CREWS = 14


@pytest.fixture
def demo_tokens(tmp_path: Path, open_town: Town) -> Path:
    """Tokens for the units of two platforms: enough to see the traffic."""
    area = open_town.county(8)
    units = [one["id"] for one in open_town.units_of(area)][:CREWS]
    tokens = {
        "dispatcher": open_town.service.token("dispatcher"),
        "vehicles": {unit: open_town.service.token("vehicle", unit=unit) for unit in units},
    }
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(tokens))
    return path


@pytest.fixture
def demo(town: Town, demo_tokens: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The demo traffic against the running service."""
    command = [sys.executable, "-m", "api.demo", "--url", town.service.url]
    command += ["--tokens", str(demo_tokens), "--seed", "5", "--speedup", "300"]
    with (tmp_path / "demo.log").open("wb") as log:
        process = subprocess.Popen([*command, "--incidents-per-hour", "3600"], cwd=ROOT, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_vehicles_patrol_answer_and_report_and_end_on_a_signal(
    town: Town, demo: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    seq = town.seq()
    wanted = {
        "incident_received",
        "unit_dispatched",
        "assignment_acked",
        "assignment_departed",
        "assignment_arrived",
        "feedback_given",
        "assignment_cleared",
        "unit_status_changed",
    }

    def missing() -> set[str]:
        return wanted - {one["type"] for one in town.events(seq)}

    # One order of its own, next to a platform of the demo's area: crews must drive, so wait.
    town.report(town.home(town.county(8)), priority=1, description="模拟")
    eventually(lambda: not missing(), within_s=60.0, what=f"a whole incident; lacks {missing()}")
    fixed = [one for one in town.units_of(town.county(8)) if one["position"]]
    assert len(fixed) >= CREWS - 1
    assert any((one["position"]["speed_mps"] or 0) > 1.0 for one in fixed), "patrols move"

    demo.send_signal(signal.SIGTERM)
    assert demo.wait(timeout=5) == 0
    log = (tmp_path / "demo.log").read_text(encoding="utf-8")
    assert "vehicles=14" in log
    assert "Traceback" not in log
    reported = [one for one in town.events(seq) if one["type"] == "incident_received"]
    assert len(reported) > 3
    assert all("模拟" in one["description"] for one in reported)


def test_vehicles_that_lose_the_service_carry_on_when_it_is_back(
    own_service: ServiceProcess, tmp_path: Path
) -> None:
    own_service.start()
    town = Town(own_service)
    units = [one["id"] for one in town.units_of(town.county(8), kind="motorcycle")][:3]
    tokens = {
        "dispatcher": own_service.token("dispatcher"),
        "vehicles": {unit: own_service.token("vehicle", unit=unit) for unit in units},
    }
    (tmp_path / "tokens.json").write_text(json.dumps(tokens))
    command = [sys.executable, "-m", "api.demo", "--url", own_service.url]
    command += ["--tokens", str(tmp_path / "tokens.json"), "--incidents-per-hour", "0"]
    demo = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        look = "a fix of every vehicle"
        eventually(lambda: all(town.unit(one)["position"] for one in units), within_s=20, what=look)
        town.close()
        own_service.kill()
        time.sleep(1.0)  # the length of the outage, nothing is waited for
        own_service.start()
        back = now()
        town = Town(own_service)
        eventually(
            # A killed service may have forgotten the last seconds of positions, even all.
            lambda: all((town.unit(one)["position"] or {"at": ""})["at"] > back for one in units),
            within_s=20,
            what="a newer fix of every vehicle",
        )
        # And its inbox is heard again.
        town.only_on_duty(town.county(8), units[:1])
        (order,) = town.report(town.home(town.county(8)))["assignments"]
        signed = lambda: town.assignment(order["id"])["acked_at"]  # noqa: E731
        eventually(signed, within_s=60, what="the crew signs for its order")
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(timeout=5) == 0
    finally:
        town.close()
        demo.kill()
        demo.wait()


def test_serve_demo_starts_traffic_and_prints_tokens(tmp_path: Path) -> None:
    """`make run`: the service, 231 vehicles, and a token for every role, ready to use."""
    service = ServiceProcess(tmp_path / "data", "--demo")
    try:
        service.start()
        told = eventually(
            lambda: text if "sy_analyst_" in (text := service.log_text) else None,
            within_s=30.0,
            what="tokens",
        )
        for role in ("dispatcher", "commander", "vehicle", "analyst", "admin"):
            assert f"sy_{role}_" in told
        assert f"{service.url}/docs" in told
        token = next(word for word in told.split() if word.startswith("sy_dispatcher_"))
        with httpx.Client(
            base_url=service.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as desk:

            def on_patrol() -> bool:
                units = desk.get("/v1/units", params={"limit": 1000}).json()["items"]
                return bool(sum(one["status"] == "patrolling" for one in units) >= 180)

            def on_the_move() -> bool:
                units = desk.get("/v1/units", params={"limit": 1000}).json()["items"]
                seen = [one["position"] for one in units if one["position"]]
                return sum((one["speed_mps"] or 0.0) > 1.0 for one in seen) >= 100

            eventually(on_patrol, within_s=60.0, what="all cars and motorcycles on patrol")
            eventually(on_the_move, within_s=30.0, what="half the fleet driving")
        children = psutil.Process(service.pid).children(recursive=True)
        assert children, "the demo is a process of its own"
        check_modest(children[-1])
        assert service.stop() == 0
        _, alive = psutil.wait_procs(children, timeout=5)
        assert not alive, "the demo ends with the service"
    finally:
        service.stop()


def check_modest(demo: psutil.Process) -> None:
    """At most 30 % of a core and bounded memory, looked at for some seconds."""
    before, began_s = sum(demo.cpu_times()[:2]), time.monotonic()
    time.sleep(6.0)
    share = (sum(demo.cpu_times()[:2]) - before) / (time.monotonic() - began_s)
    assert share <= 0.30, f"{share:.0%} of a core"
    assert demo.memory_info().rss < 200_000_000


def test_a_demo_without_tokens_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "api.demo",
            "--url",
            "http://127.0.0.1:9",
            "--tokens",
            str(tmp_path / "none.json"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 4
    assert "none.json" in done.stderr
