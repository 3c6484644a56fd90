"""Callers on the disk: sealed apart, read with a record, and gone for good when forgotten."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api.callers.caller_file import CalledAbout, CallerFile, Reader
from api.callers.caller_tables import CALLERS_FILE, KEYS_FILE
from api.callers.sealing import CallerDetails, seal, unseal
from api.errors import CallerNotKept
from dispatch.words import UnixMs

NAME, PHONE = "张三丰", "13873912345"
ZHANG = CallerDetails(name=NAME, phone=PHONE, note="门口等")
LI = CallerDetails(name="李四", phone="0739-5361234")
FIRST = CalledAbout(incident_id="I000001", received_at_ms=UnixMs(1_000), version=2)
DESK = Reader(actor="dispatcher:3f9a0c12", token_id="3f9a0c12", at_ms=UnixMs(5_000))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[CallerFile]:
    with closing(CallerFile(tmp_path)) as opened:
        yield opened


def kept(file: CallerFile, about: CalledAbout, details: CallerDetails = ZHANG) -> bool:
    return file.keep(about, details, at_ms=UnixMs(2_000))


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_caller_is_given_out_as_it_was_given_and_the_reading_is_recorded(
    file: CallerFile,
) -> None:
    assert kept(file, FIRST)
    assert file.read(FIRST, DESK) == ZHANG
    (read,) = file.reads()
    assert (read.actor, read.incident_id, read.at_ms) == (DESK.actor, "I000001", 5_000)
    assert list(file.reads("I000002")) == []


def test_nothing_is_given_out_where_the_reading_cannot_be_recorded(
    file: CallerFile, tmp_path: Path
) -> None:
    kept(file, FIRST)
    with closing(sqlite3.connect(tmp_path / CALLERS_FILE)) as other:
        refusing = "BEFORE INSERT ON reads BEGIN SELECT RAISE(ABORT, ''); END"
        other.execute(f"CREATE TRIGGER full {refusing}")
    with pytest.raises(sqlite3.Error):
        file.read(FIRST, DESK)


def test_on_the_disk_is_no_plain_text_and_the_files_are_their_owners_alone(
    file: CallerFile, tmp_path: Path
) -> None:
    kept(file, FIRST)
    for name in (CALLERS_FILE, KEYS_FILE):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    written = bytes_in(tmp_path)
    assert PHONE.encode() not in written
    assert NAME.encode() not in written
    assert NAME not in repr(ZHANG), "nor in a traceback"


def test_files_that_were_copied_carelessly_are_their_owners_again(tmp_path: Path) -> None:
    CallerFile(tmp_path).close()
    for name in (CALLERS_FILE, KEYS_FILE):
        (tmp_path / name).chmod(0o644)
    CallerFile(tmp_path).close()
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_forgotten_caller_cannot_be_read_with_anything_that_is_left(
    file: CallerFile, tmp_path: Path
) -> None:
    kept(file, FIRST)
    with closing(sqlite3.connect(tmp_path / KEYS_FILE)) as keys:
        (key,) = keys.execute("SELECT key FROM caller_keys").fetchone()
    with closing(sqlite3.connect(tmp_path / CALLERS_FILE)) as callers:
        (sealed,) = callers.execute("SELECT sealed FROM callers").fetchone()
    assert key in bytes_in(tmp_path)
    assert unseal(sealed, key, bound_to=FIRST.bound_to) == ZHANG, "so the key is what matters"

    assert file.forget("I000001", at_ms=UnixMs(6_000), by="command")
    left = bytes_in(tmp_path)
    assert key not in left, "not in a free page either"
    assert sealed not in left
    with pytest.raises(CallerNotKept, match="forgotten"):
        file.read(FIRST, DESK)
    assert not file.forget("I000001", at_ms=UnixMs(6_000), by="command")
    assert not kept(file, FIRST), "a repeated command does not bring it back"
    assert kept(file, replace(FIRST, version=3), LI), "but somebody may give it anew"


def test_later_versions_replace_and_repetitions_do_not(file: CallerFile) -> None:
    assert kept(file, FIRST)
    assert kept(file, replace(FIRST, version=5), LI)
    assert kept(file, FIRST), "there already, in a later form"
    assert file.read(FIRST, DESK) == LI


def test_an_id_that_was_given_anew_after_a_restore_does_not_find_the_old_caller(
    file: CallerFile,
) -> None:
    kept(file, FIRST)
    anew = replace(FIRST, received_at_ms=UnixMs(9_000), version=1)
    with pytest.raises(CallerNotKept, match="none was given"):
        file.read(anew, DESK)
    assert list(file.reads()) == [], "nothing was read"
    assert kept(file, anew, LI)
    assert file.read(anew, DESK) == LI


def test_without_its_key_a_caller_is_not_there_and_moved_rows_do_not_open(
    file: CallerFile, tmp_path: Path
) -> None:
    kept(file, FIRST)
    second = replace(FIRST, incident_id="I000002")
    kept(file, second, LI)
    with closing(sqlite3.connect(tmp_path / CALLERS_FILE)) as other, other:
        moved = other.execute("SELECT key_id, sealed FROM callers").fetchall()[0]
        other.execute("UPDATE callers SET key_id = ?, sealed = ? WHERE version = 2", moved)
    with pytest.raises(ValueError, match="does not open"):
        file.read(second, DESK)
    with closing(sqlite3.connect(tmp_path / KEYS_FILE)) as keys, keys:
        keys.execute("DELETE FROM caller_keys")
    with pytest.raises(CallerNotKept, match="no backup holds"):
        file.read(FIRST, DESK)


def test_the_sweep_takes_what_has_ended_and_is_old(file: CallerFile) -> None:
    for number, received_at_ms in enumerate((1_000, 1_500, 8_000)):
        about = replace(FIRST, incident_id=f"I{number}", received_at_ms=UnixMs(received_at_ms))
        kept(file, about)
        file.read(about, replace(DESK, at_ms=UnixMs(received_at_ms)))

    def sweep() -> int:
        return file.forget_older(
            UnixMs(5_000), but={"I1"}, reads_before_ms=UnixMs(1_200), at_ms=UnixMs(9_000)
        )

    assert sweep() == 1
    assert sweep() == 0
    left = [
        replace(FIRST, incident_id=f"I{n}", received_at_ms=UnixMs(r))
        for n, r in ((1, 1_500), (2, 8_000))
    ]
    assert [file.read(about, DESK) for about in left] == [ZHANG, ZHANG]
    assert [one.at_ms for one in file.reads()][:2] == [1_500, 8_000], "the oldest reading is gone"


def test_files_of_a_newer_version_are_left_alone(file: CallerFile, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / CALLERS_FILE)) as other, other:
        other.execute("UPDATE meta SET value = 2")
    with pytest.raises(ValueError, match="format 2"):
        CallerFile(tmp_path)


def test_a_seal_of_another_key_does_not_open() -> None:
    sealed = seal(ZHANG, bytes(32), bound_to=b"I1")
    assert unseal(sealed, bytes(32), bound_to=b"I1") == ZHANG
    for key, bound_to, text in (
        (bytes([1] * 32), b"I1", sealed),
        (bytes(32), b"I2", sealed),
        (bytes(32), b"I1", sealed[:-1]),
        (bytes(32), b"I1", b""),
    ):
        with pytest.raises(ValueError, match="does not open") as caught:
            unseal(text, key, bound_to=bound_to)
        assert PHONE not in str(caught.value)
