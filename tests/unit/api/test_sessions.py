"""Sessions end by themselves, with their token, and never take each other's room."""

from __future__ import annotations

import fcntl
import stat
import time
from pathlib import Path

import pytest

from api.errors import NotReady
from api.sessions import PER_TOKEN_MAX, SESSION_FILE, SessionBook
from api.settings import SessionRules
from api.tokens import Caller, Role, TokenBook, create_token, revoke_token
from dispatch.words import UnixMs


class Town:
    """A folder with tokens, and a clock that stands until it is moved."""

    def __init__(self, folder: Path, rules: SessionRules) -> None:
        self.folder = folder
        self.rules = rules
        self.now_s = 1_000
        self.tokens = TokenBook(folder)
        self.book = self.another()

    def another(self) -> SessionBook:
        """The book as another process of the service has it."""
        return SessionBook(
            self.folder, self.tokens, self.rules, clock_ms=lambda: UnixMs(self.now_s * 1000)
        )

    def caller(self) -> Caller:
        token = create_token(self.folder, Role.DISPATCHER, unit_id=None, at_ms=1)
        caller = self.tokens.caller(token)
        assert caller is not None
        return caller


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, SessionRules(absolute_s=100, idle_s=10, open_max=30))


def test_a_session_that_is_used_goes_on_until_its_time_is_over(town: Town) -> None:
    session_id, _ = town.book.open(town.caller())
    for _ in range(11):
        town.now_s += 9
        assert town.book.find(session_id) is not None
    town.now_s += 1
    assert town.book.find(session_id) is None, "100 s are over"


def test_a_session_that_idles_ends_and_an_open_stream_is_no_idling(town: Town) -> None:
    caller = town.caller()
    session_id, session = town.book.open(caller)
    other_id, _ = town.book.open(caller)
    for _ in range(4):
        town.now_s += 5
        assert town.book.holds(session), "a stream asks so each half second"
    assert town.book.find(session_id) is not None
    assert town.book.find(other_id) is None


def test_a_session_ends_with_its_token(town: Town) -> None:
    caller = town.caller()
    session_id, session = town.book.open(caller)
    revoke_token(town.folder, caller.token_id, at_ms=2)
    assert not town.book.holds(session)
    assert town.book.find(session_id) is None


def test_what_was_ended_stays_ended_and_made_up_ids_find_nothing(town: Town) -> None:
    session_id, session = town.book.open(town.caller())
    assert len(session_id) >= 43, "256 bits"
    written = (town.folder / SESSION_FILE).read_text()
    assert session.key in written
    assert session_id not in written
    assert stat.S_IMODE((town.folder / SESSION_FILE).stat().st_mode) == 0o600
    town.book.end(session)
    town.book.end(session)
    for made_up in (session_id, "", "x", session.key, "\udcff"):
        assert town.book.find(made_up) is None


def test_all_processes_of_a_service_know_the_same_sessions(town: Town) -> None:
    other = town.another()
    session_id, session = town.book.open(town.caller())
    found = other.find(session_id)
    assert found == session
    town.now_s += 6
    assert town.book.find(session_id) is not None
    town.now_s += 6
    assert other.find(session_id) is not None, "it was in use at the first one"
    other.end(found)
    assert not town.book.holds(session)
    restarted = town.another()
    assert restarted.find(session_id) is None


def test_a_damaged_file_signs_everybody_out_and_nobody_in(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    session_id, _ = town.book.open(town.caller())
    for damage in ("", "{", '{"sessions": [{}]}', '{"sessions": 3}', "[]"):
        (town.folder / SESSION_FILE).write_text(damage)
        assert town.book.find(session_id) is None
    assert "damaged" in caplog.text
    anew, _ = town.book.open(town.caller())
    assert town.book.find(anew) is not None


def test_sessions_that_cannot_be_written_are_told_of(town: Town) -> None:
    (town.folder / "sessions.json.new").mkdir()
    with pytest.raises(NotReady, match=SESSION_FILE):
        town.book.open(town.caller())


def test_a_process_that_sleeps_over_the_file_holds_nobody_up(town: Town) -> None:
    session_id, _ = town.book.open(town.caller())
    with (town.folder / "sessions.lock").open("a") as sleeper:
        fcntl.flock(sleeper, fcntl.LOCK_EX)
        began_s = time.monotonic()
        with pytest.raises(NotReady, match="cannot be written"):
            town.book.open(town.caller())
        town.now_s += 5
        assert town.book.find(session_id) is not None
        assert time.monotonic() - began_s < 5.0
    assert town.book.open(town.caller())


def test_one_token_cannot_take_the_room_of_others(town: Town) -> None:
    greedy = town.caller()
    ids = [town.book.open(greedy)[0] for _ in range(PER_TOKEN_MAX + 5)]
    assert [town.book.find(one) is not None for one in ids[:6]] == [False] * 5 + [True]
    for _ in range(30 - PER_TOKEN_MAX):
        town.book.open(town.caller())
    with pytest.raises(NotReady, match="open_max"):
        town.book.open(town.caller())
    town.now_s += 10
    town.book.open(town.caller())
