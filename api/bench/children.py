"""Child processes of a benchmark: servers that are waited for, commands that are timed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from api.bench.errors import BenchFailed, ServiceSilent
from api.bench.load_client import Connection, request_bytes

PACKAGES_DIR = Path(__file__).resolve().parents[2]
"""Where `api` lies: in a checkout its root, installed the site-packages."""

KUAIJING = (sys.executable, "-m", "api.cli")
_READY_LIMIT_S = 120.0
_POLL_S = 0.005
_STOP_LIMIT_S = 10.0
_TAIL_CHARS = 2_000
_KB = 1024
_NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"

_LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
sys.stderr.write(f"\\n{time.perf_counter() - began} {usage.ru_maxrss}\\n")
sys.exit(os.waitstatus_to_exitcode(status) and 1)
"""
"""Starts a command from a small process and tells its seconds and peak memory on the last line.

A child's peak memory counts from its fork, so one started by the benchmark itself would show the
benchmark's own memory.
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended.

    Attributes:
        seconds: From its start to its end.
        peak_mb: Most memory it held, MB.
        stdout: What it printed.
    """

    seconds: float
    peak_mb: float
    stdout: str


@dataclass(slots=True)
class Server:
    """A server that the benchmark started.

    Attributes:
        port: Where it listens, on loopback.
        process: The process.
        ready_s: From its start until it was ready.
    """

    port: int
    process: subprocess.Popen[bytes]
    ready_s: float


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, in which the packages are found from any folder."""
    paths = [str(PACKAGES_DIR), os.environ.get("PYTHONPATH", "")]
    # Without byte code every start would compile the source of all packages anew.
    inherited = {name: os.environ[name] for name in os.environ if name != _NO_BYTE_CODE}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        **(extra or {}),
    }


def run_timed(
    command: Sequence[str], folder: Path, *, environment: Mapping[str, str] | None = None
) -> Ran:
    """Run a command to its end.

    Raises:
        BenchFailed: It failed; the message holds the end of what it wrote to stderr.
    """
    out, err = folder / "child.out", folder / "child.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        done = subprocess.run(  # noqa: S603 - our own commands
            (sys.executable, "-I", "-S", "-c", _LAUNCHER, *command),
            stdout=stdout, stderr=stderr, env=child_environment(environment), cwd=folder,
            check=False,
        )  # fmt: skip
    told = err.read_text(encoding="utf-8", errors="replace")
    if done.returncode != 0:
        name = " ".join(Path(word).name for word in command)
        raise BenchFailed(f"{name} failed\n{told[-_TAIL_CHARS:]}")
    seconds, peak = told.rsplit("\n", 2)[-2].split()
    peak_mb = int(peak) / (_KB if sys.platform == "linux" else _KB * _KB)
    return Ran(float(seconds), peak_mb, out.read_text(encoding="utf-8"))


@contextmanager
def serving(
    command: Sequence[str],
    folder: Path,
    *,
    port: int,
    ready_path: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start a server, wait until it is ready, and stop it afterwards."""
    log_path = folder / f"server-{port}.log"
    began_s = perf_counter()
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, stdout=log, stderr=log, env=child_environment(environment), cwd=folder
        )
        try:
            _wait_until_ready(process, port, ready_path, log_path, began_s)
            yield Server(port, process, perf_counter() - began_s)
        finally:
            _stop(process)


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_mb(pid: int) -> float | None:
    """Memory that a process holds now, MB; None where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _KB
    return None


def processor_ns(pid: int) -> int:
    """Processor time of all threads of a process so far; 0 where the system does not tell."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total_ns += int(task.read_text(encoding="ascii").split()[0])
    return total_ns


def _wait_until_ready(
    process: subprocess.Popen[bytes], port: int, path: str, log_path: Path, began_s: float
) -> None:
    asked = request_bytes("GET", path)
    while perf_counter() - began_s < _READY_LIMIT_S:
        if process.poll() is not None:
            break
        try:
            connection = Connection.open(port)
        except OSError:
            sleep(_POLL_S)
            continue
        try:
            if connection.ask(asked).status == 200:
                return
        finally:
            connection.close()
        sleep(_POLL_S)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-_TAIL_CHARS:]
    raise ServiceSilent(f"a server is not ready; the end of its log follows\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
