"""The hash chain over the log: every row carries a digest of itself and of all rows before it.

`chain(n) = SHA-256(chain(n-1) || n as 8 bytes, big endian || body(n))`, and `chain(0)` is 32 zero
bytes. Whoever changes, drops, swaps or adds a row without writing all later ones anew breaks it,
and so does a byte that a disk gives back wrong. Against somebody who does write all later ones
anew there are the signed heads (`dispatch.store.signed_heads`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

CHAIN_BYTES = 32
GENESIS = bytes(CHAIN_BYTES)
"""What the first row is chained to."""

_PIECE_BYTES = 2_047
"""hashlib gives the interpreter's lock away for pieces larger than this. Getting it back from a
busy event loop may take milliseconds; hashing 2 KiB takes two microseconds."""


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def link(chain: bytes, seq: int, body: bytes) -> bytes:
    """The chain after row `seq`.

    Args:
        chain: The chain before it.
        seq: Its number.
        body: Its bytes, as stored.
    """
    digest = sha256(chain + seq.to_bytes(8, "big"))
    _feed(digest, body)
    return digest.digest()


def digest_of(body: bytes) -> bytes:
    """Digest of something outside the chain."""
    digest = sha256()
    _feed(digest, body)
    return digest.digest()


def _feed(digest: _Digest, body: bytes) -> None:
    if len(body) <= _PIECE_BYTES:
        digest.update(body)
        return
    for start in range(0, len(body), _PIECE_BYTES):
        digest.update(body[start : start + _PIECE_BYTES])
