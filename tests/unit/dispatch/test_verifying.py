"""A log says by itself whether it is as it was written, and where it is not."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dispatch.codec import decode_closed, encode_closed
from dispatch.errors import LogDamaged, RowDamaged
from dispatch.store.chain import GENESIS, link
from dispatch.store.row_digests import CLOSED_COLUMNS, row_digest
from dispatch.store.signed_heads import HeadKey, append_head, read_heads, sign_head
from dispatch.store.sqlite import SqliteStore
from dispatch.verifying import Verified, verify
from dispatch.words import UnixMs
from tests.golden.record_day import record
from tests.shell_town import make_city, run


@pytest.fixture(scope="module")
def lived_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service that lived through the golden day and was stopped."""
    folder = tmp_path_factory.mktemp("day") / "data"

    async def live() -> None:
        runner = await record(folder)
        await runner.close()

    run(live)
    return folder


@pytest.fixture
def folder(lived_day: Path, tmp_path: Path) -> Path:
    """A copy to be harmed."""
    return Path(shutil.copytree(lived_day, tmp_path / "data"))


@contextmanager
def harming(folder: Path) -> Iterator[sqlite3.Connection]:
    """The log as somebody sees it who may write the file."""
    with closing(sqlite3.connect(folder / "log.db")) as connection, connection:
        yield connection


def verified(folder: Path, heads: Path | None = None) -> Verified:
    key = HeadKey.read(folder / "log.key")
    return verify(folder, heads_dir=heads or folder / "heads", key=key, city=make_city())


def chained_anew(folder: Path) -> None:
    """What a forger does who knows how the chain is made."""
    with harming(folder) as connection:
        chain = GENESIS
        for seq, body in connection.execute("SELECT seq, body FROM events ORDER BY seq").fetchall():
            chain = link(chain, seq, body)
            connection.execute("UPDATE events SET chain = ? WHERE seq = ?", (chain, seq))


def read_all(folder: Path) -> None:
    async def reading() -> None:
        store = SqliteStore.open(folder)
        try:
            await store.read(0)
        finally:
            await store.close()

    run(reading)


def test_a_day_that_was_lived_is_whole(folder: Path) -> None:
    found = verified(folder)
    assert found.faults == ()
    assert found.events > 60
    assert found.counts["heads"] == 1
    assert found.counts["closed"] >= 2
    assert found.counts["snapshots"] == 1
    assert found.board_sha256 is not None
    assert found.notes == ()


def test_the_chain_is_what_it_is_documented_to_be(folder: Path) -> None:
    with harming(folder) as connection:
        chain = bytes(32)
        for seq, body, kept in connection.execute("SELECT seq, body, chain FROM events"):
            chain = hashlib.sha256(chain + seq.to_bytes(8, "big") + body).digest()
            assert kept == chain
    long = b"x" * 10_000
    assert link(chain, 7, long) == hashlib.sha256(chain + bytes(7) + b"\x07" + long).digest()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE events SET body = replace(body, '\"desk\"', '\"dusk\"') WHERE seq = 20",
        "UPDATE events SET chain = zeroblob(32) WHERE seq = 20",
        "UPDATE events SET chain = NULL WHERE seq = 20",
        "DELETE FROM events WHERE seq = 20",
        "UPDATE events SET body = (SELECT body FROM events WHERE seq = 21) WHERE seq = 20",
    ],
    ids=["changed", "digest changed", "digest gone", "dropped", "doubled"],
)
def test_the_first_bad_event_is_named_and_none_is_given_out(folder: Path, harm: str) -> None:
    with harming(folder) as connection:
        connection.execute("UPDATE events SET body = CAST(body AS BLOB)")
        connection.execute(harm)
        connection.execute("UPDATE events SET body = CAST(body AS BLOB)")
    found = verified(folder)
    assert found.first_bad_seq == 20
    assert found.board_sha256 is None
    with pytest.raises(LogDamaged) as damaged:
        read_all(folder)
    assert damaged.value.seq in {20, 21}


def test_a_log_written_anew_with_a_chain_that_fits_contradicts_its_signed_head(
    folder: Path,
) -> None:
    key = HeadKey.read(folder / "log.key")
    with harming(folder) as connection:
        (chain,) = connection.execute("SELECT chain FROM events WHERE seq = 12").fetchone()
        connection.execute(
            "UPDATE events SET body = CAST(replace(body, '\"desk\"', '\"dusk\"') AS BLOB)"
            " WHERE seq = 20"
        )
    append_head(folder / "heads", sign_head(key, 12, chain, at_ms=UnixMs(0), why="interval"))
    chained_anew(folder)
    found = verified(folder)
    assert found.first_bad_seq == 13
    assert "written anew" in found.faults[0].text
    # The same log without its heads is a good forgery: that is what heads are for.
    assert verify(folder).whole


