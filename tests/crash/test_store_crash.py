"""A real writer process, really killed and really starved: nothing acknowledged is ever lost."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from dispatch.store import LogEntry, StoredCommand
from dispatch.store.sqlite import SqliteStore

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
KILLS = 200 if os.environ.get("KUAIJING_LONG") else 10


@dataclass
class Running:
    """A writer process and the lines it has said."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in list(self.lines))

    def wait_for(self, word: str, more: int = 1, seconds: float = 30) -> None:
        """Wait until `more` further lines begin with `word`."""
        wanted = self.count(word) + more
        until = time.monotonic() + seconds
        while self.count(word) < wanted:
            assert self.process.poll() is None, f"the writer ended: {self.lines[-3:]}"
            assert time.monotonic() < until, f"no {word!r} in {seconds} s: {self.lines[-3:]}"
            time.sleep(0.01)

    def acknowledged(self) -> dict[str, int]:
        """Names acknowledged, and the head each was decided on."""
        acks = (line.split() for line in self.lines if line.startswith("ack "))
        return {name: int(seq) for _, name, seq in acks}


@contextmanager
def writing(folder: Path, **environment: str) -> Iterator[Running]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.log_writer", str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        running = Running(process)
        assert process.stdout is not None
        reader = Thread(target=running.lines.extend, args=(map(str.strip, process.stdout),))
        reader.start()
        try:
            running.wait_for("ack")
            yield running
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
            reader.join(timeout=30)


def found_in(folder: Path) -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
    """All events of the log, and the commands that its events speak of."""

    async def read() -> tuple[list[LogEntry], dict[str, StoredCommand | None]]:
        store = SqliteStore.open(folder)
        try:
            entries: list[LogEntry] = []
            while page := await store.read(len(entries)):
                entries.extend(page)
            names = {name_of(entry) for entry in entries}
            return entries, {name: await store.command(name) for name in names}
        finally:
            await store.close()

    return asyncio.run(read())


def name_of(entry: LogEntry) -> str:
    return entry.body.split(b"/")[0].decode()


def check(folder: Path, acknowledged: dict[str, int]) -> int:
    """Every acknowledged append is there, whole, once, where it was promised; nothing is half."""
    entries, commands = found_in(folder)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for name, seq in acknowledged.items():
        assert [name_of(entry) for entry in entries[seq : seq + 3]] == [name] * 3
    names = [name_of(entry) for entry in entries]
    assert names[::3] == names[1::3] == names[2::3]
    assert len(set(names[::3])) == len(names[::3])
    assert all(command is not None for command in commands.values())
    return len(entries)


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20_181_101)
    acknowledged: dict[str, int] = {}
    for _ in range(KILLS):
        with writing(tmp_path) as running:
            time.sleep(chance.uniform(0.0, 0.15))
        acknowledged |= running.acknowledged()
    assert len(acknowledged) > KILLS * 5
    check(tmp_path, acknowledged)


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
    check(tmp_path, running.acknowledged())


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
    check(folder, running.acknowledged())


def test_the_checks_catch_a_lost_acknowledgement(tmp_path: Path) -> None:
    with writing(tmp_path) as running:
        running.wait_for("ack", 20)
    acknowledged = running.acknowledged()
    entries, _ = found_in(tmp_path)
    with pytest.raises(AssertionError):
        check(tmp_path, acknowledged | {"c999999": len(entries)})
