"""Road times from where units are now: the core's `RoadTimes` over the real network.

A unit's stands follow its last fix; one that never sent a fix stands at its platform's point. A
moving unit's heading counts, so that it goes on along its way instead of turning on the spot.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.facts import Location, RoadState
from dispatch.road_times import ClosedStretch, Reach
from dispatch.whereabouts.positions import Fix, Positions
from dispatch.words import UnitId, UnixMs
from platforms.city import City, UnitKind
from routing.closed_ends import ClosedStretch as RoadStretch
from routing.errors import OffNetwork
from routing.geometry import distance_m
from routing.roads import Roads, Snap
from routing.search.asking import Reach as RoadReach
from routing.speeds import Profile

MOVING_MPS: Final = 2.0
"""From this speed on a device's heading is that of the vehicle (slower, it is noise)."""

UNIT_SNAP_MAX_M: Final = 1_000.0
"""A unit farther from any road cannot be weighed: its way to the road is not known."""

PLACE_SNAP_MAX_M: Final = 2_000.0
"""Wider than any limit at the gate, which alone says how far off a road an incident may be."""

_log = logging.getLogger(__name__)


def profile_of(kind: UnitKind) -> Profile:
    """How a unit of this kind drives."""
    return Profile.MOTORCYCLE if kind is UnitKind.MOTORCYCLE else Profile.RESPONSE_CAR


