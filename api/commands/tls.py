"""`kuaijing tls make-ca`: a private authority and a server certificate for a closed network."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from api.errors import EXIT_DONE


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("tls", help="make certificates for a closed network")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    make = actions.add_parser(
        "make-ca",
        help="make a private CA and a server certificate",
        description="Makes a private CA and a server certificate signed by it, as ca.crt, ca.key,"
        " server.crt and server.key. Clients get ca.crt; ca.key belongs off the server.",
    )
    make.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write, new or empty"
    )
    make.add_argument(
        "--host",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="names and addresses that clients use; loopback is always in it",
    )
    make.add_argument("--json", action="store_true", help="print JSON")
    make.set_defaults(run=run_make_ca)


def run_make_ca(args: argparse.Namespace) -> int:
    """Makes the files and says what to do with them."""
    from api.tls import CA_CERT, CA_DAYS, CA_KEY, SERVER_DAYS, make_ca, utc_now

    files = make_ca(args.out, args.host, now=utc_now())
    ca, ca_key = args.out / CA_CERT, args.out / CA_KEY
    if args.json:
        report = {
            "ca": str(ca),
            "ca_key": str(ca_key),
            "cert": str(files.cert),
            "key": str(files.key),
            "ca_days": CA_DAYS,
            "server_days": SERVER_DAYS,
        }
        sys.stdout.write(json.dumps(report) + "\n")
        return EXIT_DONE
    sys.stderr.write(
        f"serve with  --tls-cert {files.cert} --tls-key {files.key}\n"
        f"give clients {ca}; they trust it as their own authority\n"
        f"take {ca_key} off this machine: who holds it can pose as the server\n"
        f"the server's certificate holds {SERVER_DAYS} days, the authority {CA_DAYS}\n"
    )
    return EXIT_DONE
