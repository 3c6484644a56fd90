"""`kuaijing bench latency`: speed and exactness, measured on this machine in one run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PARTS = ("search", "decision", "post", "start")
_ROUNDS = 300
_UNITS = 231


def register(subparsers: Any) -> None:
    """Add `bench` and its questions to the tree of commands."""
    parser = subparsers.add_parser(
        "bench",
        help="measure this machine: searches, decisions, durable incidents, start-up",
        description="Measures the figures that the project promises, side by side with other"
        " libraries, and compares all answers.",
    )
    questions = parser.add_subparsers(title="questions", metavar="QUESTION", required=True)
    latency = questions.add_parser(
        "latency",
        help="how fast and how exact",
        description="Finds the nearest units with our search and with other libraries, compares"
        " their answers, and times decisions, durable incidents over HTTP and start-up.",
        epilog="Exit code: 0 all figures as required, 1 answers differ or a server failed,"
        " 3 a required figure missed.",
    )
    latency.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="compiled network, or an OSM file, which is imported first; the stand-in if left out",
    )
    latency.add_argument("--units", type=_positive, default=_UNITS, help=f"default {_UNITS}")
    latency.add_argument(
        "--rounds", type=_positive, default=_ROUNDS, help=f"incidents a question, default {_ROUNDS}"
    )
    latency.add_argument(
        "--only", choices=PARTS, action="append", help="measure this part only; may be repeated"
    )
    latency.add_argument("--out", type=Path, metavar="DIR", help="write latency.json and .md there")
    latency.add_argument("--json", action="store_true", help="print JSON instead of tables")
    latency.set_defaults(run=run_latency)


def run_latency(args: argparse.Namespace) -> int:
    """Measure, print, and say by the exit code whether the figures are as required."""
    from api.bench.latency import Asked, measure_and_tell  # noqa: PLC0415

    asked = Asked(
        network=args.network,
        units=args.units,
        rounds=args.rounds,
        parts=tuple(args.only or PARTS),
        out=args.out,
        json=args.json,
    )
    return measure_and_tell(asked)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; give 1 or more")
    return number
