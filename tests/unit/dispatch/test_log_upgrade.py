"""A log of the first released version is chained when it is first opened, and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dispatch.codec import board_hash
from dispatch.errors import LogDamaged
from dispatch.running.recover import recover
from dispatch.store import upgrade
from dispatch.store.chain import GENESIS, link
from dispatch.store.sqlite import SqliteStore
from dispatch.verifying import verify
from tests.golden.record_day import record
from tests.shell_town import make_city, run

FORMAT_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, chain BLOB);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body_sha256 BLOB NOT NULL,
    at_ms INTEGER NOT NULL, status INTEGER NOT NULL, headers TEXT NOT NULL, reply BLOB NOT NULL
);
CREATE TABLE closed_incidents (
    incident_id TEXT PRIMARY KEY, received_at_ms INTEGER NOT NULL, status TEXT NOT NULL,
    category TEXT NOT NULL, platform_id TEXT, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX closed_by_time ON closed_incidents (received_at_ms, incident_id);
CREATE TABLE closed_assignments (
    assignment_id TEXT PRIMARY KEY, incident_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE probes (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT INTO meta VALUES ('format', 1), ('epoch', 3);
INSERT INTO commands VALUES (1, 'desk:k', x'01', 1000, 201, '[]', 'an answer');
INSERT INTO events (seq, body) SELECT seq, body FROM new.events;
INSERT INTO closed_incidents
    SELECT incident_id, received_at_ms, status, category, platform_id, body
    FROM new.closed_incidents;
INSERT INTO closed_assignments SELECT * FROM new.closed_assignments;
INSERT INTO snapshots SELECT * FROM new.snapshots;
"""


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """A folder as version 0.1 left it."""

    async def live() -> None:
        runner = await record(tmp_path / "new")
        await runner.close()

    run(live)
    folder = tmp_path / "old"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "log.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("ATTACH ? AS new", (str(tmp_path / "new" / "log.db"),))
        connection.executescript(FORMAT_1)
    return folder


def opened(folder: Path) -> str:
    """Opens the log as the service does; the board's digest."""
    digests = []

    async def open_and_close() -> None:
        store = SqliteStore.open(folder)
        try:
            digests.append(board_hash(await recover(store, make_city(), snapshots=False)))
            assert await store.command("desk:k") is not None
            closed = [await store.closed(name) for name in ("I000001", "I000003")]
            assert None not in closed
        finally:
            await store.close()

    run(open_and_close)
    return digests[0]


def events_of(folder: Path) -> list[tuple[int, bytes, bytes | None]]:
    with closing(sqlite3.connect(folder / "log.db")) as connection:
        return connection.execute("SELECT seq, body, chain FROM events").fetchall()


def test_an_old_log_is_verified_as_unchained(old_folder: Path) -> None:
    found = verify(old_folder, city=make_city())
    assert found.whole
    assert found.unchained_up_to == found.events > 60
    assert any(f"unchained up to {found.events}" in note for note in found.notes)


@pytest.mark.parametrize("already", [0, 25], ids=["untouched", "cut off half way"])
def test_an_old_log_is_chained_in_pieces_and_leads_to_the_same_board(
    old_folder: Path, already: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "EVENTS_AT_ONCE", 7)
    before = verify(old_folder, city=make_city())
    rows = events_of(old_folder)
    with closing(sqlite3.connect(old_folder / "log.db")) as connection, connection:
        chain = GENESIS
        for seq, body, _ in rows[:already]:
            chain = link(chain, seq, body)
            connection.execute("UPDATE events SET chain = ? WHERE seq = ?", (chain, seq))
    assert opened(old_folder) == before.board_sha256
    after = verify(old_folder, city=make_city())
    assert after.whole
    assert (after.unchained_up_to, after.chain) == (0, before.chain)
    assert any(f"up to {after.events} were chained after" in note for note in after.notes)
    assert [row[:2] for row in events_of(old_folder)] == [row[:2] for row in rows]
    assert opened(old_folder) == before.board_sha256


def test_an_old_log_with_a_gap_is_refused_and_left_as_it_is(old_folder: Path) -> None:
    with closing(sqlite3.connect(old_folder / "log.db")) as connection, connection:
        connection.execute("DELETE FROM events WHERE seq = 9")
    for _ in range(2):
        with pytest.raises(LogDamaged, match="entry 9 "):
            opened(old_folder)
    assert all(chain is None for _, _, chain in events_of(old_folder))
