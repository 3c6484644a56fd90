"""The part `start`: help, imports, memory, and the service from its start until it is ready."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from api.bench.children import KUAIJING, free_port, resident_mb, run_timed, serving
from api.bench.field import Say
from api.bench.ground import Ground
from api.bench.report import Budget, Cell, Part, Table

_REPEATS = 5
_HELP_LIMIT_S = 0.2
_READY_LIMIT_S = 3.0
_IMPORT_LIMIT_S = 10.0
_IMPORT_LIMIT_MB = 500.0
_MODULES = ("routing.roads", "dispatch.runner", "api.http.app")


def run_start(ground: Ground, *, part: Part, say: Say) -> None:
    """Time commands and the service's start; what is found goes into `part`."""
    rows: list[dict[str, Cell]] = []
    part.tables.append(Table("Start-up and memory", rows, _NOTE))
    _help(ground.folder, rows, part, say)
    _imports(ground.folder, rows, say)
    _network(ground, rows, part)
    _service(ground, rows, part, say)


_NOTE = (
    "Each in a process of its own, medians. Cold: an empty folder for compiled code"
    " (NUMBA_CACHE_DIR); warm: the same folder again. Ready: `GET /readyz` answers 200."
)


def _help(folder: Path, rows: list[dict[str, Cell]], part: Part, say: Say) -> None:
    say("start: help")
    ran = [run_timed((*KUAIJING, "--help"), folder) for _ in range(_REPEATS)]
    seconds = median(run.seconds for run in ran)
    rows.append(_row("kuaijing --help", seconds, max(run.peak_mb for run in ran)))
    part.budgets.append(Budget("kuaijing --help", seconds, _HELP_LIMIT_S, "s"))


def _imports(folder: Path, rows: list[dict[str, Cell]], say: Say) -> None:
    say("start: imports")
    for module in _MODULES:
        code = (
            f"import time; began = time.perf_counter(); import {module};"
            " print(time.perf_counter() - began)"
        )
        ran = [run_timed((sys.executable, "-c", code), folder) for _ in range(_REPEATS)]
        seconds = median(float(run.stdout) for run in ran)
        rows.append(_row(f"import {module}", seconds, max(run.peak_mb for run in ran)))


def _network(ground: Ground, rows: list[dict[str, Cell]], part: Part) -> None:
    if ground.imported is None or ground.source is None:
        return
    ran = ground.imported
    name = f"kuaijing roads import {ground.source.name}"
    rows.append(_row(name, ran.seconds, ran.peak_mb))
    part.budgets += [
        Budget(name, ran.seconds, _IMPORT_LIMIT_S, "s"),
        Budget(f"{name}, memory", ran.peak_mb, _IMPORT_LIMIT_MB, "MB"),
    ]


def _service(ground: Ground, rows: list[dict[str, Cell]], part: Part, say: Say) -> None:
    city = ground.city(say)
    with TemporaryDirectory(prefix="compiled-", dir=ground.folder) as cache:
        for number, state in enumerate(("cold cache", *["warm cache"] * _REPEATS)):
            say(f"start: service, {state}")
            data = ground.folder / f"start-{number}"
            port = free_port()
            with serving(
                serve_command(ground, city, data, port), ground.folder, port=port,
                ready_path="/readyz", environment={"NUMBA_CACHE_DIR": cache},
            ) as server:  # fmt: skip
                memory_mb = resident_mb(server.process.pid)
            rows.append(_row(f"service ready, {state}", server.ready_s, memory_mb))
    warm = [row for row in rows if row["what"] == "service ready, warm cache"]
    for row in warm[1:]:
        rows.remove(row)
    seconds = median(float(row["seconds"] or 0.0) for row in warm)
    warm[0]["seconds"] = round(seconds, 3)
    part.budgets.append(Budget("service ready, warm cache", seconds, _READY_LIMIT_S, "s"))


def serve_command(ground: Ground, city: Path, data: Path, port: int) -> tuple[str, ...]:
    """The service on the run's network and city."""
    roads = ("--network", str(ground.network), "--city", str(city))
    return (*KUAIJING, "serve", "--data", str(data), *roads, "--port", str(port))


def _row(what: str, seconds: float, memory_mb: float | None) -> dict[str, Cell]:
    return {
        "what": what,
        "seconds": round(seconds, 3),
        "peak or resident MB": None if memory_mb is None else round(memory_mb),
    }
