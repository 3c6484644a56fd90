"""Appends as arguments of the script, its answers as outcomes, and commands as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from dispatch.errors import CommandKnown, DispatchError, LogDamaged, LogMoved, StaleEpoch
from dispatch.store import Append, StoredCommand, StoredReply
from dispatch.words import UnixMs

Field: TypeAlias = str | bytes | int

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[bytes, int, int, tuple[tuple[str, str], ...], bytes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an append.

    Attributes:
        error: Why it was refused; None when it is durable.
        last_seq: Number of the log's last event after it; of no meaning when it was refused.
        answer: The old answer, where its command had been carried out before.
    """

    error: DispatchError | None
    last_seq: int = 0
    answer: StoredCommand | None = None


def pack_append(append: Append, touched: Sequence[str] | None) -> bytes:
    """An append as the script reads it: one argument, because each costs the client time.

    Args:
        append: The append.
        touched: Names that no event after `expected_seq` may have touched; None where no event at
            all may have come after it.
    """
    fields: list[Field] = [append.epoch, append.expected_seq]
    fields.append("head" if touched is None else "touched")
    fields += _listed(touched or ())
    fields += _listed(append.events)
    command = append.command
    fields += [0] if command is None else [3, command.key, command.at_ms, _packed(command)]
    fields += _listed(append.reopened)
    fields.append(len(append.closed))
    for row in append.closed:
        columns = _encoder.encode((row.status, row.category, row.platform_id))
        fields += [row.incident_id, row.received_at_ms, columns, row.body]
        fields += _listed(row.assignment_ids)
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in fields]
    return ",".join([str(len(part)) for part in parts]).encode() + b";" + b"".join(parts)


def outcomes_of(told: bytes, answers: Sequence[bytes], appends: Sequence[Append]) -> list[Outcome]:
    """What the script says of each append of a batch, in their order."""
    left = iter(answers)
    outcomes = []
    for append, word in zip(appends, told.decode("ascii").split(), strict=True):
        kind, _, text = word.partition(":")
        number = int(text)
        if kind == "ok":
            outcomes.append(Outcome(error=None, last_seq=number))
        elif kind == "known" and append.command is not None:
            key = append.command.key
            packed = next(left)
            # Empty where it was forgotten between a lost answer and the second time of asking.
            answer = unpack_command(key, packed) if packed else None
            outcomes.append(Outcome(error=CommandKnown(key), answer=answer))
        elif kind == "stale":
            outcomes.append(Outcome(error=StaleEpoch(given=append.epoch, current=number)))
        else:
            outcomes.append(Outcome(error=LogMoved(given=append.expected_seq, head=number)))
    return outcomes


def unpack_command(key: str, packed: bytes) -> StoredCommand:
    """The command that was packed.

    Raises:
        LogDamaged: the bytes are none.
    """
    try:
        body_sha256, at_ms, status, headers, body = _decoder.decode(packed)
    except msgspec.DecodeError as error:
        raise LogDamaged(0, why=f"the answer kept for command {key!r} cannot be read") from error
    return StoredCommand(
        key=key,
        body_sha256=body_sha256,
        at_ms=UnixMs(at_ms),
        reply=StoredReply(status=status, body=body, headers=headers),
    )


def _listed(values: Sequence[Field]) -> list[Field]:
    return [len(values), *values]


def _packed(command: StoredCommand) -> bytes:
    reply = command.reply
    return _encoder.encode(
        (command.body_sha256, command.at_ms, reply.status, reply.headers, reply.body)
    )
