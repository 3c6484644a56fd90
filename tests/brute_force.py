"""The judge of the searches: brute force written from the definition, slow and plain."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from routing.graph import RoadGraph
from routing.roads import Reach, Roads
from routing.search.fleet import Fleet
from routing.speeds import Profile, arc_milliseconds, turn_milliseconds
from routing.stands import Snap, Stand

CLOSED = 1 << 30
HOUR = 12


FIRST, OPEN, LAST = range(3)
"""Parts of a way, in this order: closed arcs, open arcs, closed arcs."""


@dataclass
class BruteForce:
    """Plain forward Dijkstra over arcs, from a stand to every arc; one profile.

    Closed arcs may begin a way and end it, and nobody passes through: a state is an arc and the
    part of the way that it is driven in.
    """

    graph: RoadGraph
    arc_ms: list[int]
    turn_ms: list[int]
    closed: frozenset[int]

    @classmethod
    def of(cls, graph: RoadGraph, profile: Profile, closed: frozenset[int] = frozenset()):
        arc_ms = arc_milliseconds(graph, profile, HOUR).tolist()
        return cls(graph, arc_ms, turn_milliseconds(graph, profile).tolist(), closed)

    def part(self, stand: Stand) -> int:
        length_m = float(self.graph.arc_length_m[stand.arc])
        return floor(self.arc_ms[stand.arc] * (stand.offset_m / length_m) + 0.5)

    def entries(self, stand: Stand) -> dict[int, int]:
        """Milliseconds from the stand to the start of each arc that is entered."""
        if self.arc_ms[stand.arc] == CLOSED:
            return {}
        begun = FIRST if stand.arc in self.closed else OPEN
        queue = list(self.turns(stand.arc, begun, self.arc_ms[stand.arc] - self.part(stand)))
        heapq.heapify(queue)
        states = set()
        entered: dict[int, int] = {}
        while queue:
            ms, arc, part = heapq.heappop(queue)
            if (arc, part) in states:
                continue
            states.add((arc, part))
            entered.setdefault(arc, ms)
            for item in self.turns(arc, part, ms + self.arc_ms[arc]):
                heapq.heappush(queue, item)
        return entered

    def turns(self, arc: int, part: int, ms: int):
        for turn in range(self.graph.turn_start[arc], self.graph.turn_start[arc + 1]):
            after = int(self.graph.turn_to[turn])
            if max(self.turn_ms[turn], self.arc_ms[after]) == CLOSED:
                continue
            if after in self.closed:
                yield ms + self.turn_ms[turn], after, FIRST if part == FIRST else LAST
            elif part != LAST:
                yield ms + self.turn_ms[turn], after, OPEN

    def travel(self, start: Stand, ends: Sequence[Stand], entered: dict[int, int]) -> float:
        best = inf
        for end in ends:
            if self.arc_ms[end.arc] == CLOSED:
                continue
            if start.arc == end.arc and start.offset_m <= end.offset_m:
                best = min(best, self.part(end) - self.part(start))
            if end.arc in entered:
                best = min(best, entered[end.arc] + self.part(end))
        return best


@dataclass(frozen=True)
class PlacedUnit:
    profile: Profile
    stands: tuple[Stand, ...]
    extra_ms: int


def place_of(stands: Sequence[Stand]) -> Snap:
    return Snap(0.0, 0.0, 0.0, 0.0, 0.0, "", tuple(stands))


def fleet_of(roads: Roads, units: Sequence[PlacedUnit]) -> Fleet:
    fleet = roads.new_fleet(len(units))
    for slot, unit in enumerate(units):
        fleet.place(slot, unit.profile, unit.stands, unit.extra_ms)
    return fleet


class BruteFleet:
    """All units' entries, computed once; then any target is a look-up."""

    def __init__(self, graph: RoadGraph, units: Sequence[PlacedUnit], closed=frozenset()) -> None:
        self.brute = {profile: BruteForce.of(graph, profile, closed) for profile in Profile}
        self.units = units
        self.entered = [
            [self.brute[unit.profile].entries(stand) for stand in unit.stands] for unit in units
        ]

    def order(self, targets: Sequence[Stand], *, k: int, limit_ms: float = inf):
        totals = []
        for slot, unit in enumerate(self.units):
            brute = self.brute[unit.profile]
            travel = min(
                brute.travel(stand, targets, entered)
                for stand, entered in zip(unit.stands, self.entered[slot], strict=True)
            )
            if travel + unit.extra_ms <= min(limit_ms, CLOSED - 1):
                totals.append((travel + unit.extra_ms, slot))
        return sorted(totals)[:k]


def answers(reaches: Sequence[Reach]) -> list[tuple[int, int]]:
    return [(reach.total_ms, reach.slot) for reach in reaches]
