"""The doctor looks around too: the port, the fonts, how the log is written, a log on Redis."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from api.checkup import fonts
from api.checkup.finding import Finding
from api.checkup.folder import look_at_folder
from api.checkup.machine import look_at_machine
from api.checkup.network import look_at_port
from api.checkup.redis_log import look_at_redis
from dispatch.store import Append
from dispatch.store.folder_lock import FolderLock
from dispatch.store.head_mark import HeadMark
from dispatch.store.sqlite import SqliteStore
from tests.redis_server import running_redis
from tests.redis_stores import open_redis
from tests.shell_town import run


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {one.what: one for one in findings}


def test_a_port_is_free_or_taken_and_by_whom(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (finding,) = look_at_port(port, tmp_path)
        assert finding.ok is None
        assert "stop what listens there" in finding.text
        lock = FolderLock.take(tmp_path)
        (finding,) = look_at_port(port, tmp_path)
        lock.release()
        assert finding.ok is True
        assert "serves" in finding.text
    (finding,) = look_at_port(port, None)
    assert (finding.ok, finding.text) == (True, f"127.0.0.1:{port} is free")


@pytest.mark.parametrize(
    ("said", "ok", "text"),
    [
        ("Noto Sans CJK SC,Noto Sans CJK SC Bold\nWenQuanYi Zen Hei\n", True, "Noto Sans CJK SC"),
        ("\n", None, "no Chinese font"),
    ],
)
def test_fonts_for_the_sheet(
    monkeypatch: pytest.MonkeyPatch, said: str, ok: bool | None, text: str
) -> None:
    def asked(command: list[str], **_more: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:] == [":lang=zh", "family"]
        return subprocess.CompletedProcess(command, 0, stdout=said)

    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/fc-list")
    monkeypatch.setattr(fonts.subprocess, "run", asked)
    finding = fonts.look_at_fonts()
    assert finding.ok is ok
    assert text in finding.text


def test_fonts_that_nobody_can_list_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert fonts.look_at_fonts().ok is None


def test_versions_are_named() -> None:
    found = by_name(look_at_machine())["versions"]
    assert "shaoyang-kuaijing " in found.text
    assert "numpy " in found.text


def test_a_log_that_is_not_written_as_the_service_does_it_fails(tmp_path: Path) -> None:
    async def a_day() -> None:
        await SqliteStore.open(tmp_path).close()

    run(a_day)
    assert by_name(look_at_folder(tmp_path))["wal"].ok is True
    with sqlite3.connect(tmp_path / "log.db") as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    found = by_name(look_at_folder(tmp_path))["wal"]
    assert found.ok is False
    assert "journal mode delete" in found.text


def test_a_log_on_redis_is_looked_at_and_not_touched(tmp_path: Path) -> None:
    with running_redis(tmp_path / "server") as server:
        empty = by_name(look_at_redis(server.url, None))
        assert (empty["redis"].ok, empty["redis log"].ok) == (True, None)
        assert "nobody leads" in empty["redis leader"].text
        assert server.ask("DBSIZE") == 0, "the doctor wrote something"

        found: dict[str, Finding] = {}

        async def served() -> None:
            store = await open_redis(server.url, "city")
            done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            store.append(
                Append(expected_seq=0, epoch=store.epoch, events=(b"one", b"two")),
                done.set_result,
            )
            assert await done is None
            # The command runs in a process of its own; here in a thread, with a loop of its own.
            looked = await asyncio.to_thread(
                lambda: by_name(look_at_redis(server.url, tmp_path / "data"))
            )
            found.update(looked)
            await store.close()

        (tmp_path / "data" / "redis" / "city").mkdir(parents=True)
        run(served)
        assert [one.ok for one in found.values()] == [True, True, True]
        assert "ends at event 2" in found["redis log"].text
        assert "leads, its lease ends in" in found["redis leader"].text
        mark = HeadMark(tmp_path / "data" / "redis" / "city")
        mark.keep(5)
        mark.close()
        lost = by_name(look_at_redis(server.url, tmp_path / "data"))["redis log"]
        assert lost.ok is False
        assert "5 were recorded" in lost.text


def test_a_server_that_would_lose_what_it_acknowledged_fails(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--appendonly no") as server:
        found = by_name(look_at_redis(server.url, None))
        assert found["redis"].ok is False
        assert "appendonly is no, yes is meant" in found["redis"].text
        url = server.url
    (gone,) = look_at_redis(url, None)
    assert gone.ok is False
    assert "Check that it runs" in gone.text


@pytest.mark.parametrize("address", ["redis://", "sqlite", "kuaijing:sesame@10.0.0.7:6379"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    (finding,) = look_at_redis(address, None)
    assert finding.ok is False
    assert finding.text.startswith(f"{address.rpartition('@')[2]} is no address of a Redis server")
