"""Small made-up road graphs, written from the definition of `RoadGraph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.geometry import M_PER_DEGREE, bearing_deg, distance_m, metres_per_lon
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph, TurnFlag, TurnKind

ORIGIN_LON, ORIGIN_LAT = 111.467, 27.239


@dataclass(frozen=True, kw_only=True)
class Street:
    """A street between two nodes, drawn straight."""

    start: int
    end: int
    oneway: bool = False
    road_class: str = "residential"
    name: str = ""
    maxspeed_kmh: float = 0.0
    flags: int = 0
    way_id: int = 0


def point(east_m: float, north_m: float) -> tuple[float, float]:
    """Lon/lat so many metres from the origin of the made-up town."""
    return (
        ORIGIN_LON + east_m / metres_per_lon(ORIGIN_LAT),
        ORIGIN_LAT + north_m / M_PER_DEGREE,
    )


def turn_kind(angle_deg: float) -> TurnKind:
    """The kind of a turn; angles as in `RoadGraph.turn_angle_deg`."""
    size = abs(angle_deg)
    if size < 20:
        return TurnKind.STRAIGHT
    if size < 45:
        return TurnKind.SLIGHT_RIGHT if angle_deg > 0 else TurnKind.SLIGHT_LEFT
    if size < 120:
        return TurnKind.RIGHT if angle_deg > 0 else TurnKind.LEFT
    return TurnKind.SHARP_RIGHT if angle_deg > 0 else TurnKind.SHARP_LEFT


def build_graph(
    nodes_m: Sequence[tuple[float, float]],
    streets: Iterable[Street],
    *,
    turn_flags: Mapping[tuple[int, int], TurnFlag] | None = None,
    signals: frozenset[int] = frozenset(),
) -> RoadGraph:
    """Build a graph.

    Args:
        nodes_m: (east, north) metres of each node.
        streets: Streets; a two-way one gives two arcs, the one as drawn first.
        turn_flags: Flags of the turn from one arc into another.
        signals: Nodes with traffic signals.
    """
    places = [point(*node) for node in nodes_m]
    arcs: list[tuple[int, int, Street, int]] = []
    ways: list[int] = []
    for position, street in enumerate(streets):
        first = len(arcs)
        arcs.append((street.start, street.end, street, -1 if street.oneway else first + 1))
        if not street.oneway:
            arcs.append((street.end, street.start, street, first))
        ways += [street.way_id or 100 + position] * (len(arcs) - first)
    names = ["", *dict.fromkeys(a[2].name for a in arcs if a[2].name)]
    bearings = [bearing_deg(*places[a], *places[b]) for a, b, _, _ in arcs]
    turn_start, turn_to, angles, kinds, flags = [0], [], [], [], []
    for arc, (_, end, _, reverse) in enumerate(arcs):
        for after, (start, _, _, _) in enumerate(arcs):
            if start != end:
                continue
            angle = (bearings[after] - bearings[arc] + 180) % 360 - 180
            turn_to.append(after)
            angles.append(angle)
            kinds.append(TurnKind.U_TURN if after == reverse else turn_kind(angle))
            flag = (turn_flags or {}).get((arc, after), TurnFlag(0))
            flags.append(flag | TurnFlag.SIGNAL if end in signals else flag)
        turn_start.append(len(turn_to))
    return RoadGraph(
        node_lon=np.array([p[0] for p in places]),
        node_lat=np.array([p[1] for p in places]),
        node_osm_id=np.arange(1, len(places) + 1, dtype=np.int64),
        arc_from=np.array([a[0] for a in arcs], dtype=np.int32),
        arc_to=np.array([a[1] for a in arcs], dtype=np.int32),
        arc_length_m=np.array([distance_m(*places[a], *places[b]) for a, b, _, _ in arcs]),
        arc_class=np.array([ROAD_CLASSES.index(a[2].road_class) for a in arcs], dtype=np.uint8),
        arc_name=np.array([names.index(a[2].name) for a in arcs], dtype=np.int32),
        arc_way_id=np.array(ways, dtype=np.int64),
        arc_flags=np.array(
            [
                a[2].flags
                | (ArcFlag.ONEWAY if a[2].oneway else 0)
                | (0 if a[0] == a[2].start else ArcFlag.AGAINST_WAY)
                for a in arcs
            ],
            dtype=np.uint16,
        ),
        arc_maxspeed_kmh=np.array([a[2].maxspeed_kmh for a in arcs], dtype=np.float32),
        arc_reverse=np.array([a[3] for a in arcs], dtype=np.int32),
        arc_core=np.ones(len(arcs), dtype=np.bool_),
        geom_start=np.arange(0, 2 * len(arcs) + 1, 2, dtype=np.int64),
        geom_lonlat=np.array([places[n] for a, b, _, _ in arcs for n in (a, b)]).reshape(-1, 2),
        turn_start=np.array(turn_start, dtype=np.int32),
        turn_to=np.array(turn_to, dtype=np.int32),
        turn_angle_deg=np.array(angles, dtype=np.float32),
        turn_kind=np.array(kinds, dtype=np.uint8),
        turn_flags=np.array(flags, dtype=np.uint8),
        names=tuple(names),
        road_version="0" * 16,
    )


def grid_graph(
    columns: int,
    rows: int,
    *,
    block_m: float = 100.0,
    signals: frozenset[int] = frozenset(),
    renumbered: bool = False,
) -> RoadGraph:
    """A chessboard of two-way streets named R0, R1 ... (west-east) and C0, C1 ... (south-north).

    Args:
        columns: Streets from south to north.
        rows: Streets from west to east.
        block_m: From one to the next.
        signals: Nodes with traffic signals.
        renumbered: The same streets in another order, as another network has them.
    """
    nodes = [(c * block_m, r * block_m) for r in range(rows) for c in range(columns)]
    streets = [
        Street(start=r * columns + c, end=r * columns + c + 1, name=f"R{r}", road_class="tertiary")
        for r in range(rows)
        for c in range(columns - 1)
    ]
    streets += [
        Street(start=r * columns + c, end=(r + 1) * columns + c, name=f"C{c}")
        for r in range(rows - 1)
        for c in range(columns)
    ]
    if not renumbered:
        return build_graph(nodes, streets, signals=signals)
    graph = build_graph(nodes, reversed(streets), signals=signals)
    return replace(graph, road_version="1" * 16)
