"""The compiled road graph: immutable flat arrays, one entry per directed arc.

An arc is one direction of one stretch of road between two routing nodes. Search labels live on
arcs, not on nodes, so that turn restrictions, turn costs and one-ways are exact. Whatever may
change while the service runs (speeds, closures) is kept apart, in `routing.conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

ROAD_CLASSES: tuple[str, ...] = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "road",
    "track",
    "busway",
    "pedestrian",
    "ferry",
)
"""Names of the road classes; `RoadGraph.arc_class` holds positions in this tuple."""


class ArcFlag(IntFlag):
    """What is special about an arc."""

    ONEWAY = 1
    BRIDGE = 2
    TUNNEL = 4
    ROUNDABOUT = 8
    EMERGENCY_ONLY = 16
    """Closed to the public, open to emergency vehicles (access=no + emergency=yes, bus lanes)."""
    NO_CAR = 32
    NO_MOTORCYCLE = 64
    PRIVATE = 128
    """access=private, destination or delivery: may be driven in an emergency, at a slow speed."""
    AGAINST_WAY = 256
    """Runs against the direction in which its OSM way is drawn."""


class TurnKind(IntEnum):
    """How a turn bends, seen by the driver."""

    STRAIGHT = 0
    SLIGHT_RIGHT = 1
    RIGHT = 2
    SHARP_RIGHT = 3
    U_TURN = 4
    SHARP_LEFT = 5
    LEFT = 6
    SLIGHT_LEFT = 7


class TurnFlag(IntFlag):
    """What is special about a turn."""

    SIGNAL = 1
    BANNED = 2
    """Forbidden by a restriction relation, for everybody."""
    BANNED_EXCEPT_EMERGENCY = 4
    """Forbidden by a restriction that says except=emergency."""
    JOINT = 8
    """No junction: only two streets' ends meet here, so the turn costs nothing."""


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """A road network as flat arrays. N nodes, A directed arcs, T turns, P geometry points.

    Attributes:
        node_lon: Longitude of each node, WGS-84 degrees, float64 (N).
        node_lat: Latitude of each node, WGS-84 degrees, float64 (N).
        node_osm_id: OSM node id, int64 (N).
        arc_from: Node where the arc starts, int32 (A).
        arc_to: Node where the arc ends, int32 (A).
        arc_length_m: Length along the road in metres, float64 (A).
        arc_class: Position in `ROAD_CLASSES`, uint8 (A).
        arc_name: Position in `names`; 0 is the empty name, int32 (A).
        arc_way_id: OSM way id, int64 (A).
        arc_flags: `ArcFlag` bits, uint16 (A).
        arc_maxspeed_kmh: Posted limit; 0 where the source gives none, float32 (A).
        arc_reverse: The same stretch in the other direction; -1 where one-way, int32 (A).
        arc_core: True in the largest strongly connected component: only such arcs take stands,
            bool (A).
        geom_start: First point of each arc's line in `geom_lonlat`; A + 1 entries, int64.
        geom_lonlat: All lines, from arc start to arc end, float64 (P, 2).
        turn_start: First turn that leaves each arc's end; A + 1 entries, int32. Banned turns are
            listed too, so that the ban can be shown and checked.
        turn_to: The arc turned into, int32 (T).
        turn_angle_deg: Change of heading, -180 (left) to 180 (right), float32 (T).
        turn_kind: `TurnKind`, uint8 (T).
        turn_flags: `TurnFlag` bits, uint8 (T).
        names: Street names; position 0 is "".
        road_version: Hash of the content, 16 hex digits; equal content, equal version.
    """

    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    node_osm_id: NDArray[np.int64]
    arc_from: NDArray[np.int32]
    arc_to: NDArray[np.int32]
    arc_length_m: NDArray[np.float64]
    arc_class: NDArray[np.uint8]
    arc_name: NDArray[np.int32]
    arc_way_id: NDArray[np.int64]
    arc_flags: NDArray[np.uint16]
    arc_maxspeed_kmh: NDArray[np.float32]
    arc_reverse: NDArray[np.int32]
    arc_core: NDArray[np.bool_]
    geom_start: NDArray[np.int64]
    geom_lonlat: NDArray[np.float64]
    turn_start: NDArray[np.int32]
    turn_to: NDArray[np.int32]
    turn_angle_deg: NDArray[np.float32]
    turn_kind: NDArray[np.uint8]
    turn_flags: NDArray[np.uint8]
    names: tuple[str, ...]
    road_version: str

    @property
    def node_count(self) -> int:
        """Number of routing nodes."""
        return len(self.node_lon)

    @property
    def arc_count(self) -> int:
        """Number of directed arcs."""
        return len(self.arc_from)

    def arc_line(self, arc: int) -> NDArray[np.float64]:
        """The arc's line as (points, 2) lon/lat, from its start to its end."""
        return self.geom_lonlat[self.geom_start[arc] : self.geom_start[arc + 1]]
