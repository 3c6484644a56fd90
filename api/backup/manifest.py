"""The manifest of a backup: what is in it, with digests, in one form only.

The file must be byte for byte what writing it again would give, and holds a digest of itself, so
that no byte of a backup can change unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec

from api.callers.caller_tables import CALLERS_FILE
from api.errors import DataMissing
from api.served_city import SERVED_CITY_FILE
from api.settings import SETTINGS_FILE
from api.tokens import TOKEN_FILE
from dispatch.store.sqlite_log import LOG_NAME

MANIFEST_FILE = "manifest.json"
MANIFEST_FORMAT = 1

BESIDE_THE_LOG = (SETTINGS_FILE, TOKEN_FILE, SERVED_CITY_FILE, CALLERS_FILE)
"""What is taken along where it is there. Not `log.key`: whoever has a backup shall not be able to
sign. Not `callers.keys`: a caller that is forgotten shall be unreadable in every backup. Not the
history of positions: it may be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUpFile:
    """A file of a backup.

    Attributes:
        bytes: Its length.
        sha256: Its digest.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        format: Version of this form.
        version: Version of the service's programs that made it.
        created_at: When, RFC 3339.
        seq: Last event of the log.
        chain: The chain after it.
        board_sha256: Digest of the board after it, as `kuaijing replay` prints it; None where the
            service's city could not be read.
        city: Name of the city, None where not known.
        units_sha256: Digest of the units that the board begins with, None likewise.
        road_version: Road network of the last decision, None where there was none.
        head: The signed head, None where it could not be signed.
        files: The files by name.
        sha256: Digest of all of the above.
    """

    format: int
    version: str
    created_at: str
    seq: int
    chain: str
    board_sha256: str | None
    city: str | None
    units_sha256: str | None
    road_version: str | None
    head: dict[str, int | str] | None
    files: dict[str, BackedUpFile]
    sha256: str = ""


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as it is written, with its digest."""
    digest = sha256(msgspec.json.encode(replace(manifest, sha256=""))).hexdigest()
    encoded = msgspec.json.encode(replace(manifest, sha256=digest))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        DataMissing: there is none.
        ValueError: it is not as it was written.
    """
    path = folder / MANIFEST_FILE
    try:
        written = path.read_bytes()
    except OSError as error:
        raise DataMissing(f"{folder} is no backup: {path} cannot be read ({error})") from error
    try:
        manifest = msgspec.json.decode(written, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged ({error})") from error
    if manifest.format != MANIFEST_FORMAT:
        raise ValueError(
            f"{path} has format {manifest.format}, this version reads {MANIFEST_FORMAT}"
        )
    if manifest_bytes(manifest) != written:
        raise ValueError(f"{path} is damaged: it is not as it was written")
    if LOG_NAME not in manifest.files:
        raise ValueError(f"{path} names no {LOG_NAME}")
    return manifest


def described(path: Path) -> BackedUpFile:
    """Length and digest of a file."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return BackedUpFile(bytes=path.stat().st_size, sha256=digest)
