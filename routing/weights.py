"""Weights of one moment: the speed table, with the conditions that hold written into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.conditions import Closure, Conditions, Direction, EffectiveConditions, SpeedFactor
from routing.errors import UnknownRoad
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph
from routing.search.arrays import CLOSED_MS, RoadArrays, Weights, reverse_turns
from routing.speeds import (
    PROFILE_ROW,
    PROFILES,
    Profile,
    SpeedTable,
    arc_milliseconds,
    turn_milliseconds,
)

EMERGENCY_PROFILES = (Profile.RESPONSE_CAR, Profile.MOTORCYCLE)
"""Who passes a closure that exempts emergency vehicles."""

_NOTHING_SHUT = np.empty(0, dtype=np.int32)


def bars(closure: Closure, profile: Profile) -> bool:
    """Whether a closure keeps a profile out."""
    return not (closure.emergency_exempt and profile in EMERGENCY_PROFILES)


class WayIndex:
    """Finds the arcs of an OSM way."""

    def __init__(self, graph: RoadGraph) -> None:
        self._order = np.argsort(graph.arc_way_id, kind="stable")
        self._sorted_ids = graph.arc_way_id[self._order]
        self._against = (graph.arc_flags & ArcFlag.AGAINST_WAY) != 0

    def arcs_of_way(self, way_id: int, direction: Direction = Direction.BOTH) -> NDArray[np.intp]:
        """The way's arcs, ascending; `FORWARD` are those that run as the way is drawn.

        Raises:
            UnknownRoad: The network has no such way.
        """
        low, high = np.searchsorted(self._sorted_ids, [way_id, way_id + 1])
        if low == high:
            raise UnknownRoad(f"way {way_id} has no road in this network; look its id up in OSM")
        arcs = self._order[low:high]
        if direction is not Direction.BOTH:
            arcs = arcs[self._against[arcs] == (direction is Direction.BACKWARD)]
        return np.sort(arcs)


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """Weights of one hour without conditions, (P, A) milliseconds."""

    hour: int
    arc_ms: NDArray[np.int32]


class WeightMaker:
    """Makes the weights of a moment. Each call returns new arrays: a query keeps what it holds."""

    def __init__(self, graph: RoadGraph, table: SpeedTable) -> None:
        self._graph = graph
        self.table = table
        self.ways = WayIndex(graph)
        entry_start, entry_from, order = reverse_turns(graph.turn_start, graph.turn_to)
        # Own copies: kernels are compiled for writable contiguous arrays, a mapped file is neither.
        self.network = RoadArrays(
            np.array(graph.arc_length_m, dtype=np.float64),
            np.array(graph.turn_start, dtype=np.int32),
            np.array(graph.turn_to, dtype=np.int32),
            entry_start,
            entry_from,
        )
        turn_ms = np.stack([turn_milliseconds(graph, profile, table) for profile in PROFILES])
        self._turn_ms = turn_ms.ravel()
        self._entry_ms = np.ascontiguousarray(turn_ms[:, order]).ravel()
        self._base: BaseWeights | None = None
        self._closed: dict[Closure, NDArray[np.intp]] = {}

    def weights(self, conditions: EffectiveConditions, hour: int) -> Weights:
        """The weights with these conditions, which were checked before, at this local hour."""
        arc_ms = self._base_ms(hour).copy()
        shut_ms = _NOTHING_SHUT
        if conditions.speed_factors:
            self._slow_down(arc_ms, conditions.speed_factors)
        if conditions.closures:
            shut_ms = self._close(arc_ms, conditions.closures)
        return Weights(arc_ms.ravel(), shut_ms.ravel(), self._turn_ms, self._entry_ms)

    def closed_arcs(self, closure: Closure) -> NDArray[np.intp]:
        """The directed arcs that a closure closes, ascending.

        Raises:
            UnknownRoad: It names an arc or way that the network does not have.
        """
        arcs = self._known(closure.arcs)
        reverse = self._graph.arc_reverse[arcs].astype(np.intp)
        reverse = reverse[reverse >= 0]
        if closure.direction is Direction.BOTH:
            parts = [arcs, reverse]
        else:
            parts = [arcs if closure.direction is Direction.FORWARD else reverse]
        parts += [self.ways.arcs_of_way(way, closure.direction) for way in closure.way_ids]
        return np.unique(np.concatenate(parts))

    def arcs_of(self, closure: Closure) -> NDArray[np.intp]:
        """The directed arcs of a closure that was checked before, ascending."""
        return self._closed[closure]

    def check(self, conditions: Conditions) -> None:
        """Look up every road named in the conditions, those that hold later too.

        Raises:
            UnknownRoad: A condition names an arc or way that the network does not have.
        """
        known = self._closed
        self._closed = {
            closure: known[closure] if closure in known else self.closed_arcs(closure)
            for closure in conditions.closures
        }
        for factor in conditions.speed_factors:
            self._slowed_arcs(factor)

    def _close(self, arc_ms: NDArray[np.int32], closures: tuple[Closure, ...]) -> NDArray[np.int32]:
        """Bar the closed arcs; returns what each of them would take, `CLOSED_MS` elsewhere."""
        shut_ms = np.full_like(arc_ms, CLOSED_MS)
        closed = [(one, self.arcs_of(one)) for one in closures]
        for profile in PROFILES:
            row = PROFILE_ROW[profile]
            barring = [arcs for one, arcs in closed if bars(one, profile)]
            if barring:
                arcs = np.concatenate(barring)
                shut_ms[row, arcs] = arc_ms[row, arcs]
                arc_ms[row, arcs] = CLOSED_MS
        return shut_ms

    def _slowed_arcs(self, factor: SpeedFactor) -> NDArray[np.intp]:
        ways = [self.ways.arcs_of_way(way) for way in factor.way_ids]
        return np.unique(np.concatenate([self._known(factor.arcs), *ways]))

    def _base_ms(self, hour: int) -> NDArray[np.int32]:
        base = self._base
        if base is None or not self.table.same_hour(base.hour, hour):
            rows = [
                arc_milliseconds(self._graph, profile, hour, self.table) for profile in PROFILES
            ]
            base = self._base = BaseWeights(hour, np.stack(rows))
        return base.arc_ms

    def _slow_down(self, arc_ms: NDArray[np.int32], factors: tuple[SpeedFactor, ...]) -> None:
        product = np.ones(self._graph.arc_count)
        for item in factors:
            if item.road_class is not None:
                product[self._graph.arc_class == ROAD_CLASSES.index(item.road_class)] *= item.factor
            elif item.arcs or item.way_ids:
                product[self._slowed_arcs(item)] *= item.factor
            else:
                product *= item.factor
        slowed = np.flatnonzero(product != 1)
        part = arc_ms[:, slowed]
        exact = np.clip(np.floor(part / product[slowed] + 0.5), 1, CLOSED_MS - 1)
        arc_ms[:, slowed] = np.where(part == CLOSED_MS, CLOSED_MS, exact.astype(np.int32))

    def _known(self, arcs: tuple[int, ...]) -> NDArray[np.intp]:
        known = np.array(arcs, dtype=np.intp)
        if known.size and not (known.min() >= 0 and known.max() < self._graph.arc_count):
            raise UnknownRoad(
                f"arcs {known.min()} to {known.max()} are not all in this network, which has"
                f" {self._graph.arc_count}; name the road by its way: ways survive a new network"
            )
        return known


def profile_arcs(weights: Weights, profile: Profile, arc_count: int) -> NDArray[np.int32]:
    """One profile's arc milliseconds, int32 (A), a view."""
    row = PROFILE_ROW[profile]
    return weights.arc_ms[row * arc_count : (row + 1) * arc_count]


def profile_shut(weights: Weights, profile: Profile, arc_count: int) -> NDArray[np.int32]:
    """What one profile's barred arcs would take, int32 (A) or empty, a view."""
    row = PROFILE_ROW[profile]
    return weights.shut_ms[row * arc_count : (row + 1) * arc_count]


def profile_turns(weights: Weights, profile: Profile) -> NDArray[np.int32]:
    """One profile's turn milliseconds, int32 (T), a view."""
    row, turn_count = PROFILE_ROW[profile], len(weights.turn_ms) // len(PROFILES)
    return weights.turn_ms[row * turn_count : (row + 1) * turn_count]
