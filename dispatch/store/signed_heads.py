"""Signed heads: what the log's end was and when, written elsewhere, so that nobody can rewrite it.

The chain alone does not stop somebody who writes all of the log anew. A signed head says "after
event n the chain was c". It is written to a folder that may lie on another disk or machine, with
an HMAC-SHA256 under a key that stays on this machine, mode 0600. Whoever gets at the log, but not
at that folder, cannot go behind its last head unseen.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from dispatch.words import UnixMs

KEY_NAME = "log.key"
HEADS_DIR = "heads"
"""Folder of the heads beside the log, where no other is set."""

KEY_BYTES = 32
LINE_MAX = 1_000
"""Bytes; a line of a heads file that is longer was not written by us."""

_log = logging.getLogger(__name__)


class HeadKey:
    """The key under which heads are signed.

    Attributes:
        key_id: Tells keys apart without giving them away.
    """

    def __init__(self, secret: bytes) -> None:
        """Take the key's bytes."""
        self.key_id = sha256(b"kuaijing head key" + secret).hexdigest()[:12]
        self._secret = secret

    @classmethod
    def read(cls, path: Path) -> HeadKey:
        """The key in a file.

        Raises:
            OSError: it is not there or cannot be read.
            ValueError: it holds no key.
        """
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
        if len(secret) != KEY_BYTES:
            raise ValueError(f"{path} holds {len(secret)} bytes, a key has {KEY_BYTES}")
        return cls(secret)

    @classmethod
    def read_or_make(cls, path: Path) -> HeadKey:
        """The key in a file; made, readable by its owner alone, where there is none.

        Raises:
            OSError: the medium refuses.
            ValueError: the file holds no key.
        """
        if path.exists():
            return cls.read(path)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token_bytes(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        return cls.read(path)

    def sign(self, text: bytes) -> str:
        """The signature of some bytes, hexadecimal."""
        return hmac.new(self._secret, text, sha256).hexdigest()

    def holds(self, text: bytes, signature: str) -> bool:
        """Whether a signature is of these bytes and this key."""
        return hmac.compare_digest(self.sign(text), signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """Where the log stood.

    Attributes:
        seq: Its last event.
        chain: The chain after it, hexadecimal.
        at_ms: When it was signed, by the machine's clock.
        why: `interval`, `close` or `backup`.
        key_id: The key that signed it.
        signature: HMAC-SHA256 of all of the above.
    """

    seq: int
    chain: str
    at_ms: UnixMs
    why: str
    key_id: str
    signature: str = ""

    @property
    def signed_text(self) -> bytes:
        """The bytes that the signature is of."""
        return f"kuaijing head 1 {self.seq} {self.chain} {self.at_ms} {self.why}".encode()

    def as_json(self) -> dict[str, int | str]:
        """The head as it is written."""
        return {name: getattr(self, name) for name in self.__slots__}


def sign_head(key: HeadKey, seq: int, chain: bytes, *, at_ms: UnixMs, why: str) -> SignedHead:
    """A head, signed."""
    bare = SignedHead(seq=seq, chain=chain.hex(), at_ms=at_ms, why=why, key_id=key.key_id)
    return SignedHead(
        seq=seq,
        chain=bare.chain,
        at_ms=at_ms,
        why=why,
        key_id=key.key_id,
        signature=key.sign(bare.signed_text),
    )


def append_head(folder: Path, head: SignedHead) -> None:
    """Write a head into the folder's file of its month, synced.

    Raises:
        OSError: the medium refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    month = datetime.fromtimestamp(head.at_ms / 1000, UTC)
    line = json.dumps(head.as_json()).encode("ascii") + b"\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(folder / f"heads-{month:%Y-%m}.jsonl", flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        # A line that a power cut left unfinished stays as it is; ours begins on its own.
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_heads(folder: Path) -> Iterator[SignedHead | str]:
    """All heads of a folder, oldest file first; a line that is none comes as words about it.

    Raises:
        OSError: a file cannot be read.
    """
    for path in sorted(folder.glob("heads-*.jsonl")):
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            head = head_of_line(line)
            if head is not None:
                yield head
            elif line.startswith(b"{") and not line.endswith(b"}"):
                yield f"{path}, line {number}: a power cut left it unfinished"
            else:
                yield f"{path}, line {number}: it is no head"


def head_of_line(line: bytes) -> SignedHead | None:
    """The head in a line; None where it is none. Its signature is not looked at."""
    try:
        found = json.loads(line[:LINE_MAX])
        head = SignedHead(**found)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (head.chain, head.why, head.key_id, head.signature)
    numbers = (head.seq, head.at_ms)
    if not all(type(one) is str for one in texts) or not all(type(one) is int for one in numbers):
        return None
    return head
