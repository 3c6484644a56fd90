"""A real writer process, really killed and really starved: nothing acknowledged is ever lost."""

from __future__ import annotations

import os
import random
import resource
import time
from pathlib import Path

import pytest

from tests.crash.sqlite_contents import found_in
from tests.crash.writer_process import check, writing

pytestmark = pytest.mark.crash

KILLS = 200 if os.environ.get("KUAIJING_LONG") else 10


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20_181_101)
    acknowledged: dict[str, int] = {}
    for _ in range(KILLS):
        with writing(tmp_path) as running:
            time.sleep(chance.uniform(0.0, 0.15))
        acknowledged |= running.acknowledged()
    assert len(acknowledged) > KILLS * 5
    check(*found_in(tmp_path), acknowledged)


def test_a_full_file_system_refuses_and_resumes(tmp_path: Path) -> None:
    with writing(tmp_path) as running:
        running.wait_for("ack", 50)
        # No file of the process may grow any more, and none may be written from here on.
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        running.wait_for("refused", 10)
        before = running.count("ack")
        time.sleep(0.2)
        assert running.count("ack") == before
        resource.prlimit(
            running.process.pid,
            resource.RLIMIT_FSIZE,
            (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
        )
        running.wait_for("ack", 50)
    assert {line for line in running.lines if line.startswith("refused")} <= {
        "refused StoreUnavailable",
        "refused LogMoved",
    }
    check(*found_in(tmp_path), running.acknowledged())


@pytest.mark.parametrize("fault", ["sync", "full", "readonly"])
def test_a_failing_disk_refuses_and_resumes(tmp_path: Path, fault_shim: Path, fault: str) -> None:
    switch = tmp_path / "fault"
    switch.write_text("")
    folder = tmp_path / "data"
    with writing(folder, LD_PRELOAD=str(fault_shim), FAULT_FILE=str(switch)) as running:
        for _ in range(3):
            running.wait_for("ack", 20)
            switch.write_text(fault)
            running.wait_for("refused StoreUnavailable", 5)
            switch.write_text("")
        running.wait_for("ack", 20)
        switch.write_text(fault)
        running.wait_for("refused StoreUnavailable", 1)
        # Killed while the disk still fails.
    switch.write_text("")
    check(*found_in(folder), running.acknowledged())


def test_the_checks_catch_a_lost_acknowledgement(tmp_path: Path) -> None:
    with writing(tmp_path) as running:
        running.wait_for("ack", 20)
    acknowledged = running.acknowledged()
    entries, commands = found_in(tmp_path)
    with pytest.raises(AssertionError):
        check(entries, commands, acknowledged | {"c999999": len(entries)})
