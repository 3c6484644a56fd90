"""The sides of the comparison: the log in the folder, or on Redis with 1, 2 or 4 workers."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from types import MappingProxyType

from api.bench.children import Server, child_environment, free_port, serving
from api.bench.errors import BenchFailed, ServiceSilent
from api.bench.ground import Ground
from api.bench.part_start import serve_command

_SERVER = "redis-server"
_SAFE = (
    *("--appendonly", "yes"),
    *("--appendfsync", "always"),
    *("--maxmemory-policy", "noeviction"),
    *("--save", ""),
)
_OWN_LIMITS = MappingProxyType(
    {
        # The consoles' calls are the load: they must not be throttled.
        "KUAIJING_LIMITS_REQUESTS_PER_S": "100000",
        "KUAIJING_LIMITS_REQUESTS_BURST": "100000",
    }
)


@dataclass(frozen=True, slots=True)
class Side:
    """One way to run the service.

    Attributes:
        workers: How many share the log on Redis; 0 keeps it in the folder, with SQLite.
    """

    workers: int = 0

    @property
    def key(self) -> str:
        """As the command line calls it."""
        return f"redis:{self.workers}" if self.workers else "sqlite"

    @property
    def name(self) -> str:
        """As the tables call it."""
        if not self.workers:
            return "SQLite"
        return f"Redis, {self.workers} worker{'s' if self.workers > 1 else ''}"

    def options(self, redis_port: int) -> tuple[str, ...]:
        """What it adds to `kuaijing serve`."""
        if not self.workers:
            return ()
        store = ("--store", f"redis://127.0.0.1:{redis_port}/0")
        return (*store, "--workers", str(self.workers)) if self.workers > 1 else store


@dataclass(frozen=True, slots=True)
class Running:
    """A side that serves.

    Attributes:
        service: The service.
        redis_pid: Its Redis server; None without one.
    """

    service: Server
    redis_pid: int | None


@contextmanager
def running(side: Side, ground: Ground, city: Path, data: Path) -> Iterator[Running]:
    """Start a side, with a Redis server of its own where it needs one, and stop it afterwards.

    Raises:
        BenchFailed: A server is not installed, or does not start.
    """
    folder = ground.folder / data.name
    folder.mkdir(parents=True, exist_ok=True)
    redis_port = free_port()
    with ExitStack() as stack:
        redis_pid = None
        if side.workers:
            redis_pid = stack.enter_context(_redis(folder / "redis", redis_port))
        port = free_port()
        command = (*serve_command(ground, city, data, port), *side.options(redis_port))
        service = stack.enter_context(
            serving(command, folder, port=port, ready_path="/readyz", environment=_OWN_LIMITS)
        )
        yield Running(service, redis_pid)


@contextmanager
def _redis(folder: Path, port: int) -> Iterator[int]:
    program = shutil.which(_SERVER)
    if program is None:
        raise BenchFailed(f"{_SERVER} is not installed: leave the sides with workers out")
    folder.mkdir(parents=True, exist_ok=True)
    where = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder))
    with started((program, *where, *_SAFE), folder / "server.log") as pid:
        _wait_for(port)
        yield pid


@contextmanager
def started(command: Sequence[str], log_path: Path) -> Iterator[int]:
    """A process that is ended with the block; its id."""
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, stdout=log, stderr=log, env=child_environment()
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:

    for _ in range(500):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            pass
        sleep(0.02)
    raise ServiceSilent(f"{_SERVER} does not answer on 127.0.0.1:{port}")
