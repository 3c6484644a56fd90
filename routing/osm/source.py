"""Reads an OSM file into flat arrays: the roads, their nodes, signals, barriers, restrictions.

Two passes: ways and relations first, then the places of the nodes that the roads use. So the
order of a file does not matter, and the nodes of houses and woods never reach Python.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from routing.errors import SourceUnreadable
from routing.osm.restriction_tags import Restriction, Unused, is_restriction, read_restriction
from routing.osm.source_guard import check_source
from routing.osm.source_nodes import PlacedNodes, place_nodes
from routing.osm.source_roads import CLOSED, SourceFacts, SourceRoads
from routing.osm.tags import Skipped, WayRule, read_way

Progress = Callable[[str], None]

MAX_WAYS = 4_000_000
"""Roads of a large country; more is not a police district."""
MAX_WAY_NODES = 60_000_000
_READER_ERRORS = (
    RuntimeError,
    ValueError,
    KeyError,
    OSError,
    OverflowError,
    osmium.InvalidLocationError,
)
"""What osmium raises on damaged data: its own errors are RuntimeErrors, all but that of a place
that is no number; text that is no UTF-8 and numbers out of range come as the others."""

_NO_ROOM = ("Resource temporarily unavailable", "Cannot allocate memory", "bad_alloc")
"""How the reader says that it got no memory, or no room for a thread: no fault of the file."""


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
        nodes = place_nodes(source, np.array(ways.refs, np.int64))
        facts = _facts(path, header)
    except UnicodeDecodeError as error:
        raise SourceUnreadable(f"{path} holds text that is not UTF-8 ({error.reason})") from error
    except _READER_ERRORS as error:
        if any(words in str(error) for words in _NO_ROOM):
            raise MemoryError(str(error)) from error
        raise SourceUnreadable(
            f"{path} is damaged, cut off or no OSM data ({error}); fetch it again"
        ) from error
    return _assemble(ways, nodes, facts)


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
    entities: Iterable[Any] = osmium.FileProcessor(source, kinds).with_filter(keys)
    for entity in entities:
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


def _assemble(ways: _Ways, nodes: PlacedNodes, facts: SourceFacts) -> SourceRoads:
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
        ref_start=np.array(ways.ref_start, np.int64),
        ref_node=nodes.ref_node,
        node_id=nodes.node_id,
        node_lonlat=nodes.lonlat,
        node_signal=nodes.signal,
        node_barrier=nodes.barrier,
        names=names,
        restrictions=ways.restrictions,
        unused=ways.unused,
        skipped=ways.skipped,
        repeated_ways=ways.repeated_ways,
        conditional_ways=ways.conditional_ways,
    )