class UnitRoads:
    """`RoadTimes` of a city's units; used from the event loop only."""

    def __init__(
        self, roads: Roads, city: City, positions: Positions, now_ms: Callable[[], UnixMs]
    ) -> None:
        """Put every unit on the road.

        Raises:
            OffNetwork: a platform stands too far from any road (`kuaijing city check` names all).
        """
        self.roads = roads
        self._positions = positions
        self._now_ms = now_ms
        # Slots in the order of ids: the roads break ties by slot, the core by id.
        units = sorted(city.units, key=lambda unit: unit.unit_id)
        self._ids = [UnitId(unit.unit_id) for unit in units]
        self._slots = {unit_id: slot for slot, unit_id in enumerate(self._ids)}
        self._profiles = [profile_of(unit.kind) for unit in units]
        points = {one.platform_id: (one.lon, one.lat) for one in city.platforms}
        self._points = [points[unit.platform_id] for unit in units]
        self._turnout_s = [0.0] * len(units)
        self._extra_ms = [0] * len(units)
        self._fleet = roads.new_fleet(len(units))
        self._moved: set[UnitId] = set()
        for slot in range(len(units)):
            self._place_at_platform(slot)
        self.note_moved(positions.last)
        positions.on_change(self.note_moved)

    @property
    def road_state(self) -> RoadState:
        """The network and the conditions in force."""
        return RoadState(
            road_version=self.roads.road_version,
            conditions_version=self.roads.conditions_version,
        )

    def note_moved(self, unit_ids: Iterable[UnitId]) -> None:
        """Units have new fixes: their stands are found anew before they are next asked for."""
        self._moved.update(unit_ids)

    def settle(self, limit: int) -> bool:
        """Put at most `limit` moved units where they are; False when none is left to do."""
        while self._moved and limit > 0:
            limit -= 1
            unit_id = self._moved.pop()
            slot = self._slots.get(unit_id)
            fix = self._positions.last.get(unit_id)
            if slot is not None and fix is not None:
                self._place_at_fix(slot, fix)
        return bool(self._moved)

    def nearest(
        self, location: Location, turnout_s: Mapping[UnitId, float], *, k: int
    ) -> Sequence[Reach]:
        """The `k` units that arrive first; see `RoadTimes.nearest`."""
        target = self._place(location) if turnout_s else None
        if target is None:
            return ()
        self.settle(len(self._ids))
        found = self.roads.nearest(target, self._fleet, eligible=self._eligible(turnout_s), k=k)
        now_ms = self._now_ms()
        return [self._reach(one, location, now_ms) for one in found]

    def travel(self, unit_id: UnitId, location: Location) -> Reach | None:
        """The way of one unit; None where it has none."""
        reaches = self.nearest(location, {unit_id: self._extra_of(unit_id)}, k=1)
        return reaches[0] if reaches else None

    def point_of(self, unit_id: UnitId) -> tuple[float, float] | None:
        """Longitude and latitude where the unit is taken to be; None for an unknown unit."""
        slot = self._slots.get(unit_id)
        if slot is None:
            return None
        fix = self._positions.last.get(unit_id)
        return self._points[slot] if fix is None else (fix.lon, fix.lat)

    def profile(self, unit_id: UnitId) -> Profile:
        """How the unit drives."""
        slot = self._slots.get(unit_id)
        return Profile.RESPONSE_CAR if slot is None else self._profiles[slot]

    def _eligible(self, turnout_s: Mapping[UnitId, float]) -> NDArray[np.bool_]:
        """Who may go, by slot; a turn-out is written into the fleet only when it is another."""
        eligible = bytearray(len(self._ids))
        slots, known_s = self._slots, self._turnout_s
        for unit_id, seconds in turnout_s.items():
            slot = slots.get(unit_id)
            if slot is not None:
                eligible[slot] = 1
                if known_s[slot] != seconds:
                    self._roll_after(slot, seconds)
        return np.frombuffer(eligible, dtype=np.bool_)

    def _roll_after(self, slot: int, seconds: float) -> None:
        self._turnout_s[slot] = seconds
        self._extra_ms[slot] = round(seconds * 1000)
        stands = self._fleet.stands(slot)
        # A fleet's slot is empty where the unit is too far from any road.
        if stands:
            self._fleet.place(slot, self._profiles[slot], stands, self._extra_ms[slot])

    def _extra_of(self, unit_id: UnitId) -> float:
        slot = self._slots.get(unit_id)
        return 0.0 if slot is None else self._extra_ms[slot] / 1000

    def _place(self, location: Location) -> Snap | None:
        """The incident on the road; None where this network has no road near it.

        Its distance was checked when it came in, so that happens only to an open incident after
        the network was replaced by another: it stays open, and nobody has a way there.
        """
        try:
            return self.roads.snap(location.lon, location.lat, max_m=PLACE_SNAP_MAX_M)
        except OffNetwork as error:
            _log.error("no way to an open incident: %s", error)
            return None

    def _place_at_platform(self, slot: int) -> None:
        lon, lat = self._points[slot]
        snap = self.roads.snap(lon, lat, max_m=UNIT_SNAP_MAX_M)
        self._fleet.place(slot, self._profiles[slot], snap.stands, self._extra_ms[slot])

    def _place_at_fix(self, slot: int, fix: Fix) -> None:
        moving = fix.speed_mps is not None and fix.speed_mps >= MOVING_MPS
        try:
            snap = self.roads.snap(
                fix.lon,
                fix.lat,
                heading_deg=fix.heading_deg if moving else None,
                max_m=UNIT_SNAP_MAX_M,
            )
        except OffNetwork:
            self._fleet.remove(slot)
            return
        self._fleet.place(slot, self._profiles[slot], snap.stands, self._extra_ms[slot])

    def _reach(self, found: RoadReach, location: Location, now_ms: UnixMs) -> Reach:
        unit_id = self._ids[found.slot]
        fix = self._positions.last.get(unit_id)
        lon, lat = self._points[found.slot] if fix is None else (fix.lon, fix.lat)
        ends = self.roads.closed_ends(found.arcs, found.start, found.end, found.profile)
        return Reach(
            unit_id=unit_id,
            travel_s=found.travel_ms / 1000,
            distance_m=found.length_m,
            straight_line_m=distance_m(lon, lat, location.lon, location.lat),
            position_age_s=self._positions.age_s(unit_id, now_ms),
            arcs=found.arcs,
            start_offset_m=found.start.offset_m,
            end_offset_m=found.end.offset_m,
            closed_first=_stretch(ends.first),
            closed_last=_stretch(ends.last),
        )


def _stretch(closed: RoadStretch | None) -> ClosedStretch | None:
    """A closed stretch in the core's terms."""
    if closed is None:
        return None
    return ClosedStretch(
        length_m=closed.length_m, roads=closed.roads, closure_ids=closed.closure_ids
    )
