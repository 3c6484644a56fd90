"""What an import found, so that a person can judge the network before trusting it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph, TurnFlag
from routing.osm.arcs import Arcs
from routing.osm.pieces import Pieces
from routing.osm.restriction_tags import Unused
from routing.osm.source_roads import SourceFacts, SourceRoads
from routing.osm.stretches import Stretches
from routing.osm.tags import Skipped

LOW_MAXSPEED_SHARE = 0.1
LOW_CORE_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Figures of one import. Road lengths count each road once, not each direction.

    Attributes:
        source: The file.
        synthetic: True when the data is invented, not surveyed.
        bbox: West, south, east, north in WGS-84 degrees.
        node_count: Routing nodes.
        arc_count: Directed arcs.
        turn_count: Turns in the table.
        road_m: Length of all roads.
        road_m_by_class: Length by road class, classes without roads left out.
        core_arc_count: Arcs of the largest strongly connected piece.
        core_share: Its share of the length of all arcs, 0 to 1.
        cut_off_m: Length of the arcs outside it.
        second_piece_m: Length of the arcs of the next largest piece.
        maxspeed_share: Share of the length of roads with a posted limit.
        named_share: Share of the length of roads with a name.
        restrictions_used: Turn restrictions in the turn table.
        restrictions_unused: Turn restrictions left out, by reason.
        turns_banned: Turns that are banned for anybody.
        bridge_count: Ways that are bridges.
        tunnel_count: Ways that are tunnels.
        signal_count: Nodes with traffic signals.
        barrier_count: Nodes whose barrier stops the public.
        ways_skipped: Ways left out, by reason.
        suspicious: What a person should look at.
    """

    source: SourceFacts
    synthetic: bool
    bbox: tuple[float, float, float, float]
    node_count: int
    arc_count: int
    turn_count: int
    road_m: float
    road_m_by_class: dict[str, float]
    core_arc_count: int
    core_share: float
    cut_off_m: float
    second_piece_m: float
    maxspeed_share: float
    named_share: float
    restrictions_used: int
    restrictions_unused: dict[str, int]
    turns_banned: int
    bridge_count: int
    tunnel_count: int
    signal_count: int
    barrier_count: int
    ways_skipped: dict[str, int]
    suspicious: tuple[str, ...]


def make_report(
    roads: SourceRoads,
    stretches: Stretches,
    arcs: Arcs,
    graph: RoadGraph,
    pieces: Pieces,
    *,
    restrictions_used: int,
    restrictions_unused: Counter[Unused],
    synthetic: bool,
) -> ImportReport:
    """Counts what an import found."""
    length_m, way = stretches.length_m, stretches.way
    road_m = float(length_m.sum())
    by_class = np.bincount(roads.way_class[way], weights=length_m, minlength=len(ROAD_CLASSES))
    has_limit = roads.way_kmh.max(axis=1, initial=0.0)[way] > 0
    lon, lat = graph.geom_lonlat.T
    shares = {"maxspeed": has_limit, "named": roads.way_name[way] > 0}
    share = {name: float(length_m[which].sum()) / road_m for name, which in shares.items()}
    banned = TurnFlag.BANNED | TurnFlag.BANNED_EXCEPT_EMERGENCY
    return ImportReport(
        source=roads.facts,
        synthetic=synthetic,
        bbox=(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())),
        node_count=graph.node_count,
        arc_count=graph.arc_count,
        turn_count=len(graph.turn_to),
        road_m=road_m,
        road_m_by_class={
            name: float(metres)
            for name, metres in zip(ROAD_CLASSES, by_class, strict=True)
            if metres
        },
        core_arc_count=int(pieces.core.sum()),
        core_share=pieces.core_m / pieces.total_m,
        cut_off_m=pieces.total_m - pieces.core_m,
        second_piece_m=pieces.second_m,
        maxspeed_share=share["maxspeed"],
        named_share=share["named"],
        restrictions_used=restrictions_used,
        restrictions_unused={str(reason): count for reason, count in restrictions_unused.items()},
        turns_banned=int(np.count_nonzero(graph.turn_flags & banned)),
        bridge_count=_ways_with(graph, ArcFlag.BRIDGE),
        tunnel_count=_ways_with(graph, ArcFlag.TUNNEL),
        signal_count=int(np.count_nonzero(roads.node_signal[arcs.node_source])),
        barrier_count=int(np.count_nonzero(roads.node_barrier[arcs.node_source])),
        ways_skipped={str(reason): count for reason, count in roads.skipped.items()},
        suspicious=_suspicious(roads, stretches, pieces, share["maxspeed"]),
    )


def _ways_with(graph: RoadGraph, flag: ArcFlag) -> int:
    return len(np.unique(graph.arc_way_id[(graph.arc_flags & flag) != 0]))


def _suspicious(
    roads: SourceRoads, stretches: Stretches, pieces: Pieces, maxspeed_share: float
) -> tuple[str, ...]:
    welded = np.flatnonzero(stretches.node_layers_joined)
    missing = int(np.count_nonzero(roads.ref_node < 0))
    core_share = pieces.core_m / pieces.total_m
    examples = ", ".join(str(node) for node in roads.node_id[welded[:5]])
    findings = (
        (
            core_share < LOW_CORE_SHARE,
            f"{1 - core_share:.1%} of the road length cannot be driven to and from the rest",
        ),
        (
            maxspeed_share < LOW_MAXSPEED_SHARE,
            (
                f"only {maxspeed_share:.1%} of the road length has a posted limit;"
                " travel times rest on road classes"
            ),
        ),
        (
            len(welded) > 0,
            (
                f"{len(welded)} junctions join the middles of ways on different layers"
                f" (nodes {examples}): a bridge may be welded to the road below"
            ),
        ),
        (missing > 0, f"{missing} road nodes are missing in the source; roads are cut there"),
        (roads.repeated_ways > 0, f"{roads.repeated_ways} ways occur twice; the first was kept"),
        (
            roads.conditional_ways > 0,
            f"{roads.conditional_ways} roads have rules for certain times, which are not used",
        ),
        (
            roads.skipped[Skipped.REVERSIBLE] > 0,
            (
                f"{roads.skipped[Skipped.REVERSIBLE]} reversible roads are left out:"
                " the source does not say which way they run"
            ),
        ),
        (
            roads.skipped[Skipped.UNKNOWN_CLASS] > 0,
            f"{roads.skipped[Skipped.UNKNOWN_CLASS]} ways have an unknown highway value",
        ),
        (
            not roads.restrictions and not roads.unused,
            "there is not one turn restriction in the source",
        ),
    )
    return tuple(text for applies, text in findings if applies)
