"""`kuaijing restore`: a service's folder out of a backup that is as it was written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from api.errors import EXIT_DONE


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "restore",
        help="make a service's folder of a backup, if the backup is as it was written",
        description="Verifies a backup and makes a new service folder of it. A damaged backup and"
        " a folder that holds anything are refused.",
    )
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="the backup")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder to make, or an empty one"
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="log.key of the service it was taken from, to check the signature too",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restores and reports."""
    import signal

    from api.backup.put_back import put_back
    from api.commands.verify import read_key

    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    key = None if args.key is None else read_key(args.key)
    manifest, found = put_back(args.backup, args.data, key=key, say=_say)
    if args.json:
        row = {
            "data": str(args.data),
            "seq": found.events,
            "chain": found.chain,
            "board_sha256": manifest.board_sha256,
            "created_at": manifest.created_at,
        }
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(
            f"{args.data} stands at event {found.events}, as of {manifest.created_at}\n"
        )
    return EXIT_DONE


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
