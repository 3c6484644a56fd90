"""The writing process of the crash tests, and whether a log keeps what it was told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from dispatch.store import LogEntry, StoredCommand

ROOT = Path(__file__).resolve().parents[2]


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
def writing(*place: str | Path, **environment: str) -> Iterator[Running]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.log_writer", *map(str, place)],
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


def name_of(entry: LogEntry) -> str:
    return entry.body.split(b"/")[0].decode()


def check(
    entries: Sequence[LogEntry],
    commands: Mapping[str, StoredCommand | None],
    acknowledged: Mapping[str, int],
) -> None:
    """Every acknowledged append is there, whole, once, where it was promised; nothing is half."""
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    for name, seq in acknowledged.items():
        assert [name_of(entry) for entry in entries[seq : seq + 3]] == [name] * 3
    names = [name_of(entry) for entry in entries]
    assert names[::3] == names[1::3] == names[2::3]
    assert len(set(names[::3])) == len(names[::3])
    assert all(command is not None for command in commands.values())
