"""`kuaijing doctor`: is this installation fit to run?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import EXIT_DONE, EXIT_FAILED

if TYPE_CHECKING:
    from api.checkup.finding import Finding


DEFAULT_PORT = 8000


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="check the installation, and a service folder",
        description="Checks Python, the packages' names and versions, clock and time zones, SQLite,"
        " Chinese fonts, the port, and whether network and city belong together; with --data also a"
        " service's folder: rights, room, lock, log, keys and signed heads; with --store a Redis"
        " server: its settings, the log's end and who leads.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="service folder")
    parser.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="compiled network (default: the one that ships)",
    )
    parser.add_argument(
        "--city", type=Path, metavar="DIR", help="city folder (default: the one that ships)"
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"port of the service ({DEFAULT_PORT})"
    )
    parser.add_argument(
        "--store",
        metavar="STORE",
        help="redis://[USER@]HOST:PORT/DB that holds the log; sqlite: it is in the folder",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Looks at everything and reports; 1 when something must be mended."""
    findings = list(look(args))
    if args.json:
        rows = [finding._asdict() for finding in findings]
        sys.stdout.write(json.dumps({"items": rows}, ensure_ascii=False) + "\n")
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
            sys.stdout.write(f"{mark}  {finding.what}: {finding.text}\n")
    return EXIT_FAILED if any(finding.ok is False for finding in findings) else EXIT_DONE


def look(args: argparse.Namespace) -> Iterator[Finding]:
    """All findings, one by one."""
    from api.checkup.data import look_at_data
    from api.checkup.folder import look_at_folder
    from api.checkup.machine import look_at_machine
    from api.checkup.network import look_at_port
    from api.storing import SQLITE

    yield from look_at_machine()
    yield from look_at_port(args.port, args.data)
    yield from look_at_data(args.network, args.city)
    if args.data is not None:
        yield from look_at_folder(args.data)
    if args.store not in (None, SQLITE):
        from api.checkup.redis_log import look_at_redis

        yield from look_at_redis(args.store, args.data)
