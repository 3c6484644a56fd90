"""Brings the board's closures and speed factors onto the roads, and says what changed by it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from dispatch.board import Board
from dispatch.resources import Closure, SpeedFactor
from dispatch.whereabouts.fitting import Fitted, Fitting
from dispatch.words import AssignmentState, UnixMs
from platforms.city import City
from routing import conditions as on_roads
from routing.daily import DailyHours
from routing.errors import RoadError
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
        self._fitting = Fitting(roads)
        # Of another network only, and never changed once made: the id says which it is.
        self._fitted: dict[str, Fitted] = {}
        self._unfit: dict[str, str] = {}
        self._told: set[str] = set()
        self._since_last_run: frozenset[int] | None = None
        self._begun = False

    def apply(self, board: Board, at_ms: UnixMs) -> frozenset[int]:
        """Put the board's closures and speed factors into force for the next decision.

        Returns:
            The arcs that closures shut or opened by it.
        """
        before = self._roads.effective_conditions
        self._unfit = {}
        closures = [self._closure(one) for one in board.closures.values()]
        factors = [self._factor(one) for one in board.speed_factors.values()]
        conditions = on_roads.Conditions(
            tuple(one for one in closures if one is not None),
            tuple(one for one in factors if one is not None),
        )
        self._roads.set_conditions(conditions, at_ms, *self.local_time(at_ms))
        after = self._roads.effective_conditions
        if not self._begun:
            self._begun = True
            self._since_last_run = _invalid_ways(board, after, self._roads.road_version)
        return _changed(before, after)

    def begin_again(self, board: Board) -> None:
        """Tell, at the next `advance`, of ways that lead over closed roads by now.

        For a worker that takes over: the one before may have ended before it saw to them.
        """
        after = self._roads.effective_conditions
        self._since_last_run = _invalid_ways(board, after, self._roads.road_version)

    def advance(self, at_ms: UnixMs) -> frozenset[int] | None:
        """Let periods and daily hours begin and end, and the hour's speeds change.

        The first call after a start also tells of what happened while the service was down.

        Returns:
            The arcs that closures shut or opened by it; None where nothing changed on the roads.
        """
        missed, self._since_last_run = self._since_last_run, None
        if at_ms < self._roads.next_change_ms:
            return missed
        before = self._roads.effective_conditions
        if not self._roads.advance(at_ms, *self.local_time(at_ms)):
            return missed
        changed = _changed(before, self._roads.effective_conditions)
        return changed if missed is None else changed | missed

    def local_time(self, at_ms: UnixMs) -> tuple[int, int]:
        """The city's hour of the day, 0 to 23, and the minute of that hour."""
        local = datetime.fromtimestamp(at_ms // 1000, self._zone)
        return local.hour, local.minute

    def arcs_of(self, condition: Closure | SpeedFactor) -> tuple[int, ...]:
        """The arcs of this network that a closure, or a speed factor of named roads, means."""
        if not condition.arcs or condition.road_version == self._roads.road_version:
            return condition.arcs
        return self._fit(condition).arcs

    @property
    def road_version(self) -> str:
        """Hash of the network."""
        return self._roads.road_version

    @property
    def unfit(self) -> Mapping[str, str]:
        """Closures and speed factors that hold on fewer roads than was asked: id and why."""
        return self._unfit

    def _fit(self, condition: Closure | SpeedFactor) -> Fitted:
        key = condition.closure_id if isinstance(condition, Closure) else condition.factor_id
        fitted = self._fitted.get(key)
        if fitted is None:
            if isinstance(condition, Closure):
                fitted = self._fitting.closure(condition)
            else:
                fitted = self._fitting.factor(condition)
            self._fitted[key] = fitted
            if fitted.missing:
                _log.error("%s holds in part or not at all: %s", key, _why(condition, fitted))
        return fitted

    def _closure(self, closure: Closure) -> on_roads.Closure | None:
        arcs = closure.arcs
        if closure.road_version != self._roads.road_version:
            fitted = self._fit(closure)
            arcs = fitted.arcs
            if fitted.missing:
                self._unfit[closure.closure_id] = _why(closure, fitted)
        if not arcs:
            return None
        try:
            # The arcs are directed already, so that only they are meant.
            return on_roads.Closure(
                closure_id=closure.closure_id,
                arcs=arcs,
                direction=on_roads.Direction.FORWARD,
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
            self._leave_out(closure.closure_id, str(error))
            return None

    def _factor(self, factor: SpeedFactor) -> on_roads.SpeedFactor | None:
        arcs = factor.arcs
        whole_class = factor.road_class if factor.area_id is None else None
        if factor.area_id is not None:
            arcs = self._in_area(factor.area_id, factor.road_class)
            if not arcs:
                why = f"no such road of this network lies in the area {factor.area_id!r}"
                self._leave_out(factor.factor_id, why)
                return None
        elif arcs and factor.road_version != self._roads.road_version:
            fitted = self._fit(factor)
            arcs = fitted.arcs
            if fitted.missing:
                self._unfit[factor.factor_id] = _why(factor, fitted)
            if not arcs:
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
            self._leave_out(factor.factor_id, str(error))
            return None

    def _leave_out(self, key: str, why: str) -> None:
        self._unfit[key] = why
        if key not in self._told:
            self._told.add(key)
            _log.error("%s left out: %s", key, why)

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


def _why(condition: Closure | SpeedFactor, fitted: Fitted) -> str:
    return (
        f"it was made on road version {condition.road_version}, and {fitted.missing};"
        " lift it and set it again"
    )


def _invalid_ways(
    board: Board, now: on_roads.EffectiveConditions, road_version: str
) -> frozenset[int] | None:
    """The arcs shut now, where units under way have to be told; None where none has.

    Closures may have begun while the service was down, and the network may be another one.
    """
    shut = frozenset(
        arc for closure in now.closures if not closure.emergency_exempt for arc in closure.arcs
    )
    for assignment in board.assignments.values():
        if not assignment.state.is_active or assignment.state is AssignmentState.ON_SCENE:
            continue
        if assignment.road_version != road_version or not shut.isdisjoint(assignment.arcs):
            return shut
    return None


def _changed(
    before: on_roads.EffectiveConditions, after: on_roads.EffectiveConditions
) -> frozenset[int]:
    """The arcs of closures that hold at one of two moments only."""
    closures = set(before.closures) ^ set(after.closures)
    return frozenset(arc for closure in closures for arc in closure.arcs)
