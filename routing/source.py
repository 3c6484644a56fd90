"""Reads an OSM file into flat arrays: the roads, their nodes, signals, barriers, restrictions.

Two passes: ways and relations first, then the places of the nodes that the roads use. So the
order of a file does not matter, and the nodes of houses and woods never reach Python.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray

from routing.errors import SourceUnreadable
from routing.node_tags import read_barrier, read_signal
from routing.restriction_tags import Restriction, Unused, is_restriction, read_restriction
from routing.source_guard import check_source
from routing.tags import Skipped, WayRule, read_way

Progress = Callable[[str], None]

MAX_WAYS = 4_000_000
"""Roads of a large country; more is not a police district."""
MAX_WAY_NODES = 60_000_000
CLOSED = -1
"""In `SourceRoads.way_forward` and `way_backward`: not to be driven so."""
_FIXED_PER_DEGREE = 10_000_000
_READER_ERRORS = (RuntimeError, ValueError, KeyError, OSError, OverflowError)
"""What osmium raises on damaged data: its own errors are RuntimeErrors; text that is no UTF-8
and numbers out of range come as the others."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of the file a network comes from.

    Attributes:
        name: File name without folders.
        sha256: Hash of the file, hex.
        data_date: Time of the data as the header says it, RFC 3339; None where it does not.
        generator: Program that wrote the file, as its header says.
    """

    name: str
    sha256: str
    data_date: str | None
    generator: str


@dataclass(slots=True)
class SourceRoads:
    """The roads of a source: W ways, R node references, N nodes.

    Attributes:
        facts: The file.
        way_id: OSM way ids, int64 (W).
        way_class: Positions in `ROAD_CLASSES`, uint8 (W).
        way_forward: Flags along the way or `CLOSED`, int32 (W).
        way_backward: Flags against the way or `CLOSED`, int32 (W).
        way_kmh: Limits along and against, float32 (W, 2).
        way_name: Position in `names`, int32 (W).
        way_layer: Layer, int8 (W).
        ref_start: First reference of each way; W + 1 entries, int64.
        ref_node: Position of the referred node; -1 where the source lacks it, int64 (R).
        node_id: OSM node ids, ascending, int64 (N).
        node_lonlat: WGS-84 degrees, float64 (N, 2).
        node_signal: `Signal` bits, uint8 (N).
        node_barrier: `Barrier`, uint8 (N).
        names: Distinct street names, "" first, then sorted.
        restrictions: Restrictions that apply to cars.
        unused: How many restrictions were left out so far, by reason.
        skipped: How many ways were left out, by reason.
        repeated_ways: Ways that the file holds more than once.
        conditional_ways: Roads with a `:conditional` tag, which is not used.
    """

    facts: SourceFacts
    way_id: NDArray[np.int64]
    way_class: NDArray[np.uint8]
    way_forward: NDArray[np.int32]
    way_backward: NDArray[np.int32]
    way_kmh: NDArray[np.float32]
    way_name: NDArray[np.int32]
    way_layer: NDArray[np.int8]
    ref_start: NDArray[np.int64]
    ref_node: NDArray[np.int64]
    node_id: NDArray[np.int64]
    node_lonlat: NDArray[np.float64]
    node_signal: NDArray[np.uint8]
    node_barrier: NDArray[np.uint8]
    names: tuple[str, ...]
    restrictions: list[Restriction]
    unused: Counter[Unused]
    skipped: Counter[Skipped]
    repeated_ways: int
    conditional_ways: int


@dataclass(slots=True)
class _Ways:
    """Ways and relations as they come out of the file."""

    ids: dict[int, None] = field(default_factory=dict)
    rules: list[WayRule] = field(default_factory=list)
    refs: array[int] = field(default_factory=lambda: array("q"))
    ref_start: array[int] = field(default_factory=lambda: array("q", [0]))
    restrictions: list[Restriction] = field(default_factory=list)
    unused: Counter[Unused] = field(default_factory=Counter)
    skipped: Counter[Skipped] = field(default_factory=Counter)
    repeated_ways: int = 0
    conditional_ways: int = 0


def read_source(path: Path, *, progress: Progress) -> SourceRoads:
    """Reads the roads of an OSM file.

    Args:
        path: An .osm.pbf, .osm or .osm.gz file.
        progress: Told what is being done.

    Returns:
        The roads, in the order of the file.

    Raises:
        NetworkMissing: There is no such file.
        SourceUnreadable: It is truncated, damaged, hostile or no OSM data.
    """
    source_format = check_source(path)
    source = osmium.io.File(str(path), source_format)
    progress(f"{path.name}: reading roads and restrictions")
    try:
        header = osmium.io.Reader(source, osmium.osm.NOTHING).header()
        ways = _read_ways(source)
        progress(f"{path.name}: placing the nodes of {len(ways.rules):,} roads")
        roads = _place(ways, source, _facts(path, header))
    except UnicodeDecodeError as error:
        raise SourceUnreadable(f"{path} holds text that is not UTF-8 ({error.reason})") from error
    except _READER_ERRORS as error:
        raise SourceUnreadable(
            f"{path} is damaged, cut off or no OSM data ({error}); fetch it again"
        ) from error
    return roads


def _facts(path: Path, header: Any) -> SourceFacts:
    if header.has_multiple_object_versions:
        raise SourceUnreadable(f"{path} holds a history; give an extract of one moment")
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    date = header.get("osmosis_replication_timestamp", "") or header.get("timestamp", "")
    return SourceFacts(
        name=path.name,
        sha256=sha256,
        data_date=date or None,
        generator=header.get("generator", ""),
    )


def _read_ways(source: Any) -> _Ways:
    ways = _Ways()
    kinds = osmium.osm.WAY | osmium.osm.RELATION
    keys = osmium.filter.KeyFilter("highway", "route", "type")
    for entity in osmium.FileProcessor(source, kinds).with_filter(keys):
        if entity.is_way():
            _add_way(ways, entity)
        else:
            _add_relation(ways, entity)
    return ways


def _add_way(ways: _Ways, way: Any) -> None:
    tags = dict(way.tags)
    rule = read_way(tags)
    if isinstance(rule, Skipped):
        ways.skipped[rule] += 1
        return
    if way.id in ways.ids:
        ways.repeated_ways += 1
        return
    ways.ids[way.id] = None
    ways.rules.append(rule)
    ways.refs.extend([node.ref for node in way.nodes])
    ways.ref_start.append(len(ways.refs))
    if any(key.endswith(":conditional") for key in tags):
        ways.conditional_ways += 1
    if len(ways.rules) > MAX_WAYS or len(ways.refs) > MAX_WAY_NODES:
        raise SourceUnreadable(
            f"the source holds more than {MAX_WAYS:,} roads or {MAX_WAY_NODES:,} road nodes;"
            " cut out the service area"
        )


def _add_relation(ways: _Ways, relation: Any) -> None:
    tags = dict(relation.tags)
    if not is_restriction(tags):
        return
    members = [(member.type, member.role, member.ref) for member in relation.members]
    restriction = read_restriction(relation.id, tags, members)
    if isinstance(restriction, Unused):
        ways.unused[restriction] += 1
    else:
        ways.restrictions.append(restriction)


def _place(ways: _Ways, source: Any, facts: SourceFacts) -> SourceRoads:
    refs = np.frombuffer(ways.refs, dtype=np.int64) if ways.refs else np.zeros(0, np.int64)
    wanted = np.unique(refs)
    if len(wanted) and wanted[0] <= 0:
        raise SourceUnreadable(
            f"{facts.name} has node ids below 1, as unsaved edits have; upload or renumber them"
        )
    nodes = osmium.FileProcessor(source, osmium.osm.NODE).with_locations("flex_mem")
    tagged = [
        (node.id, read_signal(tags), read_barrier(tags))
        for node, tags in _tagged(nodes.with_filter(osmium.filter.KeyFilter("highway", "barrier")))
    ]
    lonlat, found = _locations(nodes.node_location_storage, wanted)
    node_id = wanted[found]
    signal = np.zeros(len(node_id), np.uint8)
    barrier = np.zeros(len(node_id), np.uint8)
    for osm_id, node_signal, node_barrier in tagged:
        position = np.searchsorted(node_id, osm_id)
        if position < len(node_id) and node_id[position] == osm_id:
            signal[position] = node_signal
            barrier[position] = node_barrier
    ref_node = np.where(found, np.cumsum(found) - 1, -1)[np.searchsorted(wanted, refs)]
    return _assemble(ways, facts, node_id, lonlat[found], signal, barrier, ref_node)


def _tagged(nodes: Any) -> Iterator[tuple[Any, dict[str, str]]]:
    for node in nodes:
        yield node, dict(node.tags)


def _locations(storage: Any, wanted: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Longitude and latitude of the wanted nodes, and which of them the source has."""
    fixed = np.empty((len(wanted), 2), np.int64)
    look_up = storage.get
    for position, osm_id in enumerate(wanted.tolist()):
        try:
            location = look_up(osm_id)
        except KeyError:
            fixed[position] = 2**31 - 1
        else:
            fixed[position, 0] = location.x
            fixed[position, 1] = location.y
    lonlat = fixed / _FIXED_PER_DEGREE
    found = (np.abs(lonlat[:, 0]) <= 180.0) & (np.abs(lonlat[:, 1]) <= 90.0)
    return lonlat, found


