"""Sessions end by themselves, with their token, and never take each other's room."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import NotReady
from api.sessions import PER_TOKEN_MAX, SessionBook
from api.settings import SessionRules
from api.tokens import Caller, Role, TokenBook, create_token, revoke_token


class Town:
    """A folder with tokens, and a clock that stands until it is moved."""

    def __init__(self, folder: Path, rules: SessionRules) -> None:
        self.folder = folder
        self.now_s = 1_000.0
        self.tokens = TokenBook(folder)
        self.book = SessionBook(self.tokens, rules, monotonic_s=lambda: self.now_s)

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
    assert town.book.find(session_id) is session
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
    assert session_id.encode() not in session.key
    town.book.end(session)
    town.book.end(session)
    for made_up in (session_id, "", "x", session.key.hex(), "\udcff"):
        assert town.book.find(made_up) is None


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
