"""The turn table: every way to go on from the end of an arc, its angle, kind and flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.graph import TurnFlag, TurnKind
from routing.osm.arcs import Arcs
from routing.osm.node_tags import Barrier, Signal
from routing.osm.source_roads import SourceRoads
from routing.osm.stretches import Stretches, great_circle_m

HEADING_REACH_M = 10.0
"""A road's heading at a junction is taken over its nearest 10 m: junctions are often drawn with
a last piece of a metre or two that points anywhere."""
SIGNAL_PLANT_M = 30.0
"""Signals closer than this are one plant (the four nodes where dual carriageways cross): the
driver who has just passed the first does not wait at the second."""

STRAIGHT_DEG = 20.0
SLIGHT_DEG = 50.0
SHARP_DEG = 130.0
"""Where a bend becomes slight, plain and sharp: the sectors that turn instructions use."""


@dataclass(slots=True)
class Turns:
    """T turns in forward CSR; the arrays are those of `RoadGraph`, `turn_from` their source arc."""

    turn_start: NDArray[np.int32]
    turn_from: NDArray[np.int32]
    turn_to: NDArray[np.int32]
    turn_angle_deg: NDArray[np.float32]
    turn_kind: NDArray[np.uint8]
    turn_flags: NDArray[np.uint8]


def make_turns(roads: SourceRoads, stretches: Stretches, arcs: Arcs) -> Turns:
    """Lists every turn, with signals and barriers; restrictions are written in later.

    Args:
        roads: The source.
        stretches: Its stretches.
        arcs: Its arcs.

    Returns:
        The turn table.
    """
    count = (arcs.out_start[1:] - arcs.out_start[:-1])[arcs.arc_to]
    turn_start = np.concatenate([[0], np.cumsum(count)])
    turn_from = np.repeat(np.arange(len(count)), count)
    step = np.arange(turn_start[-1]) - np.repeat(turn_start[:-1], count)
    turn_to = arcs.out_start[arcs.arc_to][turn_from] + step
    angle_deg = _angles_deg(arcs, turn_from, turn_to)
    is_u_turn = turn_to == arcs.arc_reverse[turn_from]
    angle_deg[is_u_turn] = 180.0
    return Turns(
        turn_start=turn_start.astype(np.int32),
        turn_from=turn_from.astype(np.int32),
        turn_to=turn_to.astype(np.int32),
        turn_angle_deg=angle_deg.astype(np.float32),
        turn_kind=_kinds(angle_deg, is_u_turn),
        turn_flags=_flags(roads, stretches, arcs, turn_from, is_u_turn),
    )


def _angles_deg(
    arcs: Arcs, turn_from: NDArray[np.int64], turn_to: NDArray[np.int64]
) -> NDArray[np.float64]:
    first, last = arcs.geom_start[:-1], arcs.geom_start[1:] - 1
    step_m = great_circle_m(arcs.geom_lonlat[:-1], arcs.geom_lonlat[1:])
    along_m = np.concatenate([[0.0], np.cumsum(step_m)])
    reach_m = np.minimum(HEADING_REACH_M, along_m[last] - along_m[first])
    leaving = _bearings_deg(
        arcs.geom_lonlat[first], _points_at(arcs, along_m, along_m[first] + reach_m)
    )
    arriving = _bearings_deg(
        _points_at(arcs, along_m, along_m[last] - reach_m), arcs.geom_lonlat[last]
    )
    change_deg = leaving[turn_to] - arriving[turn_from]
    return np.asarray((change_deg + 180.0) % 360.0 - 180.0)


def _points_at(
    arcs: Arcs, along_m: NDArray[np.float64], at_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points at distances along the chain of all lines, by linear interpolation."""
    lonlat = arcs.geom_lonlat
    return np.column_stack([np.interp(at_m, along_m, lonlat[:, axis]) for axis in (0, 1)])


def _bearings_deg(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Headings clockwise from north; flat-earth, which over 10 m is exact enough."""
    east = (end[:, 0] - start[:, 0]) * np.cos(np.radians(start[:, 1]))
    north = end[:, 1] - start[:, 1]
    return np.asarray(np.degrees(np.arctan2(east, north)))


def _kinds(angle_deg: NDArray[np.float64], is_u_turn: NDArray[np.bool_]) -> NDArray[np.uint8]:
    size = np.abs(angle_deg)
    is_right = angle_deg > 0
    kind = np.full(len(angle_deg), TurnKind.STRAIGHT, np.uint8)
    sectors = (
        (STRAIGHT_DEG, TurnKind.SLIGHT_RIGHT, TurnKind.SLIGHT_LEFT),
        (SLIGHT_DEG, TurnKind.RIGHT, TurnKind.LEFT),
        (SHARP_DEG, TurnKind.SHARP_RIGHT, TurnKind.SHARP_LEFT),
    )
    for limit_deg, right, left in sectors:
        kind = np.where(size > limit_deg, np.where(is_right, right, left), kind)
    return np.where(is_u_turn, TurnKind.U_TURN, kind).astype(np.uint8)


def _flags(
    roads: SourceRoads,
    stretches: Stretches,
    arcs: Arcs,
    turn_from: NDArray[np.int64],
    is_u_turn: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    at_source = arcs.node_source[arcs.arc_to]
    waits = _waits_at_end(roads, stretches, arcs)[turn_from]
    barrier = roads.node_barrier[at_source][turn_from]
    is_joint = (stretches.node_degree[at_source] == 2)[turn_from]
    flags = np.where(waits, TurnFlag.SIGNAL, 0)
    flags |= np.where(~is_u_turn & (barrier == Barrier.EVERYBODY), TurnFlag.BANNED, 0)
    exempt = ~is_u_turn & (barrier == Barrier.EXCEPT_EMERGENCY)
    flags |= np.where(exempt, TurnFlag.BANNED_EXCEPT_EMERGENCY, 0)
    flags |= np.where(is_joint & ~is_u_turn & ~waits, TurnFlag.JOINT, 0)
    return flags.astype(np.uint8)


def _waits_at_end(roads: SourceRoads, stretches: Stretches, arcs: Arcs) -> NDArray[np.bool_]:
    """Whether a driver waits at a signal at the end of each arc."""
    signal = roads.node_signal[arcs.node_source]
    facing = np.where(arcs.arc_forward, Signal.FORWARD, Signal.BACKWARD)
    has_signal = (signal[arcs.arc_to] & facing) != 0
    just_passed = (signal[arcs.arc_from] & facing) != 0
    is_short = stretches.length_m[arcs.arc_stretch] < SIGNAL_PLANT_M
    return np.asarray(has_signal & ~(just_passed & is_short))