def test_a_log_that_was_cut_off_is_shorter_than_its_signed_head(folder: Path) -> None:
    (folder / "log.head").unlink()
    with harming(folder) as connection:
        connection.execute("DELETE FROM events WHERE seq > 30")
        connection.execute("DELETE FROM snapshots")
    found = verified(folder)
    assert found.first_bad_seq == 31
    assert any("were signed" in fault.text for fault in found.faults)


def test_a_head_that_was_changed_is_told(folder: Path) -> None:
    (path,) = (folder / "heads").glob("*.jsonl")
    path.write_text(path.read_text().replace('"why": "close"', '"why": "claim"'))
    found = verified(folder)
    assert [fault.where for fault in found.faults] == ["heads"]
    path.write_text("no head at all\n")
    assert "it is no head" in verified(folder).faults[0].text


def test_a_head_that_a_power_cut_left_unfinished_is_noted_and_the_next_one_counts(
    folder: Path,
) -> None:
    (path,) = (folder / "heads").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"seq": 9, "cha')
    key = HeadKey.read(folder / "log.key")
    head = next(one for one in read_heads(folder / "heads") if not isinstance(one, str))
    chain = bytes.fromhex(head.chain)
    append_head(path.parent, sign_head(key, head.seq, chain, at_ms=head.at_ms, why="close"))
    found = verified(folder)
    assert found.whole
    assert found.counts["heads"] == 2
    assert any("unfinished" in note for note in found.notes)


def test_heads_of_another_key_are_counted_and_not_believed(folder: Path, tmp_path: Path) -> None:
    other = HeadKey.read_or_make(tmp_path / "other.key")
    head = sign_head(other, 5, bytes(32), at_ms=UnixMs(0), why="close")
    append_head(folder / "heads", head)
    found = verified(folder)
    assert found.whole
    assert found.counts["heads_of_other_keys"] == 1
    assert (tmp_path / "other.key").stat().st_mode & 0o777 == 0o600


def _closed_with(connection: sqlite3.Connection, old: bytes, new: bytes) -> None:
    """Changes a closed incident as a forger does who writes its digest anew."""
    for row in connection.execute(f"SELECT {CLOSED_COLUMNS} FROM closed_incidents").fetchall():
        values = (*row[:-1], row[-1].replace(old, new))
        connection.execute(
            "UPDATE closed_incidents SET body = ?, digest = ? WHERE incident_id = ?",
            (values[-1], row_digest(values), values[0]),
        )


@pytest.mark.parametrize(
    ("harm", "where", "text"),
    [
        (lambda db: db.execute("DELETE FROM closed_incidents"), "closed", "is missing"),
        (
            lambda db: db.execute("UPDATE closed_incidents SET category = 'theft'"),
            "closed",
            "not as it was written",
        ),
        (lambda db: _closed_with(db, "误报".encode(), "属实".encode()), "closed", "disagrees"),
        (lambda db: db.execute("DELETE FROM closed_assignments"), "closed", "is not found by"),
        (
            lambda db: db.execute("UPDATE snapshots SET body = substr(body, 1, 100)"),
            "snapshot",
            "damaged",
        ),
        (lambda db: db.execute("UPDATE snapshots SET seq = 500"), "snapshot", "damaged"),
        (lambda db: db.execute("UPDATE meta SET value = 'x' WHERE name = 'format'"), "file", ""),
    ],
    ids=["closed gone", "column", "forged", "pointer", "snapshot cut", "snapshot moved", "meta"],
)
def test_rows_beside_the_events_are_held_against_the_log(
    folder: Path, harm: Callable[[sqlite3.Connection], object], where: str, text: str
) -> None:
    with harming(folder) as connection:
        harm(connection)
    faults = [fault for fault in verified(folder).faults if fault.where == where]
    assert faults
    assert text in faults[0].text


def test_a_damaged_history_row_is_not_given_out(folder: Path) -> None:
    with harming(folder) as connection:
        connection.execute("UPDATE closed_incidents SET received_at_ms = received_at_ms + 1")
        (incident_id,) = connection.execute("SELECT incident_id FROM closed_incidents").fetchone()

    async def ask() -> None:
        store = SqliteStore.open(folder)
        try:
            with pytest.raises(RowDamaged, match="kuaijing verify"):
                await store.closed(incident_id)
        finally:
            await store.close()

    run(ask)


def written_at(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("log.*")}


def test_verify_only_reads_and_may_run_beside_the_service(tmp_path: Path) -> None:
    async def beside() -> None:
        runner = await record(tmp_path)
        before = written_at(tmp_path)
        found = verify(tmp_path, heads_dir=tmp_path / "heads", key=None, city=make_city())
        assert found.whole
        assert found.events == runner.durable_seq
        after = written_at(tmp_path)
        changed = {name for name in before if before[name] != after[name]}
        assert changed <= {"log.db-shm"}
        await runner.close()

    run(beside)


def test_closed_incidents_survive_the_codec(folder: Path) -> None:
    with harming(folder) as connection:
        for (body,) in connection.execute("SELECT body FROM closed_incidents"):
            assert encode_closed(decode_closed(body)) == body
