"""Writes docs/benchmarks.md: `kuaijing bench latency` on the stand-in and on a real network.

`python -m benchmarks.latency [--rounds N] [--real FILE]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from api.bench.cli import PARTS
from api.bench.latency import Asked, measure
from api.bench.machine import machine_line
from api.bench.report import Report
from api.bench.telling import exit_code

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
REAL = ROOT.parent / "shared" / "data" / "osm" / "porto.osm.pbf"
_ROUNDS = 1_000
_UNITS = 231


def main() -> int:
    """Measure both networks and write the page; the worst exit code of the two."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--real", type=Path, default=REAL, help="an OSM file of a real town")
    parser.add_argument("--only", choices=PARTS, action="append")
    args = parser.parse_args()
    networks: list[Path | None] = [None]
    if args.real.exists():
        networks.append(args.real)
    else:
        sys.stderr.write(f"{args.real.name} is not there: only the stand-in is measured\n")
    parts = tuple(args.only or PARTS)
    reports = [measure(Asked(network, _UNITS, args.rounds, parts)) for network in networks]
    PAGE.write_text(page(reports), encoding="utf-8")
    return max(exit_code(report) for report in reports)


def page(reports: list[Report]) -> str:
    """The page of the docs.

    Args:
        reports: One for each network, of one machine.
    """
    machine = dict(reports[0].machine)
    packages = machine["packages"]
    assert isinstance(packages, dict)
    versions = ", ".join(f"{name} {version or 'missing'}" for name, version in packages.items())
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks.latency`; every table by the command above it.",
        "Times are milliseconds unless the column says otherwise. `NO` marks a required figure",
        "that was missed in this run.",
        "",
        f"Machine: {machine_line(machine)}. {versions}.",
        "",
    ]
    for report in reports:
        lines += [f"## {report.network.get('network', '?')}", "", report.as_markdown("###"), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
