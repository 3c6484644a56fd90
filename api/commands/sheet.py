"""`kuaijing sheet`: the open incidents on paper, out of the folder of a service that is down."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from api.errors import EXIT_DONE


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "sheet",
        help="write the open incidents as a page to print, while the service is down",
        description="Reads a service's log, changes nothing, and writes a page to print: each open"
        " incident with its units, and the free units by platform, as of the last event.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html", help="page to write or replace"
    )
    parser.add_argument(
        "--city",
        type=Path,
        metavar="DIR",
        help="city folder of that service; left out, the one it last ran with",
    )
    parser.add_argument("--json", action="store_true", help="print the sheet as JSON, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the page and says what is on it."""
    import msgspec

    from api.sheet.from_folder import sheet_of_folder
    from api.sheet.page import page_of
    from api.sheet.writing import write_page

    sheet = sheet_of_folder(args.data, args.city)
    write_page(args.out, page_of(sheet))
    if args.json:
        sys.stdout.write(msgspec.json.encode(sheet).decode() + "\n")
    else:
        free = sum(len(one.free) for one in sheet.platforms)
        sys.stdout.write(
            f"{args.out}: {len(sheet.incidents) + sheet.left_out} open incidents, {free} free"
            f" units, as of {sheet.at}\n"
        )
    return EXIT_DONE
