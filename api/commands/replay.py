"""`kuaijing replay`: does the log lead to the same board again?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import EXIT_DONE, EXIT_FAILED, DataMissing

if TYPE_CHECKING:
    from platforms.city import City


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "replay",
        help="replay the log from its first event and print the board's digest",
        description="Replays the log from its first event. Equal logs on equal units give equal"
        " digests; a start from the newest snapshot must lead to the same board. The service must"
        " not run.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    parser.add_argument(
        "--city",
        type=Path,
        metavar="DIR",
        help="city folder of that service; left out, the one it last ran with",
    )
    parser.add_argument(
        "--other-units",
        action="store_true",
        help="replay though the city's units are not those the service last ran with",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replays and reports; 1 when the snapshot disagrees with the log."""
    import asyncio
    import json
    from dataclasses import asdict

    from api.storing import why_no_log
    from dispatch.replay import replay
    from dispatch.store.sqlite_log import LOG_NAME

    if not (args.data / LOG_NAME).is_file():
        raise DataMissing(why_no_log(args.data))
    city = _city_of(args.data, args.city, other_units=args.other_units)
    found = asyncio.run(replay(args.data, city))
    if args.json:
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
    else:
        agrees = "agrees" if found.snapshot_agrees else "DISAGREES with the log"
        sys.stdout.write(
            f"{found.events} events in {found.took_s:.2f} s,"
            f" {found.open_incidents} incidents open\n"
            f"board {found.board_sha256}\n"
            f"units {found.units_sha256}\n"
            f"newest snapshot {agrees}\n"
        )
    return EXIT_DONE if found.snapshot_agrees else EXIT_FAILED


def _city_of(data_dir: Path, given: Path | None, *, other_units: bool) -> City:
    """The city that the service last ran with; or the given one, if its units are the same.

    Raises:
        DataMissing: The city is not where it was, or its units are others.
    """
    from api.served_city import read_served_city
    from dispatch.replay import units_sha256
    from platforms.city_files import load_city
    from platforms.shipped import shipped_city

    record = read_served_city(data_dir)
    folder = given
    if given is None and record is not None and record.folder is not None:
        folder = Path(record.folder)
        if not folder.is_dir():
            raise DataMissing(
                f"the city that the service last ran with, {record.told}, is not there any more:"
                " give its folder with --city"
            )
    city = load_city(folder or shipped_city())
    if record is None:
        sys.stderr.write(
            f"kuaijing: which city the service on {data_dir} ran with is not written down there;"
            " the digest counts for the units below\n"
        )
    elif record.units_sha256 != units_sha256(city) and not other_units:
        mend = "start the service once" if given is None else "leave --city out"
        raise DataMissing(
            f"the units of {folder or 'the city that ships'} are not those that the service last"
            f" ran with, {record.told}: the digest would be another than its own; {mend}, or add"
            " --other-units to replay all the same"
        )
    return city