def _assemble(
    ways: _Ways,
    facts: SourceFacts,
    node_id: NDArray[np.int64],
    node_lonlat: NDArray[np.float64],
    node_signal: NDArray[np.uint8],
    node_barrier: NDArray[np.uint8],
    ref_node: NDArray[np.int64],
) -> SourceRoads:
    rules = ways.rules
    names = ("", *sorted({rule.name for rule in rules} - {""}))
    name_at = {name: position for position, name in enumerate(names)}
    closed = [CLOSED if rule.forward is None else rule.forward for rule in rules]
    against = [CLOSED if rule.backward is None else rule.backward for rule in rules]
    limits = [(rule.forward_kmh, rule.backward_kmh) for rule in rules]
    return SourceRoads(
        facts=facts,
        way_id=np.fromiter(ways.ids, np.int64, len(rules)),
        way_class=np.array([rule.road_class for rule in rules], np.uint8),
        way_forward=np.array(closed, np.int32),
        way_backward=np.array(against, np.int32),
        way_kmh=np.array(limits, np.float32).reshape(-1, 2),
        way_name=np.array([name_at[rule.name] for rule in rules], np.int32),
        way_layer=np.array([rule.layer for rule in rules], np.int8),
        ref_start=np.frombuffer(ways.ref_start, dtype=np.int64),
        ref_node=ref_node,
        node_id=node_id,
        node_lonlat=node_lonlat,
        node_signal=node_signal,
        node_barrier=node_barrier,
        names=names,
        restrictions=ways.restrictions,
        unused=ways.unused,
        skipped=ways.skipped,
        repeated_ways=ways.repeated_ways,
        conditional_ways=ways.conditional_ways,
    )
