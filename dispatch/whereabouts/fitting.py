"""Finds the roads of closures and speed factors of another network on the one of today.

Arcs are numbered by each network in its own way. What was drawn is searched for as it was drawn;
ways by their ids; and what is found by neither as its roads lay when it was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dispatch.facts import Stretch
from dispatch.resources import Closure, SpeedFactor
from routing.arcs_by_shape import ArcsByShape
from routing.conditions import Direction
from routing.errors import UnknownRoad
from routing.roads import Roads

NOTHING_KEPT = "only edge ids of that network were kept"
NOTHING_THERE = "no road of this network lies where it was drawn"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A closure's or speed factor's roads on the network of today.

    Attributes:
        arcs: Directed arcs, ascending.
        missing: What of it is not found and why, for people; "" where all is.
    """

    arcs: tuple[int, ...]
    missing: str = ""


class Fitting:
    """Finds roads again; the search for shapes is made ready at the first one."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads
        self._shapes = ArcsByShape(roads.graph)

    def closure(self, closure: Closure) -> Fitted:
        """The arcs that a closure means here."""
        if closure.road_version == self._roads.road_version:
            return Fitted(closure.arcs)
        if closure.geometry:
            arcs = self._drawn(closure)
            return Fitted(arcs, "" if arcs else NOTHING_THERE)
        if closure.way_ids:
            return self._ways(closure)
        return self._stretches(closure.stretches)

    def factor(self, factor: SpeedFactor) -> Fitted:
        """The arcs that a speed factor of named roads means here."""
        if factor.road_version == self._roads.road_version:
            return Fitted(factor.arcs)
        return self._stretches(factor.stretches)

    def _drawn(self, closure: Closure) -> tuple[int, ...]:
        if closure.encloses:
            return self._shapes.inside(closure.geometry, closure.holes)
        return self._shapes.along(closure.geometry, Direction(closure.direction.value))

    def _ways(self, closure: Closure) -> Fitted:
        """Ways that are still there are closed as they were asked for, the others as they lay."""
        direction = Direction(closure.direction.value)
        arcs: set[int] = set()
        gone = []
        for way_id in closure.way_ids:
            try:
                arcs.update(self._roads.arcs_of_way(way_id, direction))
            except UnknownRoad:
                gone.append(way_id)
        lay = [one for one in closure.stretches if one.way_id in set(gone)]
        again = self._stretches(lay) if lay else Fitted(())
        kept = {one.way_id for one in lay}
        lost = [f"way {way_id}" for way_id in gone if way_id not in kept]
        parts = [f"this network has no {_named(lost)}"] if lost else []
        parts += [again.missing] if again.missing else []
        return Fitted(tuple(sorted(arcs.union(again.arcs))), "; ".join(parts))

    def _stretches(self, stretches: Iterable[Stretch]) -> Fitted:
        arcs: set[int] = set()
        lost: Counter[int] = Counter()
        count = 0
        for stretch in stretches:
            count += 1
            direction = Direction.BOTH if stretch.both_ways else Direction.FORWARD
            found = self._shapes.again(stretch.points, direction)
            arcs.update(found)
            if not found:
                lost[stretch.way_id] += 1
        if not count:
            return Fitted((), NOTHING_KEPT)
        missing = ""
        if lost:
            of_ways = _named([f"way {way_id}" for way_id in sorted(lost)])
            missing = f"{lost.total()} of its {count} stretches, of {of_ways}, lie on no road here"
        return Fitted(tuple(sorted(arcs)), missing)


def _named(names: list[str]) -> str:
    """Some names for people, the rest counted."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
