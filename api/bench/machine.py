"""The machine in general terms, so that figures can be compared: no names, no paths."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_MEM_INFO = Path("/proc/meminfo")
_COMPARED = ("numba", "numpy", "scipy", "networkx", "rustworkx", "fastapi", "pydantic", "uvicorn")


def describe_machine() -> dict[str, object]:
    """Cores, processor, memory, system and versions of what is measured."""
    return {
        "cores": _cores(),
        "cpu": _cpu_model(),
        "ram_gb": _ram_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in _COMPARED},
    }


def machine_line(machine: dict[str, object]) -> str:
    """The description on one line."""
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['ram_gb']} GB RAM, "
        f"{machine['system']}, Python {machine['python']}"
    )


def installed_version(name: str) -> str | None:
    """Version of an installed distribution; None when it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cores() -> int:
    # What this process may use counts, not what the board carries.
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def _cpu_model() -> str:
    if _CPU_INFO.exists():
        text = _CPU_INFO.read_text(encoding="utf-8", errors="replace")
        named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        if named:
            return named.group(1).strip()
    return platform.processor() or platform.machine()


def _ram_gb() -> int | None:
    if not _MEM_INFO.exists():
        return None
    total = re.search(r"^MemTotal:\s*(\d+) kB", _MEM_INFO.read_text(encoding="utf-8"), re.MULTILINE)
    return round(int(total.group(1)) / 1024 / 1024) if total else None
