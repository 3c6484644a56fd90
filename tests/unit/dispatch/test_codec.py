"""What is written is read back the same, for ever; what cannot be read is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.board import Board, open_board
from dispatch.codec import (
    board_hash,
    decode_board,
    decode_closed,
    decode_event,
    encode_board,
    encode_closed,
    encode_event,
)
from dispatch.errors import EventKindUnknown, LogDamaged
from dispatch.events import EVENT_KINDS, IncidentNudged, Recorded
from dispatch.resources import ClosedIncident
from dispatch.words import IncidentId, UnixMs
from tests.shell_town import make_city

NUDGE = Recorded(
    seq=7,
    recorded_at_ms=UnixMs(1_767_225_600_000),
    actor="t1",
    event=IncidentNudged(
        at_ms=UnixMs(1_767_225_600_000), incident_id=IncidentId("I000001"), text="快点"
    ),
)


# Finite figures, and counts and times that fit JSON's numbers: what the core keeps.
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=5),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


@cache
def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type as events use them: small collections, all fields at random."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, NewType):
        return any_of(kind.__supertype__)
    if origin in {Union, UnionType}:
        return st.one_of([any_of(one) for one in inner])
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(any_of(inner[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(any_of, inner))
    if origin is Mapping:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: any_of(hints[field.name]) for field in fields(kind)})


@pytest.mark.parametrize("name", sorted(EVENT_KINDS))
def test_every_kind_of_event_comes_back_as_it_was(name: str) -> None:
    @settings(max_examples=20, deadline=None)
    @given(event=any_of(EVENT_KINDS[name]))
    def comes_back(event: Any) -> None:
        recorded = Recorded(seq=3, recorded_at_ms=UnixMs(5), actor="张三", event=event)
        assert decode_event(3, encode_event(recorded)) == recorded

    comes_back()


def test_the_form_of_a_row_is_fixed() -> None:
    assert encode_event(NUDGE).decode() == (
        '{"type":"incident_nudged","recorded_at_ms":1767225600000,"actor":"t1","event":'
        '{"at_ms":1767225600000,"incident_id":"I000001","text":"快点"}}'
    )


def test_a_kind_of_a_newer_version_is_named() -> None:
    body = encode_event(NUDGE).replace(b"incident_nudged", b"incident_teleported")
    with pytest.raises(EventKindUnknown, match=r"incident_teleported.*entry 7"):
        decode_event(7, body)


def test_an_old_kind_is_upgraded() -> None:
    def upgrade(fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "incident_nudged", {**fields, "text": fields.pop("words")}

    body = encode_event(NUDGE).replace(b"incident_nudged", b"incident_urged")
    body = body.replace(b'"text"', b'"words"')
    assert decode_event(7, body, upgrades={"incident_urged": upgrade}) == NUDGE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-9],
        lambda body: b"\xff" + body[1:],
        lambda body: body.replace(b'"text":', b'"test":'),
        lambda body: body.replace(b'"I000001"', b"17"),
    ],
)
def test_a_damaged_row_is_named_by_its_number(spoil: Any) -> None:
    with pytest.raises(LogDamaged, match="entry 7"):
        decode_event(7, spoil(encode_event(NUDGE)))


def test_a_board_comes_back_and_a_damaged_snapshot_does_not() -> None:
    board = open_board(make_city())
    body = encode_board(board)
    assert decode_board(body) == board
    assert decode_board(body.replace(b"P01", b"P09", 1)) is None
    assert decode_board(body[:-5]) is None
    assert decode_board(body.replace(b'"format":2', b'"format":1')) is None


@settings(max_examples=20, deadline=None)
@given(closed=any_of(ClosedIncident))
def test_a_closed_incident_comes_back(closed: ClosedIncident) -> None:
    assert decode_closed(encode_closed(closed)) == closed


def test_equal_boards_have_equal_hashes_whatever_their_order() -> None:
    board = open_board(make_city())
    turned = Board(units=dict(reversed(list(board.units.items()))))
    assert board_hash(turned) == board_hash(board)
    fewer = Board(units=dict(list(board.units.items())[1:]))
    assert board_hash(fewer) != board_hash(board)
