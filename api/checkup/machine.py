"""Python, packages, clock, time zones, SQLite: what the service stands on."""

from __future__ import annotations

import ctypes
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from api.checkup.finding import Finding, guarded
from api.checkup.fonts import look_at_fonts
from api.clock import now_ms, rfc3339
from dispatch.store.sqlite_log import sqlite_warning
from routing.search.kernels import choose_kernel

STANDS_ON = ("shaoyang-kuaijing", "fastapi", "uvicorn", "msgspec", "numpy", "numba", "redis")
"""Whose versions are asked for first when something is wrong."""

PACKAGES = ("routing", "platforms", "dispatch", "api")
OLDEST_PYTHON = (3, 11)

OLDEST_MS = 1_790_000_000_000
"""2026-09-21: a clock that shows less was never set, for this version is younger."""

FARTHEST_MS = 4_102_444_800_000
"""2100-01-01."""

CLOCK_FREE_RUNNING = 5
"""What adjtimex(2) returns while nothing keeps the clock right (TIME_ERROR)."""

TIMEX_BYTES = 256
"""More than `struct timex` takes on any machine; all zero, it asks and changes nothing."""


def look_at_machine() -> Iterator[Finding]:
    """All findings about the machine."""
    yield _python()
    yield from (_owner(name) for name in PACKAGES)
    yield from guarded("time zone", _time_zone)
    yield from guarded("clock", _clock)
    yield from guarded("searches", _searches)
    yield from guarded("sqlite", _sqlite)
    yield from guarded("versions", _versions)
    yield from guarded("fonts", look_at_fonts)


def _python() -> Finding:
    text = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= OLDEST_PYTHON, text)


def _owner(name: str) -> Finding:
    """PyPI has other distributions with our packages' names: nobody else may own them here."""
    owners = [one for one in packages_distributions().get(name, []) if one != "shaoyang-kuaijing"]
    if owners:
        return Finding(
            name, False, f"also installed by {', '.join(owners)}; use an environment of its own"
        )
    spec = find_spec(name)
    origin = None if spec is None else spec.origin
    ours = Path(__file__).resolve().parents[2] / name / "__init__.py"
    if origin is None or Path(origin).resolve() != ours:
        return Finding(name, False, f"comes from {origin}, not from {ours}")
    return Finding(name, True, "ours")


def _time_zone() -> Finding:
    offset = datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai")).utcoffset()
    return Finding("time zone", offset == timedelta(hours=8), f"Asia/Shanghai is UTC+{offset}")


def _clock() -> Finding:
    at_ms = now_ms()
    text = f"it is {rfc3339(at_ms)}"
    if not OLDEST_MS <= at_ms < FARTHEST_MS:
        return Finding("clock", False, f"{text}, which cannot be: set the machine's clock")
    if _clock_runs_free():
        return Finding(
            "clock", None, f"{text}; nothing keeps it right: devices' times are compared with it"
        )
    return Finding("clock", True, text)


def _clock_runs_free() -> bool:
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None:  # not Linux
        return False
    return bool(ask(ctypes.create_string_buffer(TIMEX_BYTES)) == CLOCK_FREE_RUNNING)


def _searches() -> Finding:
    compiled = choose_kernel(python_twin=False).COMPILED
    text = "compiled by numba" if compiled else "in plain Python, many times slower: no numba here"
    return Finding("searches", True if compiled else None, text)


def _sqlite() -> Finding:
    warning = sqlite_warning()
    return Finding("sqlite", True if warning is None else None, warning or sqlite3.sqlite_version)


def _versions() -> Finding:
    found, missing = [], []
    for name in STANDS_ON:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    text = ", ".join(found)
    if missing:
        return Finding("versions", None, f"{text}; not installed: {', '.join(missing)}")
    return Finding("versions", True, text)
