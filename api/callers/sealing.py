"""One caller, sealed under a key that no other caller shares: without it nobody reads it again.

AES-256-GCM. What is sealed is bound to its incident (as associated data), so that a row moved to
another incident does not open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_bytes

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
"""As NIST SP 800-38D recommends; each key seals once, so that none is used twice with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerDetails:
    """Who called. Kept out of its own `repr`, so that no traceback shows it.

    Attributes:
        name: Their name, "" where not known.
        phone: Their number, "" where not known.
        note: What else helps to reach them, "" without.
    """

    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


def seal(details: CallerDetails, key: bytes, *, bound_to: bytes) -> bytes:
    """The caller as bytes that only this key opens."""
    nonce = token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(details), bound_to)


def unseal(sealed: bytes, key: bytes, *, bound_to: bytes) -> CallerDetails:
    """The caller again.

    Raises:
        ValueError: the bytes were changed, or are of another key or incident.
    """
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        plain = AESGCM(key).decrypt(nonce, text, bound_to)
        return msgspec.json.decode(plain, type=CallerDetails)
    except (InvalidTag, ValueError, msgspec.MsgspecError) as error:
        # Not the error's own words: they may quote what was inside.
        raise ValueError("the sealed caller does not open with its key") from error
