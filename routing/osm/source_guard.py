"""Refuses files that cannot be an OSM source before the reader is let near them."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from routing.errors import NetworkMissing, SourceUnreadable
from routing.osm.blob_guard import NotBlobs, check_blobs

SOURCE_FORMATS = {
    ".osm.pbf": "pbf",
    ".pbf": "pbf",
    ".osm.gz": "osm.gz",
    ".osm": "osm",
    ".xml": "osm",
}
"""What a file name's end says about its format, as the reader names it."""

MAX_SOURCE_BYTES = 8 * 2**30
"""A country's extract; the reader keeps every node in memory (16 bytes each)."""
MAX_UNPACK_RATIO = 100
"""OSM XML packs 8 to 25 times, a PBF 2 to 4 times; a bomb up to 1,032 times."""
MIN_UNPACK_LIMIT_BYTES = 64 * 2**20
"""Below this size a high ratio harms nobody (a small file of blanks)."""
_CHUNK_BYTES = 2**20


def check_source(path: Path) -> str:
    """Checks that a file may be given to the OSM reader.

    Args:
        path: The source file.

    Returns:
        The format's name for the reader: `pbf`, `osm` or `osm.gz`.

    Raises:
        NetworkMissing: There is no such file.
        SourceUnreadable: It is no regular file, of no known format, too large, or what is packed
            in it is damaged or unpacks to far more than OSM data does.
    """
    if not path.exists():
        raise NetworkMissing(f"{path} does not exist; give an .osm.pbf, .osm or .osm.gz file")
    if not path.is_file():
        raise SourceUnreadable(f"{path} is not a file; give an .osm.pbf, .osm or .osm.gz file")
    source_format = _format_of(path)
    size = path.stat().st_size
    if size == 0:
        raise SourceUnreadable(f"{path} is empty; fetch it again")
    if size > MAX_SOURCE_BYTES:
        raise SourceUnreadable(
            f"{path} has {size:,} bytes, more than {MAX_SOURCE_BYTES:,}; cut out the service area"
        )
    if source_format == "osm.gz":
        _check_gzip(path, size)
    elif source_format == "pbf":
        _check_blobs(path, size)
    return source_format


def _format_of(path: Path) -> str:
    name = path.name.lower()
    for ending, source_format in SOURCE_FORMATS.items():
        if name.endswith(ending):
            return source_format
    raise SourceUnreadable(
        f"{path} has no known ending; OSM sources end in .osm.pbf, .osm or .osm.gz"
    )


def _check_gzip(path: Path, packed_bytes: int) -> None:
    limit_bytes = _unpack_limit(packed_bytes)
    unpacked = 0
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                unpacked += len(chunk)
                if unpacked > limit_bytes:
                    raise _bomb(path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceUnreadable(f"{path} is damaged or cut off ({error}); fetch it again") from error


def _check_blobs(path: Path, packed_bytes: int) -> None:
    try:
        is_fair = check_blobs(path, _unpack_limit(packed_bytes))
    except NotBlobs as error:
        raise SourceUnreadable(
            f"{path} is damaged, cut off or no PBF ({error}); fetch it again"
        ) from error
    if not is_fair:
        raise _bomb(path)


def _unpack_limit(packed_bytes: int) -> int:
    return max(MIN_UNPACK_LIMIT_BYTES, packed_bytes * MAX_UNPACK_RATIO)


def _bomb(path: Path) -> SourceUnreadable:
    return SourceUnreadable(
        f"{path} unpacks to more than {MAX_UNPACK_RATIO} times its size, as no OSM data does;"
        " it is not read"
    )
