"""Events, boards and closed incidents as bytes, and back.

Log format 1: each event is one JSON object {"type", "recorded_at_ms", "actor", "event"}; its number
is the row's. A kind once written is read for ever: a kind that is no longer made gets an entry in
`UPGRADES`, which turns it into the kinds of today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, TypeAlias, cast

import msgspec

from dispatch.board import Board
from dispatch.errors import EventKindUnknown, LogDamaged
from dispatch.events import EVENT_KINDS, KIND_NAMES, Event, Recorded
from dispatch.resources import ClosedIncident
from dispatch.words import UnixMs

SNAPSHOT_FORMAT = 2
"""Grows with each change of the board's fields; an older snapshot is ignored and made anew.

Not with a new field whose default is right for every older log, as `alarms`.
"""

Upgrade: TypeAlias = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
"""From the fields of an old kind to a present kind's name and fields."""

UPGRADES: Final[Mapping[str, Upgrade]] = {}
"""Kinds of older logs, by name; empty while every kind ever written is still made."""


class _Row(msgspec.Struct, frozen=True):
    type: str
    recorded_at_ms: UnixMs
    actor: str
    event: msgspec.Raw


class _Snapshot(msgspec.Struct, frozen=True):
    format: int
    sha256: str
    board: msgspec.Raw


_encoder = msgspec.json.Encoder()
_ordered = msgspec.json.Encoder(order="deterministic")
_row_decoder = msgspec.json.Decoder(_Row)
_snapshot_decoder = msgspec.json.Decoder(_Snapshot)
_board_decoder = msgspec.json.Decoder(Board)
_closed_decoder = msgspec.json.Decoder(ClosedIncident)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in EVENT_KINDS.items()
}


def encode_event(recorded: Recorded) -> bytes:
    """An event and its envelope, without its number, as one row of the log."""
    event = recorded.event
    return _encoder.encode(
        {
            "type": KIND_NAMES[type(event)],
            "recorded_at_ms": recorded.recorded_at_ms,
            "actor": recorded.actor,
            "event": event,
        }
    )


def decode_event(seq: int, body: bytes, *, upgrades: Mapping[str, Upgrade] = UPGRADES) -> Recorded:
    """Row `seq` of the log as an event.

    Raises:
        EventKindUnknown: a newer version wrote it.
        LogDamaged: it is no event, or one whose fields do not fit its kind.
    """
    try:
        row = _row_decoder.decode(body)
        event = _event_of(row, seq, upgrades)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LogDamaged(seq, why=str(error)) from error
    return Recorded(seq=seq, recorded_at_ms=row.recorded_at_ms, actor=row.actor, event=event)


def encode_board(board: Board) -> bytes:
    """A board as a snapshot, with its digest."""
    body = _encoder.encode(board)
    digest = sha256(body).hexdigest()
    return _encoder.encode(_Snapshot(SNAPSHOT_FORMAT, digest, msgspec.Raw(body)))


def decode_board(body: bytes) -> Board | None:
    """The board of a snapshot; None where it is damaged or of another format.

    A snapshot is only a short cut: without it the log is replayed from its beginning.
    """
    try:
        snapshot = _snapshot_decoder.decode(body)
        whole = sha256(snapshot.board).hexdigest() == snapshot.sha256
        if snapshot.format != SNAPSHOT_FORMAT or not whole:
            return None
        return _board_decoder.decode(snapshot.board)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def snapshot_is_older(body: bytes) -> bool:
    """Whether a snapshot is whole, and of a format that is no longer read."""
    try:
        snapshot = _snapshot_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    whole = sha256(snapshot.board).hexdigest() == snapshot.sha256
    return whole and snapshot.format < SNAPSHOT_FORMAT


def board_hash(board: Board) -> str:
    """Digest of a board, equal for equal boards whatever the order of their entries.

    What is None or empty is left out, so that a field which a later version adds changes no digest
    of a log that never used it.
    """
    plain = _without_empty(msgspec.json.decode(_ordered.encode(board)))
    return sha256(_ordered.encode(plain)).hexdigest()


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = ((key, _without_empty(item)) for key, item in value.items())
        return {key: item for key, item in kept if item not in (None, {}, [])}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value


def encode_closed(closed: ClosedIncident) -> bytes:
    """A closed incident as history keeps it."""
    return _encoder.encode(closed)


def decode_closed(body: bytes) -> ClosedIncident:
    """A closed incident out of history.

    Raises:
        LogDamaged: its row cannot be read.
    """
    try:
        return _closed_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LogDamaged(0, why=f"a closed incident cannot be read ({error})") from error


def _event_of(row: _Row, seq: int, upgrades: Mapping[str, Upgrade]) -> Event:
    decoder = _decoders.get(row.type)
    if decoder is not None:
        return cast("Event", decoder.decode(row.event))
    upgrade = upgrades.get(row.type)
    if upgrade is None:
        raise EventKindUnknown(row.type, seq=seq)
    name, fields = upgrade(msgspec.json.decode(row.event))
    return cast("Event", msgspec.convert(fields, EVENT_KINDS[name]))
