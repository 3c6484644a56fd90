"""The units and the incidents that the questions are asked about; the same seed, the same city.

Units are in the mix of a platform: of seven one command vehicle, two response cars and four
motorcycles. Patrolling units are spread over the roads by length, with a heading, so that each
must drive on along its arc. Parked units share 33 posts and may set off in both directions.
All positions are drawn at random: they are synthetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from routing.graph import RoadGraph
from routing.speeds import Profile
from routing.stands import Snap, Stand

PLATFORMS = 33
UNITS_PER_PLATFORM = 7
_CARS_PER_PLATFORM = 3
_POINT_MARGIN = 0.02
"""Random stands keep this share of the arc's length from both ends."""


class Posture(StrEnum):
    """Where idle units are."""

    PATROLLING = "patrolling"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class BenchUnit:
    """A unit as a search sees it.

    Attributes:
        profile: How it drives.
        stands: Where it stands, one or both directions.
        extra_ms: Milliseconds before it moves off.
    """

    profile: Profile
    stands: tuple[Stand, ...]
    extra_ms: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Units in one posture; a unit's slot is its position."""

    posture: Posture
    units: tuple[BenchUnit, ...]


class PointDraw:
    """Draws places on the roads, each metre with the same chance."""

    def __init__(self, graph: RoadGraph, usable: NDArray[np.bool_], seed: int) -> None:
        """Prepare the draw.

        Args:
            graph: The roads.
            usable: Arcs that may be drawn, bool (A); only those in the largest component are.
            seed: Start of the random numbers.
        """
        self._graph = graph
        self._arcs = np.flatnonzero(usable & graph.arc_core)
        lengths_m = graph.arc_length_m[self._arcs]
        self._chance = lengths_m / lengths_m.sum()
        self._rng = np.random.default_rng(seed)

    def heading_stand(self) -> Stand:
        """A place on one direction: a vehicle under way."""
        arc = int(self._rng.choice(self._arcs, p=self._chance))
        share = float(self._rng.uniform(_POINT_MARGIN, 1.0 - _POINT_MARGIN))
        return Stand(arc, float(self._graph.arc_length_m[arc]) * share)

    def place(self) -> Snap:
        """A place on a street, with both directions where it has two."""
        return snap_at(self._graph, self.heading_stand())


def snap_at(graph: RoadGraph, stand: Stand) -> Snap:
    """The snap of a point that lies on the road at a stand, with the other direction too."""
    stands = [stand]
    other = int(graph.arc_reverse[stand.arc])
    length_m = float(graph.arc_length_m[stand.arc])
    if other >= 0:
        back_m = float(graph.arc_length_m[other]) * (1.0 - stand.offset_m / length_m)
        stands.append(Stand(other, back_m))
    lon, lat = _point_at(graph.arc_line(stand.arc), stand.offset_m / length_m)
    road = graph.names[int(graph.arc_name[stand.arc])]
    return Snap(lon, lat, lon, lat, 0.0, road, tuple(stands))


def patrolling(draw: PointDraw, size: int) -> Scenario:
    """Units spread over all roads, each with a heading."""
    units = tuple(BenchUnit(_profile(slot), (draw.heading_stand(),)) for slot in range(size))
    return Scenario(Posture.PATROLLING, units)


def parked(draw: PointDraw, size: int) -> Scenario:
    """Units at 33 posts, free to leave in both directions."""
    posts = [draw.place().stands for _ in range(PLATFORMS)]
    units = tuple(
        BenchUnit(_profile(slot), posts[slot // UNITS_PER_PLATFORM % PLATFORMS])
        for slot in range(size)
    )
    return Scenario(Posture.PARKED, units)


def _profile(slot: int) -> Profile:
    seat = slot % UNITS_PER_PLATFORM
    return Profile.RESPONSE_CAR if seat < _CARS_PER_PLATFORM else Profile.MOTORCYCLE


def _point_at(line: NDArray[np.float64], share: float) -> tuple[float, float]:
    # Good enough for a label: degrees are taken as a plane within one street.
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = share * along[-1]
    return float(np.interp(at, along, line[:, 0])), float(np.interp(at, along, line[:, 1]))
