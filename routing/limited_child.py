"""Runs a reader of foreign files in a child process that can take only so much of the machine.

A hostile file, or one that trips a fault of a C library, then ends the child and not us. What the
child may take is set by itself, before it imports anything that reads: memory, processor time, the
size of what it writes, the number of its files. It is a limit and no prison: the child runs as the
same user.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULT_FILE = "result.json"
RESULT_MAX_BYTES = 64 * 2**20
LINE_MAX_CHARS = 2_000
FILES_MAX = 256
WALL_FACTOR, WALL_EXTRA_S = 4, 60
"""A child that waits instead of working is ended after this much more than its processor time."""
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Libraries reserve address space for each thread, which counts as memory here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a child may take.

    Attributes:
        memory_bytes: Address space; some 250 MB of it are the libraries themselves.
        cpu_s: Processor time in seconds.
        file_bytes: Size of each file that it writes.
    """

    memory_bytes: int
    cpu_s: int
    file_bytes: int


class ChildRefused(Exception):
    """The reader itself found the input wrong.

    Attributes:
        kind: Name of the error's class.
        arguments: What the error was made from, as far as it is text.
    """

    def __init__(self, kind: str, arguments: tuple[str, ...]) -> None:
        super().__init__(arguments[-1] if arguments else kind)
        self.kind = kind
        self.arguments = arguments


class ChildStopped(Exception):
    """The child ran into a limit or broke off; the message says which, for people."""


def run_limited(
    target: str,
    arguments: Mapping[str, Any],
    bounds: Bounds,
    *,
    say: Callable[[str], None],
    wall_s: float | None = None,
) -> Any:
    """Calls a function in a limited child process.

    Args:
        target: The function, as "package.module:name"; takes and returns what JSON can hold.
        arguments: Its keyword arguments.
        bounds: What the child may take.
        say: Told each line of the child's stderr.
        wall_s: Seconds until it is ended in any case; by default a multiple of `cpu_s`.

    Returns:
        What the function returned.

    Raises:
        ChildRefused: The function raised an error of its own.
        ChildStopped: The child ran into a limit or broke off.
    """
    limit_s = bounds.cpu_s * WALL_FACTOR + WALL_EXTRA_S if wall_s is None else wall_s
    with tempfile.TemporaryDirectory(prefix="kuaijing-") as folder:
        result = Path(folder) / RESULT_FILE
        order = {"target": target, "arguments": dict(arguments), "bounds": asdict(bounds)}
        with _child(order, Path(folder), limit_s) as (child, timed_out):
            assert child.stderr is not None  # noqa: S101  # it is a pipe
            while line := child.stderr.readline(LINE_MAX_CHARS):
                say(line.rstrip("\n"))
            code = child.wait()
        if timed_out.is_set():
            raise ChildStopped(f"it took more than {limit_s:,.0f} s")
        return _outcome(result, code, bounds)


@contextmanager
def _child(
    order: Mapping[str, Any], folder: Path, limit_s: float
) -> Iterator[tuple[subprocess.Popen[str], threading.Event]]:
    """The running child; killed when the block ends before it does, or its time is over."""
    timed_out = threading.Event()
    order_file = folder / "order.json"
    order_file.write_text(json.dumps(order), encoding="utf-8")
    # -P: a folder that the user happens to stand in must not lend its modules.
    child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-m", "routing.limited_child", str(order_file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(),
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def end() -> None:
        timed_out.set()
        child.kill()

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        with child:
            yield child, timed_out
    finally:
        timer.cancel()
        if child.poll() is None:
            child.kill()
            child.wait()


def _environment() -> dict[str, str]:
    """What the child needs of our surroundings, and nothing that it need not know."""
    environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environ |= dict.fromkeys(_ONE_THREAD, "1")
    return environ | {"MALLOC_ARENA_MAX": "2", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def _outcome(path: Path, code: int, bounds: Bounds) -> Any:
    answer: dict[str, Any] = {}
    if code == 0 and path.is_file() and path.stat().st_size <= RESULT_MAX_BYTES:
        answer = json.loads(path.read_text(encoding="utf-8"))
    if "result" in answer:
        return answer["result"]
    if "refused" in answer:
        raise ChildRefused(answer["refused"], tuple(answer["arguments"]))
    raise ChildStopped(answer.get("stopped") or _why(code, bounds))


def _why(code: int, bounds: Bounds) -> str:
    if code == -signal.SIGXCPU:
        return f"it took more than {bounds.cpu_s:,} s of processor time"
    if code == -signal.SIGXFSZ:
        return f"it wrote more than {bounds.file_bytes:,} bytes"
    if code < 0:
        return (
            f"the reader broke off ({signal.Signals(-code).name}): the file is hostile, or needs"
            f" more than {bounds.memory_bytes // 2**20:,} MiB of memory"
        )
    return f"the reader ended with exit code {code}"


def limit_myself(bounds: Bounds) -> None:
    """Sets this process's own limits, for ever; call it before anything foreign is read."""
    import resource  # noqa: PLC0415  # POSIX only, and needed in the child alone

    for kind, most in (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))
    # The soft limit ends it with SIGXCPU, which says why; the hard one a second later, for certain.
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    last_s = bounds.cpu_s + 1 if hard == resource.RLIM_INFINITY else min(bounds.cpu_s + 1, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (min(bounds.cpu_s, last_s), last_s))


def _main(order_file: str) -> int:
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    bounds = Bounds(**order["bounds"])
    limit_myself(bounds)
    try:
        module, _, name = order["target"].partition(":")
        answer = {"result": getattr(import_module(module), name)(**order["arguments"])}
    except MemoryError:
        answer = {"stopped": f"it needs more than {bounds.memory_bytes // 2**20:,} MiB of memory"}
    except (OSError, ImportError) as error:
        answer = {"stopped": _system_error(error, bounds)}
    except Exception as error:  # noqa: BLE001  # the parent tells it, or raises it as what it is
        texts = [part for part in error.args if isinstance(part, str)]
        answer = {"refused": type(error).__name__, "arguments": texts}
    Path(order_file).with_name(RESULT_FILE).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def _system_error(error: OSError | ImportError, bounds: Bounds) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EFBIG:
        return f"it would write more than {bounds.file_bytes:,} bytes"
    # A library that finds no room to be loaded says so in words alone.
    no_room = any(words in str(error).lower() for words in ("allocate memory", "map segment"))
    if number == errno.ENOMEM or no_room:
        return f"it needs more than {bounds.memory_bytes // 2**20:,} MiB of memory"
    return str(error)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
