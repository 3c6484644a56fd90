"""`kuaijing token create|list|revoke`: works while the service runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from api.clock import now_ms, rfc3339_or_none
from api.errors import EXIT_DONE
from api.tokens import Role, create_token, read_records, revoke_token


def register(subparsers: Any) -> None:
    """Adds the command and its three actions."""
    parser = subparsers.add_parser(
        "token",
        help="make, list and revoke bearer tokens",
        description="Bearer tokens of the HTTP API. A running service notices at once.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    create = actions.add_parser(
        "create",
        help="make a token and print it, alone, on stdout",
        description="Makes a token and prints it, alone, on stdout. Only its hash is kept: it"
        " cannot be shown again.",
    )
    create.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    create.add_argument("--role", required=True, choices=[role.value for role in Role])
    create.add_argument("--unit", metavar="ID", help="the unit of a vehicle's token, as P01-C1")
    create.set_defaults(run=run_create)

    listing = actions.add_parser("list", help="list all tokens, without their secrets")
    listing.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)

    revoke = actions.add_parser("revoke", help="end a token; it is refused from now on")
    revoke.add_argument("token_id", metavar="ID", help="its id, see `kuaijing token list`")
    revoke.add_argument("--data", type=Path, required=True, metavar="DIR", help="service folder")
    revoke.add_argument("--json", action="store_true", help="print JSON")
    revoke.set_defaults(run=run_revoke)


def run_create(args: argparse.Namespace) -> int:
    """Makes a token and prints it."""
    if args.role == Role.VEHICLE and args.unit:
        _look_up(args.data, args.unit)
    new = not args.data.exists()
    token = create_token(args.data, Role(args.role), unit_id=args.unit, at_ms=now_ms())
    sys.stdout.write(token + "\n")
    if new:
        sys.stderr.write(
            f"kuaijing: {args.data} was not there and is made now; the token holds for a service"
            f" started with --data {args.data}\n"
        )
    return EXIT_DONE


def _look_up(data_dir: Path, unit_id: str) -> None:
    """Refuses a unit that the city does not have; says so where that cannot be told."""
    from api.served_city import check_unit

    unsure = check_unit(data_dir, unit_id)
    if unsure is not None:
        sys.stderr.write(f"kuaijing: {unsure}\n")


def run_list(args: argparse.Namespace) -> int:
    """Lists all tokens, oldest first."""
    rows = [
        {
            "id": record.token_id,
            "role": record.role.value,
            "unit_id": record.unit_id,
            "created_at": rfc3339_or_none(record.created_at_ms),
            "revoked_at": rfc3339_or_none(record.revoked_at_ms),
        }
        for record in read_records(args.data).values()
    ]
    if args.json:
        sys.stdout.write(json.dumps({"items": rows}, ensure_ascii=False) + "\n")
        return EXIT_DONE
    for row in rows:
        state = f"revoked {row['revoked_at']}" if row["revoked_at"] else "holds"
        unit = row["unit_id"] or "-"
        sys.stdout.write(f"{row['id']}  {row['role']:<10}  {unit:<10}  {state}\n")
    return EXIT_DONE


def run_revoke(args: argparse.Namespace) -> int:
    """Ends a token."""
    record = revoke_token(args.data, args.token_id, at_ms=now_ms())
    report = {"id": record.token_id, "revoked_at": rfc3339_or_none(record.revoked_at_ms)}
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stderr.write(f"token {record.token_id} is revoked\n")
    return EXIT_DONE
