"""Brings the board's closures and speed factors onto the roads, and says what changed by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from dispatch.board import Board
from dispatch.resources import Closure, SpeedFactor
from dispatch.words import UnixMs
from platforms.city import City
from routing import conditions as on_roads
from routing.daily import DailyHours
from routing.errors import RoadError, UnknownRoad
from routing.graph import ROAD_CLASSES
from routing.roads import Roads

_log = logging.getLogger(__name__)


class RoadConditions:
    """Keeps the roads' conditions equal to the board's; used from the event loop only."""

    def __init__(self, roads: Roads, city: City) -> None:
        self._roads = roads
        self._zone = ZoneInfo(city.timezone)
        self._areas = {area.area_id: area.polygon for area in city.areas}
        self._arcs_of_area: dict[str, tuple[int, ...]] = {}

    def apply(self, board: Board, at_ms: UnixMs) -> frozenset[int]:
        """Put the board's closures and speed factors into force for the next decision.

        Returns:
            The arcs that closures shut or opened by it.
        """
        before = self._roads.effective_conditions
        closures = [self._closure(one) for one in board.closures.values()]
        factors = [self._factor(one) for one in board.speed_factors.values()]
        conditions = on_roads.Conditions(
            tuple(one for one in closures if one is not None),
            tuple(one for one in factors if one is not None),
        )
        self._roads.set_conditions(conditions, at_ms, *self.local_time(at_ms))
        return _changed(before, self._roads.effective_conditions)

    def advance(self, at_ms: UnixMs) -> frozenset[int] | None:
        """Let periods and daily hours begin and end, and the hour's speeds change.

        Returns:
            The arcs that closures shut or opened by it; None where nothing changed on the roads.
        """
        if at_ms < self._roads.next_change_ms:
            return None
        before = self._roads.effective_conditions
        if not self._roads.advance(at_ms, *self.local_time(at_ms)):
            return None
        return _changed(before, self._roads.effective_conditions)

    def local_time(self, at_ms: UnixMs) -> tuple[int, int]:
        """The city's hour of the day, 0 to 23, and the minute of that hour."""
        local = datetime.fromtimestamp(at_ms // 1000, self._zone)
        return local.hour, local.minute

    def _closure(self, closure: Closure) -> on_roads.Closure | None:
        known = closure.road_version == self._roads.road_version
        ways = () if known else self._known_ways(closure.way_ids)
        arcs = closure.arcs if known else ()
        if not arcs and not ways:
            _log.error(
                "closure %s was made on network %s and names no way of this one: it closes nothing;"
                " lift it and set it again",
                closure.closure_id,
                closure.road_version,
            )
            return None
        # The arcs are directed already, so only they are meant; a way is closed as it was asked.
        direction = on_roads.Direction.FORWARD
        if not known:
            direction = on_roads.Direction(closure.direction.value)
        try:
            return on_roads.Closure(
                closure_id=closure.closure_id,
                arcs=arcs,
                way_ids=ways,
                direction=direction,
                from_ms=closure.from_ms,
                until_ms=closure.until_ms,
                daily=tuple(
                    DailyHours(from_minute=one.from_minute, until_minute=one.until_minute)
                    for one in closure.daily
                ),
                emergency_exempt=closure.emergency_exempt,
                reason=closure.reason,
            )
        except RoadError as error:
            # It is in the log: it must not keep the service from starting.
            _log.error("closure %s left out: %s", closure.closure_id, error)
            return None

    def _known_ways(self, way_ids: Iterable[int]) -> tuple[int, ...]:
        """Those ways that this network has."""
        known = []
        for way_id in way_ids:
            try:
                self._roads.arcs_of_way(way_id)
            except UnknownRoad:
                continue
            known.append(way_id)
        return tuple(known)

    def _factor(self, factor: SpeedFactor) -> on_roads.SpeedFactor | None:
        arcs = factor.arcs
        whole_class = factor.road_class if factor.area_id is None else None
        if factor.area_id is not None:
            arcs = self._in_area(factor.area_id, factor.road_class)
        stale = bool(factor.arcs) and factor.road_version != self._roads.road_version
        if stale or (factor.area_id is not None and not arcs):
            _log.error("speed factor %s fits no road of this network", factor.factor_id)
            return None
        try:
            return on_roads.SpeedFactor(
                factor_id=factor.factor_id,
                factor=factor.factor,
                road_class=whole_class,
                arcs=arcs,
                from_ms=factor.from_ms,
                until_ms=factor.until_ms,
                reason=factor.reason,
            )
        except RoadError as error:
            _log.error("speed factor %s left out: %s", factor.factor_id, error)
            return None

    def _in_area(self, area_id: str, road_class: str | None) -> tuple[int, ...]:
        """Arcs that begin in an area, of one class or of all."""
        arcs = self._arcs_of_area.get(area_id)
        graph = self._roads.graph
        if arcs is None:
            polygon = self._areas.get(area_id)
            if polygon is None:
                return ()
            inside = shapely.contains_xy(polygon, graph.node_lon, graph.node_lat)
            arcs = tuple(np.flatnonzero(inside[graph.arc_from]).tolist())
            self._arcs_of_area[area_id] = arcs
        if road_class is None:
            return arcs
        wanted = ROAD_CLASSES.index(road_class)
        return tuple(arc for arc in arcs if graph.arc_class[arc] == wanted)


def _changed(
    before: on_roads.EffectiveConditions, after: on_roads.EffectiveConditions
) -> frozenset[int]:
    """The arcs of closures that hold at one of two moments only."""
    closures = set(before.closures) ^ set(after.closures)
    return frozenset(arc for closure in closures for arc in closure.arcs)
