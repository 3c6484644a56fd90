"""A backup is whole or not there; a damaged one is not put back, and nothing is written over."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api.backup.check import check_backup
from api.backup.manifest import BESIDE_THE_LOG, MANIFEST_FILE, manifest_bytes, read_manifest
from api.backup.put_back import put_back
from api.backup.take import take_backup
from api.cli import main
from api.errors import BackupFailed, DataMissing, SettingsInvalid
from api.settings import RedisUse
from api.storing import store_opener
from dispatch.store.head_mark import HeadMark
from dispatch.store.signed_heads import HeadKey, SignedHead, read_heads
from dispatch.store.sqlite import SqliteStore
from tests.golden.record_day import record
from tests.shell_town import run

FLIPS = 200 if os.environ.get("KUAIJING_LONG") else 40


def silent(_text: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def lived_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped service."""
    folder = tmp_path_factory.mktemp("day") / "data"

    async def live() -> None:
        runner = await record(folder)
        await runner.close()

    run(live)
    (folder / "settings.toml").write_text("[rules]\nclock = 'received'\n")
    return folder


@pytest.fixture
def data(lived_day: Path, tmp_path: Path) -> Path:
    """A copy to be backed up or harmed."""
    return Path(shutil.copytree(lived_day, tmp_path / "data"))


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    return take_backup(data, tmp_path / "backup", say=silent)[0]


def events_of(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "log.db")) as connection:
        return connection.execute("SELECT * FROM events ORDER BY seq").fetchall()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_backup_is_put_back_as_it_was(data: Path, backup: Path, tmp_path: Path) -> None:
    assert names_in(backup) == {"log.db", "settings.toml", MANIFEST_FILE}
    manifest, found = put_back(backup, tmp_path / "new", key=None, say=silent)
    assert found.whole
    assert events_of(tmp_path / "new") == events_of(data)
    assert manifest.seq == len(events_of(data))
    assert manifest.road_version is not None
    assert names_in(tmp_path / "new") == {"log.db", "log.key", "settings.toml"}

    async def start() -> None:
        store = SqliteStore.open(tmp_path / "new")
        assert store.head == manifest.seq
        await store.close()

    run(start)


def test_the_head_of_a_backup_is_signed_and_kept_with_the_others(data: Path, backup: Path) -> None:
    written = json.loads((backup / MANIFEST_FILE).read_text())["head"]
    heads = [one for one in read_heads(data / "heads") if isinstance(one, SignedHead)]
    assert heads[-1].as_json() == written
    assert written["why"] == "backup"
    key = HeadKey.read(data / "log.key")
    assert key.holds(heads[-1].signed_text, written["signature"])
    assert check_backup(backup, heads_dir=data / "heads", key=key).whole


def test_the_key_does_not_leave_the_folder(backup: Path) -> None:
    assert "log.key" not in BESIDE_THE_LOG
    assert "log.key" not in names_in(backup)


def test_a_folder_of_backups_gets_one_more_by_time_and_event(data: Path, tmp_path: Path) -> None:
    home = tmp_path / "backups"
    home.mkdir()
    target, manifest = take_backup(data, home, say=silent)
    assert target.parent == home
    assert target.name.startswith("kuaijing-20")
    assert target.name.endswith(f"-{manifest.seq}")
    assert names_in(home) == {target.name}


def test_a_flipped_byte_anywhere_is_found_and_not_restored(backup: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    for nth in range(FLIPS):
        path = sorted(backup.iterdir())[nth % 3]
        whole = path.read_bytes()
        harmed = bytearray(whole)
        harmed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(harmed)
        assert not check_backup(backup).whole, path.name
        with pytest.raises(BackupFailed, match="is damaged and is not restored"):
            put_back(backup, tmp_path / "new", key=None, say=silent)
        path.write_bytes(whole)
        assert not (tmp_path / "new").exists()
    assert check_backup(backup).whole


@pytest.mark.parametrize("name", ["log.db", "settings.toml", "log.db-wal"])
def test_a_file_that_is_gone_or_was_added_is_found(backup: Path, name: str) -> None:
    path = backup / name
    if path.exists():
        path.unlink()
    else:
        path.write_bytes(b"")
    assert not check_backup(backup).whole


def test_a_backup_of_a_rewritten_manifest_is_told_by_its_signature(
    data: Path, backup: Path
) -> None:
    other = HeadKey.read_or_make(backup.parent / "other.key")
    mine = HeadKey.read(data / "log.key")
    assert check_backup(backup, key=mine).whole
    assert check_backup(backup, key=other).whole  # it cannot tell
    manifest = read_manifest(backup)
    assert manifest.head is not None
    forged = replace(manifest, head=manifest.head | {"at_ms": 1})
    (backup / MANIFEST_FILE).write_bytes(manifest_bytes(forged))
    assert check_backup(backup).whole  # nobody can tell without the key
    assert "forged" in check_backup(backup, key=mine).faults[0].text


def test_a_folder_that_holds_anything_is_refused_and_an_empty_one_taken(
    data: Path, backup: Path, tmp_path: Path
) -> None:
    before = events_of(data)
    with pytest.raises(BackupFailed, match="is not empty"):
        put_back(backup, data, key=None, say=silent)
    assert events_of(data) == before
    (tmp_path / "empty").mkdir()
    put_back(backup, tmp_path / "empty", key=None, say=silent)
    assert events_of(tmp_path / "empty") == before
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupFailed, match="is a link"):
        put_back(backup, tmp_path / "link", key=None, say=silent)
    assert not any((tmp_path / "elsewhere").iterdir())


