"""A real service process: started, watched, killed and started again, as a shell would do it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[3]
READY_WITHIN_S = 60.0
"""Generous: a first start on a fresh machine compiles the kernels."""

STOP_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02


def kuaijing(
    *arguments: str | int | Path, timeout_s: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServiceProcess:
    """`kuaijing serve` on a folder of its own; the port stays the same over restarts."""

    def __init__(self, data: Path, *options: str | Path, **settings: str) -> None:
        """Settings are the service's own variables, as KUAIJING_LOGGING_LEVEL="error"."""
        self.data = data
        self._settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = [str(option) for option in options]
        self._log = data.parent / f"{data.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[tuple[str, str | None, int], str] = {}

    @property
    def pid(self) -> int:
        """The running process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log_text(self) -> str:
        """What all its runs wrote on stdout and stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def start(self, *, ready_within_s: float = READY_WITHIN_S) -> float:
        """Start and wait until /readyz answers 200; returns the seconds that took."""
        command = [sys.executable, "-m", "api.cli", "serve", "--data", str(self.data)]
        command += ["--port", str(self.port), *self._options]
        began_s = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | self._settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self._ready():
            assert self._process.poll() is None, f"the service ended at start:\n{self.log_text}"
            waited_s = time.monotonic() - began_s
            assert waited_s < ready_within_s, f"not ready in {waited_s:.0f} s:\n{self.log_text}"
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - began_s

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=STOP_WITHIN_S)

    def stop(self) -> int:
        """SIGTERM and wait; returns the exit code. Children of the process are ended with it."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(timeout=STOP_WITHIN_S)
        finally:
            if self._process.poll() is None:
                # Its own session: the group holds this service and its children alone.
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def token(self, role: str, *, unit: str | None = None, nth: int = 1) -> str:
        """A token of the role, made by the command line while the service runs; kept."""
        key = (role, unit, nth)
        if key not in self._tokens:
            arguments = ["token", "create", "--data", str(self.data), "--role", role]
            done = kuaijing(*arguments, *(["--unit", unit] if unit else []))
            assert done.returncode == 0, done.stderr
            assert done.stdout.count("\n") == 1, "the token stands alone on stdout"
            self._tokens[key] = done.stdout.strip()
        return self._tokens[key]
