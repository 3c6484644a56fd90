"""From an OSM file to a compiled road graph: the one way in, for extracts and downloads alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from routing.errors import NetworkEmpty, NetworkInPieces
from routing.graph import ArcFlag, RoadGraph
from routing.graph_hash import content_hash
from routing.osm.arcs import Arcs, make_arcs
from routing.osm.import_report import ImportReport, make_report
from routing.osm.pieces import Pieces, find_pieces
from routing.osm.restrictions import apply_restrictions
from routing.osm.source import Progress, read_source
from routing.osm.source_roads import SourceRoads
from routing.osm.stretches import Stretches, cut_stretches
from routing.osm.turns import Turns, make_turns

PIECE_SHARE_LIMIT = 0.05
"""A second piece of this share of the road length is no leftover: a bridge is missing."""
SYNTHETIC_MARK = "stand-in"
"""A source whose header names a generator with this word holds invented data."""


def import_network(
    source: Path,
    *,
    allow_pieces: bool = False,
    synthetic: bool = False,
    progress: Progress | None = None,
) -> tuple[RoadGraph, ImportReport]:
    """Builds the road graph of an OSM file.

    Args:
        source: An .osm.pbf, .osm or .osm.gz file.
        allow_pieces: Take a network whose second piece is large, instead of refusing it.
        synthetic: The data is invented; also true when the file's header says so.
        progress: Told what is being done.

    Returns:
        The graph and what the import found.

    Raises:
        NetworkMissing: There is no such file.
        SourceUnreadable: The file is damaged, hostile or no OSM data.
        NetworkEmpty: It holds no road.
        NetworkInPieces: A second large piece cannot be driven to.
    """
    say = progress or _silent
    roads = read_source(source, progress=say)
    say(f"{source.name}: building arcs and turns")
    stretches = cut_stretches(roads)
    arcs = make_arcs(roads, stretches)
    if not len(arcs.arc_from):
        raise NetworkEmpty(
            f"{source} holds no road that a motor vehicle may use"
            f" ({sum(roads.skipped.values()):,} ways are of other kinds,"
            f" {len(roads.way_id):,} roads lack their nodes); is it the right extract?"
        )
    turns = make_turns(roads, stretches, arcs)
    used, unused = apply_restrictions(roads, stretches, arcs, turns)
    graph = _assemble(roads, stretches, arcs, turns)
    pieces = find_pieces(graph)
    if not allow_pieces:
        _refuse_pieces(source, pieces)
    graph = replace(graph, arc_core=pieces.core)
    graph = replace(graph, road_version=content_hash(graph))
    report = make_report(
        roads,
        stretches,
        arcs,
        graph,
        pieces,
        restrictions_used=used,
        restrictions_unused=unused + roads.unused,
        synthetic=synthetic or SYNTHETIC_MARK in roads.facts.generator,
    )
    return graph, report


def _silent(_: str) -> None:
    """Says nothing."""


def _assemble(roads: SourceRoads, stretches: Stretches, arcs: Arcs, turns: Turns) -> RoadGraph:
    way = stretches.way[arcs.arc_stretch]
    node_lonlat = roads.node_lonlat[arcs.node_source]
    access = np.where(arcs.arc_forward, roads.way_forward[way], roads.way_backward[way])
    flags = access | np.where(arcs.arc_forward, 0, ArcFlag.AGAINST_WAY)
    return RoadGraph(
        node_lon=np.ascontiguousarray(node_lonlat[:, 0]),
        node_lat=np.ascontiguousarray(node_lonlat[:, 1]),
        node_osm_id=roads.node_id[arcs.node_source],
        arc_from=arcs.arc_from,
        arc_to=arcs.arc_to,
        arc_length_m=stretches.length_m[arcs.arc_stretch],
        arc_class=roads.way_class[way],
        arc_name=roads.way_name[way],
        arc_way_id=roads.way_id[way],
        arc_flags=flags.astype(np.uint16),
        arc_maxspeed_kmh=roads.way_kmh[way, (~arcs.arc_forward).astype(np.int64)],
        arc_reverse=arcs.arc_reverse,
        arc_core=np.zeros(len(way), np.bool_),
        geom_start=arcs.geom_start,
        geom_lonlat=arcs.geom_lonlat,
        turn_start=turns.turn_start,
        turn_to=turns.turn_to,
        turn_angle_deg=turns.turn_angle_deg,
        turn_kind=turns.turn_kind,
        turn_flags=turns.turn_flags,
        names=roads.names,
        road_version="",
    )


def _refuse_pieces(source: Path, pieces: Pieces) -> None:
    share = pieces.second_m / pieces.total_m
    if share < PIECE_SHARE_LIMIT or pieces.second_lonlat is None:
        return
    lon, lat = pieces.second_lonlat
    raise NetworkInPieces(
        f"{source} falls into pieces: {pieces.second_m / 1000:,.1f} km of lanes ({share:.1%},"
        f" the limit is {PIECE_SHARE_LIMIT:.0%}) around lon {lon:.4f} lat {lat:.4f} cannot be"
        " driven to and from the rest. Look for a missing bridge or a cut that is too narrow,"
        " or take it as it is with --allow-pieces"
    )
