"""Any byte of a log may come back wrong: it is found, or it never mattered."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatch.errors import DispatchError
from dispatch.store.signed_heads import HeadKey
from dispatch.store.sqlite import SqliteStore
from dispatch.verifying import Verified, verify
from tests.golden.record_day import record
from tests.shell_town import make_city, run

pytestmark = pytest.mark.crash

FLIPS = 200 if os.environ.get("KUAIJING_LONG") else 40
TABLES = ("events", "commands", "closed_incidents", "closed_assignments")


@dataclass
class Logs:
    """The same day, as a stopped and as a killed service leave it."""

    stopped: Path
    killed: Path


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    home = tmp_path_factory.mktemp("logs")

    async def live() -> None:
        runner = await record(home / "stopped")
        shutil.copytree(home / "stopped", home / "killed")
        await runner.close()

    run(live)
    return Logs(stopped=home / "stopped", killed=home / "killed")


def flip(folder: Path, chance: random.Random) -> str:
    """Change one byte of what the log's files hold; says which."""
    used = {}
    for path in (folder / "log.db", folder / "log.db-wal"):
        if path.exists() and (size := len(path.read_bytes().rstrip(b"\0"))):
            used[path] = size
    path = chance.choices(list(used), weights=list(used.values()))[0]
    place = chance.randrange(used[path])
    with path.open("r+b") as file:
        file.seek(place)
        old = file.read(1)[0]
        new = old ^ (1 << chance.randrange(8)) if chance.random() < 0.5 else 255 - old
        file.seek(place)
        file.write(bytes([new]))
    return f"{path.name} byte {place}: {old} became {new}"


def contents(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that is ever given out."""
    with closing(sqlite3.connect(folder / "log.db")) as connection:
        connection.text_factory = bytes
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in TABLES
        }


def refused_at_start(folder: Path) -> bool:
    async def start() -> None:
        store = SqliteStore.open(folder)
        await store.close()

    try:
        run(start)
    except DispatchError:
        return True
    return False


def verified(folder: Path) -> Verified:
    key = HeadKey.read(folder / "log.key")
    return verify(folder, heads_dir=folder / "heads", key=key, city=make_city())


@pytest.mark.parametrize("state", ["stopped", "killed"])
def test_a_flipped_byte_is_found_or_never_mattered(logs: Logs, tmp_path: Path, state: str) -> None:
    whole = getattr(logs, state)
    shutil.copytree(whole, tmp_path / "whole")
    assert verified(tmp_path / "whole").whole
    told = contents(tmp_path / "whole")
    chance = random.Random(state)
    found = 0
    for nth in range(FLIPS):
        folder = Path(shutil.copytree(whole, tmp_path / f"{nth}"))
        what = flip(folder, chance)
        faults = verified(folder)
        if not faults.whole:
            found += 1
            check_place(faults, folder, told, what)
        elif refused_at_start(folder):
            found += 1
        else:
            assert contents(folder) == told, f"{what}, and nobody noticed"
        shutil.rmtree(folder)
    assert found >= FLIPS // 2, "the flips hardly hit anything that is used"


def check_place(
    faults: Verified, folder: Path, told: dict[str, list[tuple[object, ...]]], what: str
) -> None:
    """Where events can still be read, the first that differs is the one that was named."""
    try:
        events = contents(folder)["events"]
    except sqlite3.Error:
        return
    for nth, event in enumerate(told["events"], start=1):
        if nth > len(events) or events[nth - 1] != event:
            assert faults.first_bad_seq == nth, what
            return
