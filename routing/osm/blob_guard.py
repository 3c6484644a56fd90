"""Looks through the blobs of a PBF file before the reader is let near them.

A PBF file is a row of blobs: a length, a BlobHeader, a Blob with a block of data in it, mostly
packed. Added up is what all of them unpack to; and no text may hold a zero byte: the reader
(libosmium 2.23) keeps texts one behind the other with zeros between, and walks off their end.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

HEADER_MAX_BYTES = 64 * 1024
BLOB_MAX_BYTES = 32 * 2**20
"""Both are the format's own limits."""
_LENGTH_BYTES = 4
_DATASIZE = 3
_RAW, _RAW_SIZE, _ZLIB = 1, 2, 3
_STRINGTABLE, _STRING = 1, 1
"""Field numbers of BlobHeader, Blob, PrimitiveBlock and StringTable."""
_EMPTY_FIRST = b"\n\0"
"""How a table of texts begins: the first is empty, as the format has it."""


class NotBlobs(ValueError):
    """The file is no row of sound blobs."""


def check_blobs(path: Path, limit_bytes: int) -> bool:
    """Looks through all blobs.

    Args:
        path: The PBF file.
        limit_bytes: How much all blobs together may unpack to.

    Returns:
        False where they unpack to more; then none was unpacked.

    Raises:
        NotBlobs: The file is damaged, or no PBF.
    """
    # Added up first: a bomb is refused before anything of it is unpacked.
    if sum(_raw_size(_sole_fields(blob), blob) for blob in _blobs(path)) > limit_bytes:
        return False
    for blob in _blobs(path):
        fields = _sole_fields(blob)
        _check_texts(_content(fields, _raw_size(fields, blob)))
    return True


def _raw_size(fields: dict[int, int | bytes], blob: bytes) -> int:
    raw_size = fields.get(_RAW_SIZE, len(blob))
    if not isinstance(raw_size, int) or raw_size > BLOB_MAX_BYTES:
        raise NotBlobs(f"a blob that says it unpacks to {raw_size!r} bytes")
    return raw_size


def _sole_fields(blob: bytes) -> dict[int, int | bytes]:
    """A blob's fields; of several blocks in one the reader might take another than the guard."""
    found = list(_fields(blob))
    fields = dict(found)
    if len(fields) < len(found) or (_RAW in fields and len(fields.keys() - {_RAW_SIZE}) > 1):
        raise NotBlobs("a blob with more than one block in it")
    return fields


def _blobs(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while length := stream.read(_LENGTH_BYTES):
            header_bytes = int.from_bytes(length, "big")
            if len(length) < _LENGTH_BYTES or not 0 < header_bytes <= HEADER_MAX_BYTES:
                raise NotBlobs(f"a blob's header of {header_bytes:,} bytes")
            size = dict(_fields(stream.read(header_bytes))).get(_DATASIZE)
            if not isinstance(size, int) or size > BLOB_MAX_BYTES:
                raise NotBlobs(f"a blob of {size!r} bytes")
            blob = stream.read(size)
            if len(blob) < size:
                raise NotBlobs("it is cut off")
            yield blob


def _content(fields: dict[int, int | bytes], raw_size: int) -> bytes:
    """The block in a blob; empty where it is packed as the reader alone knows to unpack."""
    raw, packed = fields.get(_RAW, b""), fields.get(_ZLIB)
    if not isinstance(packed, bytes):
        return raw if isinstance(raw, bytes) else b""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, raw_size + 1)
    except zlib.error as error:
        raise NotBlobs(f"a blob that cannot be unpacked: {error}") from error
    if len(content) != raw_size:
        raise NotBlobs(f"a blob that does not unpack to the {raw_size:,} bytes it says")
    return content


def _check_texts(block: bytes) -> None:
    for field, table in _fields(block):
        if field != _STRINGTABLE or not isinstance(table, bytes):
            continue
        if table.startswith(_EMPTY_FIRST) and table.find(0, len(_EMPTY_FIRST)) < 0:
            continue  # As nearly all are, and nothing has to be taken apart.
        for kind, text in _fields(table):
            if kind == _STRING and isinstance(text, bytes) and 0 in text:
                raise NotBlobs(f"a zero byte in the text {text[:40]!r}")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers with their values: numbers, or bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if not tag >> 3:
            raise NotBlobs("a field without a number")
        if kind == 0:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, position = _varint(message, position)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise NotBlobs(f"a field of kind {kind}")
        if position + size > len(message):
            raise NotBlobs("a field reaches beyond its message")
        yield tag >> 3, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise NotBlobs("a number without end")
