"""`kuaijing serve`: the service itself."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import Any

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
WORKERS_MAX = 32
"""More would wait for the one that decides, not for a processor."""


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "serve",
        help="run the service",
        description="Runs the HTTP service. It is ready when GET /readyz answers 200. Without"
        " --network and --city the synthetic stand-in of Shaoyang is used.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the log, the tokens and settings.toml; made when missing",
    )
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder")
    parser.add_argument("--network", type=Path, metavar="FILE", help="compiled road network")
    parser.add_argument(
        "--store",
        default="sqlite",
        metavar="STORE",
        help="where the log is kept: sqlite (default), or redis://[USER@]HOST:PORT/DB",
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"address (default {DEFAULT_HOST})")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"port (default {DEFAULT_PORT}, 0: any)"
    )
    _add_tls(parser)
    _add_workers(parser)
    parser.add_argument(
        "--demo", action="store_true", help="make demo tokens and drive simulated traffic"
    )
    parser.set_defaults(run=run)


def _add_tls(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        help="a proxy in front does TLS: its word counts for scheme and address, and an address"
        " other than loopback is taken",
    )
    parser.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="certificate, PEM; see kuaijing tls make-ca"
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, PEM, no password")


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help=f"serve with N processes, 1 to {WORKERS_MAX}, that share the log with each other and"
        " with other machines; with --store redis://... only",
    )
    parser.add_argument(
        "--peer-host",
        metavar="HOST",
        help="address at which workers of other machines reach those of this one"
        f" (default {DEFAULT_HOST}: there are none)",
    )
    parser.add_argument(
        "--peer-ca", type=Path, metavar="FILE", help="who signed the peers' certificates, PEM"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the service until it is told to stop."""
    if args.workers is not None:
        # As little as can be: all this process does is look after others.
        from api.workers.supervisor import supervise

        return supervise(args)
    # What is loaded now stays for ever: looking through it for garbage, again and again while it
    # grows, took a tenth of the start. The service turns it on when it has put all that aside.
    gc.disable()
    from api.serving import serve

    return serve(args)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= WORKERS_MAX:
        raise argparse.ArgumentTypeError(f"{text}: a number from 1 to {WORKERS_MAX} is meant")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port; one from 0 to 65535 is meant")
    return int(text)
