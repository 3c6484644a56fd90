"""The secret under which bodies that name a caller are told apart.

With each command a digest of its body is kept, in the log and in every backup. A plain one would
give a telephone number away to whoever knows the rest of the body from the log and tries all
numbers. In a file of its own, so that repeated commands are known again when `callers.db` is not
to be had; in no backup.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

DIGEST_KEY_FILE = "callers.digest"
DIGEST_KEY_BYTES = 32


def digest_key_in(folder: Path) -> bytes:
    """The secret of a service's folder; made, readable by its owner alone, where there is none.

    Raises:
        OSError: The medium refuses.
        ValueError: The file holds no key.
    """
    path = folder / DIGEST_KEY_FILE
    if not path.exists():
        _make(path)
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) != DIGEST_KEY_BYTES:
        raise ValueError(f"{path} holds {len(key)} bytes, a key has {DIGEST_KEY_BYTES}")
    return key


def _make(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{token_hex(4)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token_bytes(DIGEST_KEY_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link is refused where another was first, of this process or not: all use the same key.
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
