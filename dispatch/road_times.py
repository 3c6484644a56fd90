"""What the core asks of the roads, as an interface: how long from a unit to a place, and by where.

The real one stands over `routing.Roads` and the units' last positions; tests drive a small town.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dispatch.changed import quickly_made
from dispatch.facts import Location, RoadState
from dispatch.words import UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedStretch:
    """A closed road at one end of a way, driven because the unit or the incident is on it.

    Attributes:
        length_m: Metres of it.
        roads: Its streets' names in the order of the drive; nameless ones are left out.
        closure_ids: The closures that bar it, by id.
    """

    length_m: float
    roads: tuple[str, ...] = ()
    closure_ids: tuple[str, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One unit's way to a place, exact on the road graph.

    Attributes:
        unit_id: The unit.
        travel_s: Seconds on the road, turn-out not included.
        distance_m: Metres by road.
        straight_line_m: Metres as the crow flies.
        position_age_s: Age of the fix; None where the unit never sent one.
        arcs: The arcs of the way, first to last.
        start_offset_m: Where on the first arc the unit stands.
        end_offset_m: Where on the last arc the place is.
        closed_first: The closed road that it begins on; None where that one is open.
        closed_last: The closed road that it ends on; a way closed as a whole has only this.
    """

    unit_id: UnitId
    travel_s: float
    distance_m: float
    straight_line_m: float
    position_age_s: float | None = None
    arcs: tuple[int, ...] = ()
    start_offset_m: float = 0.0
    end_offset_m: float = 0.0
    closed_first: ClosedStretch | None = None
    closed_last: ClosedStretch | None = None


class RoadTimes(Protocol):
    """Exact road seconds from where units are now."""

    @property
    def road_state(self) -> RoadState:
        """The network and the conditions in force."""
        ...

    def nearest(
        self, location: Location, turnout_s: Mapping[UnitId, float], *, k: int
    ) -> Sequence[Reach]:
        """The `k` units that arrive first.

        Args:
            location: Where to.
            turnout_s: The units that may go, each with its seconds until it rolls; no other
                unit may be answered.
            k: At most so many.

        Returns:
            Ordered by turn-out plus travel, ties by unit id; units without a way are left out. A
            way may begin and end on a closed road, and never passes through one.
        """
        ...

    def travel(self, unit_id: UnitId, location: Location) -> Reach | None:
        """The way of one unit, None where no open road leads there."""
        ...
