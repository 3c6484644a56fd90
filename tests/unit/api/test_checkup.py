"""The doctor finds what would hurt, before it hurts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from api.checkup import folder as folder_checks
from api.checkup import machine
from api.checkup.data import look_at_data
from api.checkup.finding import Finding
from api.checkup.folder import look_at_folder
from dispatch.store.folder_lock import FolderLock, holder_of
from dispatch.store.head_mark import HeadMark
from dispatch.words import UnixMs
from platforms.city_writer import save_city
from tests.golden.record_day import record
from tests.shell_town import run
from tests.small_city import small_city


class Disk(NamedTuple):
    """A disk's room."""

    total: int
    used: int
    free: int


@pytest.fixture(scope="module")
def lived_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stopped service."""
    folder = tmp_path_factory.mktemp("day") / "data"

    async def live() -> None:
        runner = await record(folder)
        await runner.close()

    run(live)
    return folder


@pytest.fixture
def data(lived_day: Path, tmp_path: Path) -> Path:
    """A copy to be harmed."""
    return Path(shutil.copytree(lived_day, tmp_path / "data"))


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {one.what: one for one in findings}


def test_a_folder_in_order(data: Path) -> None:
    found = by_name(look_at_folder(data))
    assert [name for name, one in found.items() if one.ok is False] == []
    assert "events, the last at 2026-" in found["log"].text
    assert "no service runs on it" in found["lock"].text
    assert found["heads"].ok is None
    assert "the log's own disk" in found["heads"].text


def test_who_holds_the_lock_is_named_and_not_disturbed(data: Path) -> None:
    lock = FolderLock.take(data)
    assert holder_of(data) == os.getpid()
    assert f"process {os.getpid()} serves it" in by_name(look_at_folder(data))["lock"].text
    lock.release()
    assert holder_of(data) is None


def _mark_ahead(data: Path) -> None:
    mark = HeadMark(data)
    mark.keep(5_000)
    mark.close()


def _open_to_all(data: Path) -> None:
    data.chmod(0o755)
    (data / "log.db").chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "what", "text"),
    [
        (_mark_ahead, "log", "5000 were recorded"),
        (lambda data: (data / "log.db").write_bytes(b"no log" * 999), "log", "not a database"),
        (lambda data: (data / "log.key").chmod(0o644), "secrets", "log.key"),
        (_open_to_all, "secrets", "log.db"),
        (lambda data: (data / "log.key").write_text("beef"), "heads", "a key has 32"),
        (
            lambda data: (data / "settings.toml").write_text("[store]\nhead_dir = 'x'\n"),
            "folder",
            "heads_dir",
        ),
    ],
    ids=["lost end", "no log", "key open to all", "log open to all", "no key", "misspelt setting"],
)
def test_what_must_be_mended_fails(
    data: Path, harm: Callable[[Path], object], what: str, text: str
) -> None:
    harm(data)
    finding = by_name(look_at_folder(data))[what]
    assert finding.ok is False
    assert text in finding.text


def test_a_full_disk_fails_and_a_narrow_one_is_noted(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_with(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(0, 0, free))

    disk_with(10 * folder_checks.MIB)
    assert by_name(look_at_folder(data))["room"].ok is False
    disk_with(1_000 * folder_checks.MIB)
    assert by_name(look_at_folder(data))["room"].ok is True
    with (data / "log.db").open("r+b") as log:
        log.truncate(900 * folder_checks.MIB)  # a hole: nothing is written
    room = by_name(look_at_folder(data))["room"]
    assert room.ok is None
    assert "two backups" in room.text


def test_a_clock_that_was_never_set_fails(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setattr(machine, "now_ms", lambda: UnixMs(86_400_000))
    monkeypatch.setattr(folder_checks, "now_ms", lambda: UnixMs(86_400_000))
    assert by_name(machine.look_at_machine())["clock"].ok is False
    assert "the machine's clock is slow" in by_name(look_at_folder(data))["log"].text


def test_a_city_that_lies_elsewhere_does_not_fit(tmp_path: Path) -> None:
    city = small_city()
    first, *others = city.platforms
    astray = replace(first, lon=first.lon + 3.0)
    save_city(replace(city, platforms=(astray, *others)), tmp_path / "city")
    found = by_name(look_at_data(None, tmp_path / "city"))
    assert (found["network"].ok, found["city"].ok) == (True, True)
    assert found["fit"].ok is False
    assert "city check" in found["fit"].text
    assert by_name(look_at_data(tmp_path / "none.net", None))["network"].ok is False


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (finding,) = look_at_folder(tmp_path / "none")
    assert finding.ok is False
