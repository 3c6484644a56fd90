"""How the supervisor starts a worker; nobody types this."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from api.cli import exit_code_of


def main() -> int:
    """Runs one worker until it is told to stop."""
    parser = argparse.ArgumentParser(prog="kuaijing worker", allow_abbrev=False)
    for number in ("--number", "--listener", "--alive"):
        parser.add_argument(number, type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", required=True)
    for path in ("--city", "--network", "--tls-cert", "--tls-key", "--peer-ca"):
        parser.add_argument(path, type=Path)
    parser.add_argument("--peer-host")
    for flag in ("--behind-proxy", "--demo"):
        parser.add_argument(flag, action="store_true")
    args = parser.parse_args()

    # As in `kuaijing serve`: what is loaded now stays.
    gc.disable()
    from api.workers.worker import work  # noqa: PLC0415  # its errors are told in one line, too

    return exit_code_of(lambda: work(args))


if __name__ == "__main__":
    sys.exit(main())
