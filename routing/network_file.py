"""The compiled network: one file, written whole or not at all, read in one go.

Layout, little-endian:

    magic, 8 bytes | format version, uint32 | header length, uint32 | header hash, 32 bytes
    header: JSON, the manifest and the table of arrays (offset and count of each)
    arrays: raw, each at a multiple of 64 bytes; last the street names, as JSON

The header's hash guards the header; the `road_version` in it is the hash of the arrays and names.
Equal input gives an equal file, byte for byte.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from routing.errors import CompiledMismatch, NetworkMissing
from routing.graph import RoadGraph
from routing.graph_hash import array_fields, content_hash
from routing.osm.import_report import ImportReport
from routing.osm.source_guard import SOURCE_FORMATS
from routing.whole_file import replacing

MAGIC = b"KJROADS\n"
FORMAT_VERSION = 1
OSM_LICENCE = "ODbL-1.0"
OSM_ATTRIBUTION = "© OpenStreetMap contributors"
SYNTHETIC_LICENCE = "MIT"
SYNTHETIC_ATTRIBUTION = "Synthetic stand-in, no surveyed data"
_PREFIX = struct.Struct("<8sII32s")
_ALIGNMENT = 64
_MAX_HEADER_BYTES = 2**20

_DTYPES: dict[str, str] = {
    "node_lon": "<f8",
    "node_lat": "<f8",
    "node_osm_id": "<i8",
    "arc_from": "<i4",
    "arc_to": "<i4",
    "arc_length_m": "<f8",
    "arc_class": "|u1",
    "arc_name": "<i4",
    "arc_way_id": "<i8",
    "arc_flags": "<u2",
    "arc_maxspeed_kmh": "<f4",
    "arc_reverse": "<i4",
    "arc_core": "|b1",
    "geom_start": "<i8",
    "geom_lonlat": "<f8",
    "turn_start": "<i4",
    "turn_to": "<i4",
    "turn_angle_deg": "<f4",
    "turn_kind": "|u1",
    "turn_flags": "|u1",
}
"""Types of the arrays, by this module's own word: a file cannot ask for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a compiled network says of itself.

    Attributes:
        road_version: Hash of the content, 16 hex digits.
        source_name: File that the network was imported from.
        source_sha256: Hash of that file.
        data_date: Date of the data, RFC 3339; None where the source does not say.
        bbox: West, south, east, north in WGS-84 degrees.
        synthetic: True when the data is invented.
        licence: Licence of the data, SPDX.
        attribution: What must be shown beside a map of it.
        report: What the import found.
    """

    road_version: str
    source_name: str
    source_sha256: str
    data_date: str | None
    bbox: tuple[float, float, float, float]
    synthetic: bool
    licence: str
    attribution: str
    report: ImportReport


class _Stored(msgspec.Struct, frozen=True):
    manifest: Manifest
    offsets: dict[str, tuple[int, int]]


def make_manifest(graph: RoadGraph, report: ImportReport) -> Manifest:
    """The manifest of a graph that was just imported."""
    synthetic = report.synthetic
    return Manifest(
        road_version=graph.road_version,
        source_name=report.source.name,
        source_sha256=report.source.sha256,
        data_date=report.source.data_date,
        bbox=report.bbox,
        synthetic=synthetic,
        licence=SYNTHETIC_LICENCE if synthetic else OSM_LICENCE,
        attribution=SYNTHETIC_ATTRIBUTION if synthetic else OSM_ATTRIBUTION,
        report=report,
    )


def save_network(graph: RoadGraph, report: ImportReport, path: Path) -> None:
    """Writes a compiled network; the old file stays until the new one is durable.

    Args:
        graph: The graph, with its `road_version`.
        report: What the import found.
        path: The file to write.

    Raises:
        OSError: The folder is missing or the disk is full; nothing is left behind.
    """
    arrays = array_fields(graph)
    blocks = {
        name: np.ascontiguousarray(values, dtype=_DTYPES[name]).tobytes()
        for name, values in arrays.items()
    }
    blocks["names"] = msgspec.json.encode(graph.names)
    offsets, end = {}, 0
    for name, block in blocks.items():
        offsets[name] = (end, len(block))
        end = _aligned(end + len(block))
    header = msgspec.json.encode(_Stored(make_manifest(graph, report), offsets))
    digest = hashlib.sha256(header).digest()
    head = _PREFIX.pack(MAGIC, FORMAT_VERSION, len(header), digest) + header
    with replacing(path) as temporary, temporary.open("wb") as stream:
        for block in (head, *blocks.values()):
            stream.write(block)
            stream.write(bytes(_aligned(len(block)) - len(block)))


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT


def load_network(path: Path) -> tuple[RoadGraph, Manifest]:
    """Reads a compiled network.

    Args:
        path: A file that `save_network` wrote.

    Returns:
        The graph and its manifest.

    Raises:
        NetworkMissing: There is no such file.
        CompiledMismatch: It is no compiled network, of another format version, or damaged.
    """
    content = _content(path)
    stored, body_start = _header(path, content)
    blocks = _blocks(path, content, stored, body_start)
    try:
        names = msgspec.json.decode(blocks.pop("names").tobytes(), type=tuple[str, ...])
        arrays = {name: _array(block, name) for name, block in blocks.items()}
    except (msgspec.MsgspecError, ValueError) as error:
        raise _damaged(path) from error
    graph = RoadGraph(**arrays, names=names, road_version=stored.manifest.road_version)
    if content_hash(graph) != graph.road_version:
        raise _damaged(path)
    return graph, stored.manifest


def _content(path: Path) -> NDArray[np.uint8]:
    if not path.exists():
        raise NetworkMissing(f"{path} does not exist; make it with: kuaijing roads import")
    if not path.is_file():
        raise CompiledMismatch(f"{path} is not a file; give a compiled network")
    return np.fromfile(path, np.uint8)


def _header(path: Path, content: NDArray[np.uint8]) -> tuple[_Stored, int]:
    if content[: len(MAGIC)].tobytes() != MAGIC:
        is_source = any(path.name.lower().endswith(ending) for ending in SOURCE_FORMATS)
        what = "is an OSM source, not a compiled network" if is_source else "is no compiled network"
        raise CompiledMismatch(
            f"{path} {what}; make one with: kuaijing roads import FILE --out NET"
        )
    if len(content) < _PREFIX.size:
        raise _damaged(path)
    _, version, length, digest = _PREFIX.unpack(content[: _PREFIX.size].tobytes())
    if version != FORMAT_VERSION:
        raise CompiledMismatch(
            f"{path} has format version {version}, this program reads {FORMAT_VERSION};"
            " import the source again"
        )
    header = content[_PREFIX.size : _PREFIX.size + min(length, _MAX_HEADER_BYTES)].tobytes()
    if hashlib.sha256(header).digest() != digest:
        raise _damaged(path)
    try:
        return msgspec.json.decode(header, type=_Stored), _aligned(_PREFIX.size + length)
    except msgspec.MsgspecError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> CompiledMismatch:
    return CompiledMismatch(f"{path} is damaged or cut off; import the source again")


def _blocks(
    path: Path, content: NDArray[np.uint8], stored: _Stored, body_start: int
) -> dict[str, NDArray[np.uint8]]:
    blocks = {}
    if set(stored.offsets) != {*_DTYPES, "names"}:
        raise _damaged(path)
    for name, (offset, size) in stored.offsets.items():
        begin = body_start + offset
        if offset < 0 or size < 0 or begin + size > len(content):
            raise _damaged(path)
        blocks[name] = content[begin : begin + size]
    return blocks


def _array(block: NDArray[np.uint8], name: str) -> NDArray[Any]:
    values = block.view(_DTYPES[name])
    return values.reshape(-1, 2) if name == "geom_lonlat" else values
