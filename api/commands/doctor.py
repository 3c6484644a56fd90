"""`kuaijing doctor`: is this installation fit to run?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from api.errors import EXIT_DONE, EXIT_FAILED

PACKAGES = ("routing", "platforms", "dispatch", "api")
OLDEST_PYTHON = (3, 11)


class Finding(NamedTuple):
    """One thing looked at. `ok` is None for a warning."""

    what: str
    ok: bool | None
    text: str


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check the installation, and a service folder",
        description="Checks Python, the packages' names, the network and city that ship, time"
        " zones and SQLite; with --data also the folder of a service.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="service folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Looks at everything and reports; 1 when something must be mended."""
    findings = list(look(args.data))
    if args.json:
        rows = [finding._asdict() for finding in findings]
        sys.stdout.write(json.dumps({"items": rows}, ensure_ascii=False) + "\n")
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
            sys.stdout.write(f"{mark}  {finding.what}: {finding.text}\n")
    return EXIT_FAILED if any(finding.ok is False for finding in findings) else EXIT_DONE


def look(data_dir: Path | None) -> Iterator[Finding]:
    """All findings, one by one."""
    yield _python()
    yield from (_owner(name) for name in PACKAGES)
    yield _guarded("time zone", _time_zone)
    yield _guarded("searches", _searches)
    yield _guarded("network", _network)
    yield _guarded("city", _city)
    yield _guarded("sqlite", _sqlite)
    if data_dir is not None:
        yield _guarded("folder", lambda: _folder(data_dir))


def _guarded(what: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever is wrong
        return Finding(what, False, f"{error}")


def _python() -> Finding:
    text = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= OLDEST_PYTHON, text)


def _owner(name: str) -> Finding:
    """PyPI has other distributions with our packages' names: nobody else may own them here."""
    from importlib.metadata import packages_distributions
    from importlib.util import find_spec

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
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    offset = datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai")).utcoffset()
    return Finding("time zone", offset == timedelta(hours=8), f"Asia/Shanghai is UTC+{offset}")


def _searches() -> Finding:
    from routing.search.kernels import choose_kernel

    compiled = choose_kernel(python_twin=False).COMPILED
    text = "compiled by numba" if compiled else "in plain Python, many times slower: no numba here"
    return Finding("searches", True if compiled else None, text)


def _network() -> Finding:
    from api.compiled import open_shipped_network

    graph, manifest = open_shipped_network(say=lambda _text: None)
    kind = "synthetic" if manifest.synthetic else "surveyed"
    return Finding("network", True, f"{graph.road_version}, {graph.arc_count} edges, {kind}")


def _city() -> Finding:
    from platforms.city_files import load_city
    from platforms.shipped import shipped_city

    city = load_city(shipped_city())
    kind = "synthetic" if city.synthetic else "real"
    text = f"{city.name}, {len(city.platforms)} platforms, {len(city.units)} units, {kind}"
    return Finding("city", True, text)


def _sqlite() -> Finding:
    import sqlite3

    from dispatch.store.sqlite_log import sqlite_warning

    warning = sqlite_warning()
    return Finding("sqlite", True if warning is None else None, warning or sqlite3.sqlite_version)


def _folder(data_dir: Path) -> Finding:
    import os
    import shutil

    from api.settings import load_settings
    from api.tokens import read_records

    if not data_dir.is_dir():
        return Finding("folder", False, f"{data_dir} is not there; serve makes it")
    load_settings(data_dir)
    holding = [one for one in read_records(data_dir).values() if one.revoked_at_ms is None]
    free_mb = shutil.disk_usage(data_dir).free // 2**20
    writable = os.access(data_dir, os.W_OK)
    text = f"{data_dir}, {len(holding)} tokens, {free_mb} MiB free"
    return Finding("folder", writable, text if writable else f"{text}, not writable")
