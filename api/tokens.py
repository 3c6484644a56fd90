"""Bearer tokens: made by the command line, kept as hashes, read by the service at every request.

A token is `sy_<role>_<id>_<secret>` with 256 random bits. DIR/tokens.json holds the SHA-256 of
each, never the token. The file is replaced as a whole, so that a reader sees the old or the new
one; the service looks at its time stamp at each request, so a revocation holds at once. A file
that got damaged under a running service locks nobody out: the tokens last read go on to hold.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from api.errors import SettingsInvalid, TokenRefused

_log = logging.getLogger(__name__)

TOKEN_FILE = "tokens.json"  # noqa: S105  # a file name, no secret
SECRET_BYTES = 32
TOKENS_MAX = 10_000
"""Bound of the file: a city has some hundred vehicles and desks."""


class Role(StrEnum):
    """What the holder of a token is."""

    DISPATCHER = "dispatcher"
    COMMANDER = "commander"
    VEHICLE = "vehicle"
    ANALYST = "analyst"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What is kept of a token.

    Attributes:
        token_id: The public part, named in logs and events.
        role: What the holder is.
        unit_id: The unit a vehicle's token is bound to; None for all other roles.
        sha256: Hash of the whole token, hexadecimal.
        created_at_ms: When it was made.
        revoked_at_ms: When it was revoked; None while it holds.
    """

    token_id: str
    role: Role
    unit_id: str | None
    sha256: str
    created_at_ms: int
    revoked_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a request.

    Attributes:
        token_id: Public part of the token.
        role: What the caller is.
        unit_id: The caller's own unit; None unless a vehicle.
        actor: How the log names the caller, as "dispatcher:3f9a0c12".
    """

    token_id: str
    role: Role
    unit_id: str | None
    actor: str


def create_token(data_dir: Path, role: Role, *, unit_id: str | None, at_ms: int) -> str:
    """Makes a token, keeps its hash and returns the token itself, which is never seen again.

    Raises:
        TokenRefused: A vehicle without a unit, another role with one, or too many tokens.
    """
    return create_tokens(data_dir, [(role, unit_id)], at_ms=at_ms)[0]


def create_tokens(
    data_dir: Path, wanted: list[tuple[Role, str | None]], *, at_ms: int
) -> list[str]:
    """Makes several tokens in one write of the file, in the order asked for.

    Raises:
        TokenRefused: A vehicle without a unit, another role with one, or too many tokens.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    tokens: list[str] = []
    with _locked(data_dir):
        records = read_records(data_dir)
        if len(records) + len(wanted) > TOKENS_MAX:
            raise TokenRefused(
                f"{data_dir / TOKEN_FILE} would hold more than {TOKENS_MAX} tokens;"
                " remove the file's revoked entries first"
            )
        for role, unit_id in wanted:
            token, record = _new_token(role, unit_id, at_ms)
            tokens.append(token)
            records[record.token_id] = record
        _write_records(data_dir, records)
    return tokens


def revoke_token(data_dir: Path, token_id: str, *, at_ms: int) -> TokenRecord:
    """Ends a token; the service refuses it from the next request on.

    Args:
        data_dir: The service's folder.
        token_id: The public part, or the whole token.
        at_ms: Now.

    Raises:
        TokenRefused: No such token.
    """
    public = token_id.split("_")[2] if token_id.count("_") == 3 else token_id
    with _locked(data_dir):
        records = read_records(data_dir)
        if public not in records:
            raise TokenRefused(
                f"no token {public!r} in {data_dir / TOKEN_FILE};"
                f" see them all: kuaijing token list --data {data_dir}"
            )
        if records[public].revoked_at_ms is None:
            records[public] = replace(records[public], revoked_at_ms=at_ms)
            _write_records(data_dir, records)
        return records[public]


