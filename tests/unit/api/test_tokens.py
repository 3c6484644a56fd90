"""Tokens: made, kept as hashes, noticed at once, refused when revoked or tampered with."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.errors import SettingsInvalid, TokenRefused
from api.tokens import (
    TOKEN_FILE,
    Role,
    TokenBook,
    create_token,
    create_tokens,
    read_records,
    revoke_token,
)


def test_a_token_names_its_role_and_id_and_is_kept_as_a_hash(tmp_path: Path) -> None:
    token = create_token(tmp_path, Role.DISPATCHER, unit_id=None, at_ms=5)
    prefix, role, token_id, secret = token.split("_")
    assert (prefix, role) == ("sy", "dispatcher")
    assert len(secret) == 64, "256 bits"
    text = (tmp_path / TOKEN_FILE).read_text()
    assert secret not in text
    record = read_records(tmp_path)[token_id]
    assert (record.role, record.unit_id, record.created_at_ms) == (Role.DISPATCHER, None, 5)


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    create_token(tmp_path, Role.ADMIN, unit_id=None, at_ms=0)
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600


def test_a_running_service_notices_new_and_revoked_tokens(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    token = create_token(tmp_path, Role.VEHICLE, unit_id="P01-C1", at_ms=0)
    caller = book.caller(token)
    assert caller is not None
    assert (caller.role, caller.unit_id, caller.actor) == (Role.VEHICLE, "P01-C1", "vehicle:P01-C1")
    assert book.holds(caller)
    revoke_token(tmp_path, caller.token_id, at_ms=1)
    assert book.caller(token) is None
    assert not book.holds(caller)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: token.replace("analyst", "admin"),
        lambda token: token + "_",
        lambda token: token.upper(),
        lambda _token: "",
        lambda _token: "sy_admin",
    ],
)
def test_a_spoilt_token_is_nobody(tmp_path: Path, spoil: object) -> None:
    book = TokenBook(tmp_path)
    token = create_token(tmp_path, Role.ANALYST, unit_id=None, at_ms=0)
    assert book.caller(token) is not None
    assert book.caller(spoil(token)) is None  # type: ignore[operator]


@pytest.mark.parametrize(("role", "unit_id"), [(Role.VEHICLE, None), (Role.ADMIN, "P01-C1")])
def test_units_belong_to_vehicles(tmp_path: Path, role: Role, unit_id: str | None) -> None:
    with pytest.raises(TokenRefused, match="unit"):
        create_token(tmp_path, role, unit_id=unit_id, at_ms=0)
    assert read_records(tmp_path) == {}


def test_many_at_once_lose_none(tmp_path: Path) -> None:
    def make(_number: int) -> str:
        return create_token(tmp_path, Role.ANALYST, unit_id=None, at_ms=0)

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(make, range(24)))
    book = TokenBook(tmp_path)
    assert all(book.caller(token) for token in tokens)


def test_revoking_takes_the_id_or_the_whole_token_and_keeps_the_first_time(tmp_path: Path) -> None:
    one, other = create_tokens(tmp_path, [(Role.ADMIN, None), (Role.ANALYST, None)], at_ms=0)
    revoke_token(tmp_path, one, at_ms=7)
    assert revoke_token(tmp_path, one.split("_")[2], at_ms=9).revoked_at_ms == 7
    assert TokenBook(tmp_path).caller(other) is not None
    with pytest.raises(TokenRefused, match="token list"):
        revoke_token(tmp_path, "ffffffff", at_ms=1)


@pytest.mark.parametrize("text", ["", "[]", '{"tokens": [{}]}', '{"tokens": 3}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / TOKEN_FILE).write_text(text)
    with pytest.raises(SettingsInvalid, match=TOKEN_FILE):
        TokenBook(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"tokens": [{}]}', '{"tokens": 3}', "\udcff"])
def test_damage_under_a_running_service_locks_nobody_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    token = create_token(tmp_path, Role.DISPATCHER, unit_id=None, at_ms=0)
    book, good = TokenBook(tmp_path), (tmp_path / TOKEN_FILE).read_bytes()
    (tmp_path / TOKEN_FILE).write_bytes(text.encode(errors="surrogateescape"))
    for _ in range(3):
        assert book.caller(token) is not None
    assert book.damage is not None
    assert TOKEN_FILE in book.damage
    assert len(caplog.records) == 1, "told once, not at every request"

    # Mended, it is read anew.
    (tmp_path / TOKEN_FILE).write_bytes(good)
    revoke_token(tmp_path, token, at_ms=1)
    assert book.caller(token) is None
    assert book.damage is None


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    create_token(tmp_path, Role.ADMIN, unit_id=None, at_ms=0)
    (row,) = json.loads((tmp_path / TOKEN_FILE).read_text())["tokens"]
    assert set(row) == {"token_id", "role", "unit_id", "sha256", "created_at_ms", "revoked_at_ms"}
