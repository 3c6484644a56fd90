"""Fixes count by their own time; what cannot be true is turned away with its reason."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dispatch.errors import StoreUnavailable
from dispatch.whereabouts import position_log
from dispatch.whereabouts.position_log import SAMPLE_MS, PositionLog
from dispatch.whereabouts.positions import Fix, Link, PositionRules, Positions, Verdict
from dispatch.words import UnitId, UnixMs

NOW = UnixMs(1_767_225_600_000)
CAR = UnitId("P01-C1")
BOUNDS = (111.0, 27.0, 112.0, 28.0)


def fix(after_s: float = 0.0, *, east_m: float = 0.0, **changes: object) -> Fix:
    """A fix so many seconds after `NOW`, so many metres east of a place in town."""
    fields: dict[str, object] = {
        "unit_id": CAR,
        "lon": 111.46 + east_m / 99_000,
        "lat": 27.24,
        "at_ms": UnixMs(NOW + round(after_s * 1000)),
    }
    return Fix(**(fields | changes))  # type: ignore[arg-type]


def positions(**rules: float) -> Positions:
    return Positions([CAR], bounds=BOUNDS, rules=PositionRules(**rules))


def judged(book: Positions, *fixes: Fix, now_s: float = 0.0) -> list[tuple[str, str]]:
    results = book.accept(fixes, UnixMs(NOW + round(now_s * 1000)))
    return [(one.verdict.value, one.reason) for one in results]


def test_the_newest_fix_by_its_own_time_wins_whatever_came_last() -> None:
    book = positions()
    assert judged(book, fix(-2), fix(-9), fix(-5)) == [
        ("accepted", ""),
        ("late", "older_than_last"),
        ("late", "older_than_last"),
    ]
    assert book.last[CAR].at_ms == NOW - 2_000


def test_a_fix_sent_twice_counts_once() -> None:
    book = positions()
    assert judged(book, fix(-2), fix(-2)) == [("accepted", ""), ("late", "duplicate")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (fix(unit_id=UnitId("P99-C9")), "unknown_unit"),
        (fix(mock=True), "mock"),
        (fix(lon=math.nan), "not_a_position"),
        (fix(lon=0.0, lat=0.0), "out_of_range"),
        (fix(61), "future"),
        (fix(-86_401), "too_old"),
    ],
)
def test_what_cannot_be_true_is_rejected_with_its_reason(bad: Fix, reason: str) -> None:
    book = positions()
    assert judged(book, bad) == [("rejected", reason)]
    assert not book.last


def test_a_single_wild_jump_is_rejected_and_a_real_move_is_believed_at_the_second_fix() -> None:
    book = positions()
    assert judged(book, fix(0), fix(1, east_m=5_000), fix(2, east_m=20)) == [
        ("accepted", ""),
        ("rejected", "impossible_speed"),
        ("accepted", ""),
    ]
    # The device was wrong before, or carried off by a tow truck: two fixes agree.
    assert judged(book, fix(3, east_m=5_000), fix(4, east_m=5_020), now_s=4) == [
        ("rejected", "impossible_speed"),
        ("accepted", ""),
    ]


def test_link_follows_the_age_of_the_fix_not_of_its_arrival() -> None:
    book = positions(live_s=15, stale_s=120)
    assert book.link(CAR, NOW) is Link.LOST
    judged(book, fix(-60))
    assert book.link(CAR, NOW) is Link.STALE
    assert book.age_s(CAR, NOW) == 60
    assert book.link(CAR, UnixMs(NOW - 50_000)) is Link.LIVE
    assert book.link(CAR, UnixMs(NOW + 61_000)) is Link.LOST


def test_a_clock_that_runs_ahead_is_told_of_until_its_device_is_silent() -> None:
    book = positions(future_max_s=10, stale_s=120)
    judged(book, fix(5))
    assert book.ahead_s(NOW) == {CAR: 5.0}
    judged(book, fix(30))
    assert book.ahead_s(UnixMs(NOW + 120_000)) == {CAR: 30.0}, (
        "refused for it, and told all the same"
    )
    assert book.ahead_s(UnixMs(NOW + 120_001)) == {}
    judged(book, fix(199), now_s=200)
    assert book.ahead_s(UnixMs(NOW + 200_000)) == {}


def test_changes_are_told_once_and_by_cursor() -> None:
    other = UnitId("P01-M1")
    book = Positions([CAR, other], bounds=BOUNDS)
    told: list[list[UnitId]] = []
    book.on_change(lambda units: told.append(list(units)))
    judged(book, fix(-3), fix(-2), fix(-2, unit_id=other), fix(-9))
    assert told == [[CAR, other]]
    cursor, moved = book.changed_since(0)
    assert {one.unit_id for one in moved} == {CAR, other}
    assert book.changed_since(cursor) == (cursor, [])
    judged(book, fix(0))
    assert [one.unit_id for one in book.changed_since(cursor)[1]] == [CAR]


def test_last_fixes_and_sampled_tracks_outlive_a_restart(tmp_path: Path) -> None:
    kept = PositionLog(tmp_path)
    book = Positions([CAR], bounds=BOUNDS, keep=kept.keep)
    kept.start()
    step_s = SAMPLE_MS / 1000 / 5
    fixes = [fix(number * step_s - 40) for number in range(20)]
    assert {one.verdict for one in book.accept(fixes, NOW)} == {Verdict.ACCEPTED}
    judged(book, fix(-39.5))
    kept.stop()

    again = PositionLog(tmp_path)
    restored = Positions([CAR], bounds=BOUNDS)
    restored.restore(again.last_fixes())
    rows = again._connection.execute("SELECT late FROM tracks").fetchall()
    again.stop()
    assert restored.last == book.last
    # 20 fixes in 38 s, one kept for each 10 s, and the late one.
    assert sorted(late for (late,) in rows) == [0, 0, 0, 0, 1]


def rows_of(folder: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(folder / "positions.db")
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def late_rows(folder: Path) -> list[int]:
    """Seconds from NOW of the late fixes in the history."""
    rows = rows_of(folder, "SELECT at_ms FROM tracks WHERE late ORDER BY at_ms")
    return [(at_ms - NOW) // 1000 for (at_ms,) in rows]


def test_late_fixes_are_sampled_as_others_are_whatever_their_order_and_over_restarts(
    tmp_path: Path,
) -> None:
    # A track of two minutes, a fix each 3 s, sent in order, again, backwards and out of order.
    track = [fix(-1_000 + second) for second in range(0, 120, 3)]
    for sent in (track, track, track[::-1], track[1::2] + track[::2]):
        kept = PositionLog(tmp_path)
        for one in sent:
            kept.keep(one, late=True)
        # Sent in order they do not even wait: a day's track fits into what may.
        assert len(kept._tracks) <= 20
        kept.stop()
    found = late_rows(tmp_path)
    assert found == [-1_000 + second for second in range(0, 120, 12)]
    # Fixes that came in time fill other places, and are not pushed out.
    kept = PositionLog(tmp_path)
    kept.keep(fix(-998), late=False)
    kept.stop()
    assert late_rows(tmp_path) == found


def test_one_unit_cannot_push_the_tracks_of_others_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(position_log, "LATE_WAITING_MAX", 5)
    monkeypatch.setattr(position_log, "WAITING_MAX", 8)
    kept = PositionLog(tmp_path)
    other = UnitId("P02-C1")
    kept.keep(fix(0, unit_id=other), late=False)
    for number in range(100):
        kept.keep(fix(-80_000 + 20 * number), late=True)
    kept.keep(fix(-500, unit_id=other), late=True)
    assert len(kept._tracks) == 7
    kept._write()
    # What waited is written; the unit is heard again.
    kept.keep(fix(-50_000), late=True)
    kept.stop()
    units = [unit for (unit,) in rows_of(tmp_path, "SELECT unit_id FROM tracks")]
    assert (units.count(other), units.count(CAR)) == (2, 6)


@pytest.mark.parametrize("content", [b"no database at all" * 300, None])
def test_a_damaged_history_is_put_aside_and_dispatch_goes_on(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "positions.db"
    kept = PositionLog(tmp_path)
    kept.keep(fix(), late=False)
    kept.stop()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)

    again = PositionLog(tmp_path)
    assert again.last_fixes() == []
    again.keep(fix(3), late=False)
    again.stop()
    assert (tmp_path / "positions.db.damaged").is_file()
    third = PositionLog(tmp_path)
    assert [one.at_ms for one in third.last_fixes()] == [NOW + 3_000]
    third.stop()


def test_a_history_that_cannot_be_opened_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "positions.db").mkdir()
    with pytest.raises(StoreUnavailable, match=r"positions\.db could not be opened"):
        PositionLog(tmp_path)


def test_an_older_run_does_not_overwrite_a_newer_fix() -> None:
    book = positions()
    judged(book, fix(0))
    book.restore([fix(-30), fix(-30, unit_id=UnitId("P99-C9"))])
    assert book.last[CAR].at_ms == NOW
    assert len(book.last) == 1
