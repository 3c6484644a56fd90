"""`kuaijing callers reads|forget`: who read whose name and number, and dropping one at once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import EXIT_DONE, DataMissing

if TYPE_CHECKING:
    from api.callers.caller_file import CallerFile

BY_COMMAND = "command"
"""In `forgotten_by`: somebody at this machine asked for it."""


def register(subparsers: Any) -> None:
    """Adds the command and its two actions."""
    parser = subparsers.add_parser(
        "callers",
        help="who read callers' names and numbers; forget one at once",
        description="Callers' names and numbers are sealed apart from the log. Both actions work"
        " while the service runs, also when its log is on a Redis server.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    reads = actions.add_parser("reads", help="list who read callers, oldest first")
    reads.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    reads.add_argument("--incident", metavar="ID", help="of this incident only, as I000001")
    reads.add_argument("--json", action="store_true", help="print JSON")
    reads.set_defaults(run=run_reads)

    forget = actions.add_parser(
        "forget",
        help="forget an incident's caller now, in all backups too",
        description="Drops the key of an incident's caller, which no backup holds: what was"
        " sealed under it is unreadable everywhere. The incident itself stays as it is.",
    )
    forget.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    forget.add_argument("--incident", required=True, metavar="ID", help="as I000001")
    forget.add_argument("--json", action="store_true", help="print JSON")
    forget.set_defaults(run=run_forget)


def run_reads(args: argparse.Namespace) -> int:
    """Lists who read callers."""
    from api.clock import rfc3339

    with _callers_of(args.data) as file:
        rows = [
            {
                "at": rfc3339(read.at_ms),
                "actor": read.actor,
                "token_id": read.token_id,
                "incident_id": read.incident_id,
            }
            for read in file.reads(args.incident)
        ]
    if args.json:
        sys.stdout.write(json.dumps({"items": rows}, ensure_ascii=False) + "\n")
        return EXIT_DONE
    for row in rows:
        sys.stdout.write(f"{row['at']}  {row['incident_id']:<10}  {row['actor']}\n")
    return EXIT_DONE


def run_forget(args: argparse.Namespace) -> int:
    """Forgets one caller."""
    from api.clock import now_ms

    with _callers_of(args.data) as file:
        forgotten = file.forget(args.incident, at_ms=now_ms(), by=BY_COMMAND)
    if not forgotten:
        raise DataMissing(
            f"{args.data} keeps no caller of incident {args.incident}: none was given, or it was"
            " forgotten before"
        )
    if args.json:
        sys.stdout.write(json.dumps({"incident_id": args.incident, "forgotten": True}) + "\n")
    else:
        sys.stderr.write(f"the caller of {args.incident} is forgotten\n")
    return EXIT_DONE


@contextmanager
def _callers_of(data_dir: Path) -> Iterator[CallerFile]:
    """The callers of a folder that has some.

    Raises:
        DataMissing: It has none, or they cannot be read.
    """
    import sqlite3

    from api.callers.caller_file import CallerFile
    from api.callers.caller_tables import CALLERS_FILE

    path = data_dir / CALLERS_FILE
    if not path.is_file():
        raise DataMissing(
            f"--data {data_dir} holds no {CALLERS_FILE}: give a service's folder; no caller was"
            " ever kept in this one"
        )
    try:
        file = CallerFile(data_dir)
    except (sqlite3.Error, OSError, ValueError) as error:
        raise DataMissing(f"{path} cannot be used: {error}") from error
    try:
        yield file
    except sqlite3.Error as error:
        raise DataMissing(f"{path} cannot be used: {error}") from error
    finally:
        file.close()
