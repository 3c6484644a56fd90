"""`kuaijing verify`: is every byte of the log as it was written?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import EXIT_DONE, EXIT_FAILED, DataMissing

if TYPE_CHECKING:
    from dispatch.store.signed_heads import HeadKey
    from dispatch.verifying import Verified


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "verify",
        help="read the whole log and find out whether anything in it was changed or damaged",
        description="Reads every event, its hash chain, the signed heads, answers to commands,"
        " closed incidents and snapshots, and names the first event that is not as it was written."
        " It only reads: the service may run. Works on a backup too.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="service folder, or a backup"
    )
    parser.add_argument(
        "--heads",
        type=Path,
        metavar="DIR",
        help="its signed heads (default: as settings.toml says)",
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="key of the heads (default: log.key in --data)"
    )
    parser.add_argument(
        "--city", type=Path, metavar="DIR", help="city folder, to print the board's digest too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verifies and reports; 1 when something is not as it was written."""
    from api.backup.check import check_backup, is_backup
    from api.settings import load_settings
    from api.storing import why_no_log
    from dispatch.store.sqlite_log import LOG_NAME
    from dispatch.verifying import verify
    from platforms.city_files import load_city

    if not (args.data / LOG_NAME).is_file():
        raise DataMissing(why_no_log(args.data))
    if args.heads is not None and not args.heads.is_dir():
        raise DataMissing(f"--heads {args.heads} is no folder")
    key = _key(args)
    if is_backup(args.data):
        found = check_backup(args.data, heads_dir=args.heads, key=key, say=_say)
    else:
        found = verify(
            args.data,
            heads_dir=args.heads or load_settings(args.data).heads_dir(args.data),
            key=key,
            city=None if args.city is None else load_city(args.city),
            say=_say,
        )
    _report(found, as_json=args.json)
    return EXIT_DONE if found.whole else EXIT_FAILED


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _key(args: argparse.Namespace) -> HeadKey | None:
    """The key given, or that of the folder; None where the folder has none, as in a backup."""
    from dispatch.store.signed_heads import KEY_NAME

    path = args.key or args.data / KEY_NAME
    if args.key is None and not path.exists():
        return None
    return read_key(path)


def read_key(path: Path) -> HeadKey:
    """The key in a file.

    Raises:
        DataMissing: It is not there, or holds none.
    """
    from dispatch.store.signed_heads import HeadKey

    try:
        return HeadKey.read(path)
    except (OSError, ValueError) as error:
        raise DataMissing(f"the key {path} cannot be read ({error}): give it with --key") from error


def _report(found: Verified, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        rows = asdict(found) | {"whole": found.whole, "first_bad_seq": found.first_bad_seq}
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    counts = ", ".join(f"{number} {name}" for name, number in sorted(found.counts.items()))
    sys.stdout.write(f"{counts or 'nothing there'}, read in {found.took_s:.2f} s\n")
    sys.stdout.write(f"chain {found.chain}\n")
    if found.board_sha256 is not None:
        sys.stdout.write(f"board {found.board_sha256}\n")
    for note in found.notes:
        sys.stdout.write(f"note: {note}\n")
    for fault in found.faults:
        place = fault.where if fault.seq is None else f"{fault.where}, event {fault.seq}"
        sys.stdout.write(f"FAULT: {place}: {fault.text}\n")
    if found.first_bad_seq is not None:
        sys.stdout.write(f"first bad event: {found.first_bad_seq}\n")
    sys.stdout.write("whole\n" if found.whole else "NOT as it was written\n")
