"""`kuaijing bench`: speed, exactness and load, measured on this machine in one run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PARTS = ("search", "decision", "post", "start")
SIDES = {"sqlite": 0, "redis:1": 1, "redis:2": 2, "redis:4": 4}
"""Sides of the load, and how many workers share the log on Redis there."""

WAYS_OF_HEARING = ("long-poll", "stream")
"""Vehicles hear their orders in both ways."""

_ROUNDS = 300
_UNITS = 231


def register(subparsers: Any) -> None:
    """Add `bench` and its questions to the tree of commands."""
    parser = subparsers.add_parser(
        "bench",
        help="measure this machine: searches, decisions, incidents, start-up, load",
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
    _add_load(questions)


def _add_load(questions: Any) -> None:
    load = questions.add_parser(
        "load",
        help="how the service bears a city's load",
        description="Puts the same load on each side, one after the other: crews on streams and"
        " long-polls with a fix each 3 s, consoles on the feed, one incident a second, a flood of"
        " fixes, a burst of incidents; then reads the log back and looks for faults.",
        epilog="Exit code: 0 all figures as required, 1 a fault in a log or a server failed,"
        " 3 a required figure missed.",
    )
    load.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="compiled network, or an OSM file, which is imported first; the stand-in if left out",
    )
    load.add_argument(
        "--vehicles", type=_several, default=250, help="2 or more, half of each kind; default 250"
    )
    load.add_argument("--consoles", type=_positive, default=20, help="default 20")
    load.add_argument("--burst", type=_positive, default=300, help="incidents, default 300")
    load.add_argument(
        "--seconds", type=_positive, default=20, help="of the calm, default 20; 300 is a soak"
    )
    load.add_argument("--window-seconds", type=_positive, default=10, help="default 10")
    load.add_argument("--windows", type=_positive, default=3, help="with and without, default 3")
    load.add_argument(
        "--side",
        choices=SIDES,
        action="append",
        help="sqlite, or redis with so many workers; may be repeated; default sqlite",
    )
    load.add_argument("--out", type=Path, metavar="DIR", help="write load.json and load.md there")
    load.add_argument("--json", action="store_true", help="print JSON instead of tables")
    load.set_defaults(run=run_load)


def run_load(args: argparse.Namespace) -> int:
    """Put the load on each side, print, and say by the exit code how it went."""
    from api.bench.load.measure import Asked, measure_and_tell  # noqa: PLC0415
    from api.bench.load.phases import Plan  # noqa: PLC0415
    from api.bench.load.sides import Side  # noqa: PLC0415

    asked = Asked(
        network=args.network,
        vehicles=args.vehicles,
        consoles=args.consoles,
        plan=Plan(
            calm_s=float(args.seconds),
            windows=args.windows,
            window_s=float(args.window_seconds),
            burst=args.burst,
        ),
        sides=[Side(SIDES[name]) for name in args.side or ["sqlite"]],
        out=args.out,
        json=args.json,
    )
    return measure_and_tell(asked)


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


def _several(text: str) -> int:
    number = _positive(text)
    if number < len(WAYS_OF_HEARING):
        raise argparse.ArgumentTypeError(f"{text} is too few; give one for each way of hearing: 2")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; give 1 or more")
    return number