def read_records(data_dir: Path) -> dict[str, TokenRecord]:
    """All tokens by their public id, oldest first; empty when the file is not there.

    Raises:
        SettingsInvalid: The file is damaged or cannot be read.
    """
    path = data_dir / TOKEN_FILE
    try:
        rows = json.loads(path.read_bytes())["tokens"]
        return {row["token_id"]: TokenRecord(**{**row, "role": Role(row["role"])}) for row in rows}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsInvalid(
            f"{path} cannot be read ({error.strerror}); give the service's user the right to"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsInvalid(
            f"{path} is damaged ({error}); restore it from a backup, or remove it and make"
            " new tokens"
        ) from error


class TokenBook:
    """The service's view of the token file, renewed whenever the file changes.

    Attributes:
        damage: What is wrong with the file now, for people; None while it can be read.
    """

    def __init__(self, data_dir: Path) -> None:
        """Reads the file.

        Raises:
            SettingsInvalid: The file is damaged or cannot be read.
        """
        self._data_dir = data_dir
        self._path = data_dir / TOKEN_FILE
        self._seen: tuple[int, int, int] | None = None
        self._records: dict[str, TokenRecord] = {}
        self._callers: dict[str, Caller] = {}
        self.damage: str | None = None
        seen = self._stamp()
        self._take_over()
        self._seen = seen

    def refresh(self) -> None:
        """Reads the file again if it was replaced; costs one stat otherwise.

        A damaged file changes nothing but `damage`, and is told once to the log.
        """
        seen = self._stamp()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._take_over()
        except SettingsInvalid as error:
            self.damage = str(error)
            _log.error("%s; the tokens last read go on to hold until then", error)
        else:
            self.damage = None

    def _stamp(self) -> tuple[int, int, int]:
        try:
            stat = os.stat(self._path)  # noqa: PTH116  # a Path method costs twice the time here
        except FileNotFoundError:
            return 0, 0, 0
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _take_over(self) -> None:
        self._records = read_records(self._data_dir)
        self._callers = {
            token_id: _caller(record)
            for token_id, record in self._records.items()
            if record.revoked_at_ms is None
        }

    def caller(self, token: str) -> Caller | None:
        """Who holds this token; None when it is unknown, damaged or revoked."""
        self.refresh()
        parts = token.split("_")
        if len(parts) != 4 or parts[2] not in self._callers:
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        if not hmac.compare_digest(digest, self._records[parts[2]].sha256):
            return None
        return self._callers[parts[2]]

    def holder(self, token_id: str) -> Caller | None:
        """Who holds the token of this public id; None when it is unknown or revoked."""
        self.refresh()
        return self._callers.get(token_id)

    def holds(self, caller: Caller) -> bool:
        """Whether the caller's token still holds; open streams ask this every second."""
        self.refresh()
        return caller.token_id in self._callers


def _new_token(role: Role, unit_id: str | None, at_ms: int) -> tuple[str, TokenRecord]:
    if role is Role.VEHICLE and not unit_id:
        raise TokenRefused("a vehicle's token is bound to its unit; add --unit, as --unit P01-C1")
    if role is not Role.VEHICLE and unit_id:
        raise TokenRefused(f"--unit goes with --role vehicle only, not with {role}")
    token_id = secrets.token_hex(4)
    token = f"sy_{role}_{token_id}_{secrets.token_hex(SECRET_BYTES)}"
    record = TokenRecord(
        token_id=token_id,
        role=role,
        unit_id=unit_id,
        sha256=hashlib.sha256(token.encode()).hexdigest(),
        created_at_ms=at_ms,
    )
    return token, record


def _caller(record: TokenRecord) -> Caller:
    return Caller(
        token_id=record.token_id,
        role=record.role,
        unit_id=record.unit_id,
        actor=f"{record.role}:{record.unit_id or record.token_id}",
    )


def _write_records(data_dir: Path, records: dict[str, TokenRecord]) -> None:
    path = data_dir / TOKEN_FILE
    draft = path.with_suffix(".json.new")
    text = json.dumps({"tokens": [asdict(record) for record in records.values()]}, indent=1)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Keeps two commands from losing each other's tokens."""
    with (data_dir / "tokens.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
