"""A real Redis server of the tests: a free loopback port, a folder of its own, ended by pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

SAFE = ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction")
"""What `kuaijing` asks of a server, and Redis does not do by itself."""

UP_WITHIN_S = 20.0


def redis_binary() -> str:
    """Path of the server; the test is left out, and says so, where none is installed."""
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("redis-server is not installed: tests on a real Redis left out")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A server process; port and data stay the same over restarts."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        """Not started yet; options are the server's own, as `--appendonly no`."""
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._binary = redis_binary()
        self._options = options or SAFE
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *more: str) -> None:
        """Start and wait until it answers and has read its data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = [part for option in (*self._options, *more) for part in option.split(" ", 1)]
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--save", "", "--daemonize", "no", *options]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self._environment}
            )
        until = time.monotonic() + UP_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, f"the server ended:\n{self.log_text}"
            assert time.monotonic() < until, f"no answer in {UP_WITHIN_S} s:\n{self.log_text}"
            time.sleep(0.02)

    @property
    def log_text(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def ask(self, *command: str | int | bytes) -> object:
        """Ask it something, aside from the store."""
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            return client.execute_command(*command)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(timeout=10)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.running:
            self.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            return self.ask("PING") is True
        except redis.RedisError:
            return False


@contextmanager
def running_redis(folder: Path, *options: str, **environment: str) -> Iterator[RedisServer]:
    """A server for one test."""
    server = RedisServer(folder, *options, **environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()
