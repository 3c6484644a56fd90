"""`kuaijing backup`: one moment of a service's folder, checked, while the service runs on."""

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
        "backup",
        help="copy a service's folder while it runs, and check the copy",
        description="Copies the log as it stands at one moment, with settings, tokens and a"
        " manifest of digests, and verifies the copy. The service may run. An unfinished backup"
        " leaves nothing behind.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="the backup to make, or a folder that is there and gets one more",
    )
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Takes the backup and prints where it is."""
    import signal
    from dataclasses import asdict

    from api.backup.take import take_backup

    # Told to stop, it goes the way of any error: what is unfinished is taken away.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    target, manifest = take_backup(args.data, args.out, say=_say)
    if args.json:
        row = {"path": str(target)} | asdict(manifest)
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{target}\n")
        sys.stderr.write(f"event {manifest.seq}, chain {manifest.chain}\n")
    return EXIT_DONE


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