def test_a_damaged_log_is_not_backed_up(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "log.db")) as connection, connection:
        connection.execute("UPDATE events SET body = x'00' WHERE seq = 9")
    with pytest.raises(BackupFailed, match=r"damaged from event 9 on.*no backup was made"):
        take_backup(data, tmp_path / "backup", say=silent)
    assert names_in(tmp_path) == {"data"}


@pytest.mark.parametrize("when", ["pages copied", "checking", "structure"])
def test_a_backup_that_is_stopped_leaves_nothing(data: Path, tmp_path: Path, when: str) -> None:
    def stop(text: str) -> None:
        if when in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_backup(data, tmp_path / "backup", say=stop)
    assert names_in(tmp_path) == {"data"}
    with pytest.raises(BackupFailed, match="cannot be written"):
        take_backup(data, tmp_path / "no" / "such" / "folder", say=silent)


def test_what_is_no_backup_or_no_folder_is_told(
    data: Path, backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataMissing, match="is no backup"):
        put_back(data, tmp_path / "new", key=None, say=silent)
    with pytest.raises(DataMissing, match=r"holds no log\.db"):
        take_backup(tmp_path, tmp_path / "backup-2", say=silent)
    with pytest.raises(BackupFailed, match="is there already"):
        take_backup(data, backup / "log.db", say=silent)
    assert main(["verify", "--data", str(tmp_path)]) == 4
    assert main(["verify", "--data", str(data), "--key", str(tmp_path / "none")]) == 4
    assert main(["verify", "--data", str(data), "--heads", str(tmp_path / "none")]) == 4
    with pytest.raises(SystemExit) as usage:
        main(["verify"])
    assert usage.value.code == 2


def test_verify_tells_on_the_command_line(
    data: Path, backup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--data", str(data), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["whole"]
    assert report["counts"]["heads"] == 2
    assert main(["verify", "--data", str(backup)]) == 0
    assert capsys.readouterr().out.endswith("whole\n")
    with closing(sqlite3.connect(data / "log.db")) as connection, connection:
        connection.execute("UPDATE events SET body = x'00' WHERE seq = 9")
    assert main(["verify", "--data", str(data), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["first_bad_seq"] == 9
    assert main(["verify", "--data", str(data)]) == 1
    assert "first bad event: 9\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["backup", "verify", "replay", "sheet"])
def test_a_folder_whose_log_is_on_redis_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    folder = tmp_path / "data"
    (folder / "redis" / "city").mkdir(parents=True)
    out = ["--out", str(tmp_path / "new")] if command in {"backup", "sheet"} else []
    assert main([command, "--data", str(folder), *out]) == 4
    said = capsys.readouterr().err
    assert f"the log of {folder} is on a Redis server" in said
    assert "docs/how-to/keep-the-log-on-redis.md" in said
    assert f"{folder}/open-incidents.html" in said
    assert names_in(tmp_path) == {"data"}


def test_a_start_that_reached_no_redis_server_leaves_the_folder_to_sqlite(tmp_path: Path) -> None:
    area = tmp_path / "redis" / "city"
    area.mkdir(parents=True)
    with pytest.raises(SettingsInvalid, match="is on a Redis server"):
        store_opener("sqlite", tmp_path, RedisUse())  # its mark was deleted: there is a log
    with closing(HeadMark(area)) as mark:
        assert store_opener("sqlite", tmp_path, RedisUse()) is None
        mark.keep(0)
    with pytest.raises(SettingsInvalid, match="is on a Redis server"):
        store_opener("sqlite", tmp_path, RedisUse())
