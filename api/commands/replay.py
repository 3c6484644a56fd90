"""`kuaijing replay`: does the log lead to the same board again?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from api.errors import EXIT_DONE, EXIT_FAILED, DataMissing


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "replay",
        help="replay the log from its first event and print the board's digest",
        description="Replays the log from its first event. Equal logs give equal digests; a start"
        " from the newest snapshot must lead to the same board. The service must not run.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder of that service")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replays and reports; 1 when the snapshot disagrees with the log."""
    import asyncio
    import json
    from dataclasses import asdict

    from dispatch.replay import replay
    from platforms.city_files import load_city
    from platforms.shipped import shipped_city

    if not args.data.is_dir():
        raise DataMissing(f"--data {args.data} is no folder of a service")
    found = asyncio.run(replay(args.data, load_city(args.city or shipped_city())))
    if args.json:
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
    else:
        agrees = "agrees" if found.snapshot_agrees else "DISAGREES with the log"
        sys.stdout.write(
            f"{found.events} events in {found.took_s:.2f} s,"
            f" {found.open_incidents} incidents open\n"
            f"board {found.board_sha256}\n"
            f"newest snapshot {agrees}\n"
        )
    return EXIT_DONE if found.snapshot_agrees else EXIT_FAILED
