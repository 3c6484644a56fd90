"""An independent reader and searcher of exported roads: our answers, checked by other means.

Written from the two CSV files alone, with a heap and dictionaries: no code is shared with the
service.
"""

from __future__ import annotations

import csv
import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, inf, radians
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8
STRAIGHT_WITHIN = 0.0005
LONELY_M = 12.0
"""No other street passes as near as this: where a parked unit snaps is beyond doubt."""

LONELY_MOVING_M = 30.0
"""Likewise for a moving one, whose heading may fit another street better."""

NOT_FOR_ALL = ("emergency_only", "no_car", "no_motorcycle", "private")

Point = tuple[float, float]
Stand = tuple[int, float]
"""An arc and the share of it that lies behind."""

PROFILES = ("response_car", "motorcycle")
Cost = tuple[int | None, ...]
"""Milliseconds by profile; None where it may not turn so."""

Turn = tuple[int, Cost]

FIRST, OPEN, LAST = range(3)
"""Parts of a way, in this order: closed arcs, open arcs, closed arcs; each possibly none."""


@dataclass(frozen=True, slots=True)
class Arc:
    """One line of the arcs file; `ms` is None where a profile may not go."""

    number: int
    from_node: int
    to_node: int
    start: Point
    end: Point
    length_m: float
    road_class: str
    name: str
    way: int
    flags: frozenset[str]
    reverse: int | None
    core: bool
    ms: dict[str, int | None]

    def point(self, share: float) -> Point:
        """The point at a share of a straight arc."""
        (x, y), (u, v) = self.start, self.end
        return x + (u - x) * share, y + (v - y) * share

    @property
    def heading_deg(self) -> float:
        """Compass heading of a straight arc."""
        east_m, north_m = metres(self.start, self.end)
        return degrees(atan2(east_m, north_m)) % 360.0


def metres(a: Point, b: Point) -> tuple[float, float]:
    """East and north from a to b."""
    east = radians(b[0] - a[0]) * cos(radians((a[1] + b[1]) / 2)) * EARTH_RADIUS_M
    return east, radians(b[1] - a[1]) * EARTH_RADIUS_M


def straight_m(a: Point, b: Point) -> float:
    """Metres as the crow flies."""
    return hypot(*metres(a, b))


class StreetMap:
    """All arcs and turns of a network, as its export tells them."""

    def __init__(self, arcs_csv: Path, turns_csv: Path) -> None:
        self.arcs = [_arc(row) for row in _rows(arcs_csv)]
        assert [arc.number for arc in self.arcs] == list(range(len(self.arcs)))
        self._before: defaultdict[int, list[Turn]] = defaultdict(list)
        self._after: defaultdict[int, list[Turn]] = defaultdict(list)
        for one, other, cost in _turns(turns_csv):
            self._after[one].append((other, cost))
            self._before[other].append((one, cost))
        # Metres east and north of the first arc's start: flat enough for a town.
        origin = np.array(self.arcs[0].start)
        scale = np.radians(1.0) * EARTH_RADIUS_M * np.array([cos(radians(origin[1])), 1.0])
        self._origin, self._scale = origin, scale
        self._starts = (np.array([arc.start for arc in self.arcs]) - origin) * scale
        self._ends = (np.array([arc.end for arc in self.arcs]) - origin) * scale
        self._lengths = np.array([arc.length_m for arc in self.arcs])

    # --- searching ---

    def search(
        self,
        profile: str,
        to: Collection[Stand],
        *,
        closed: Collection[int] = (),
        by_length: bool = False,
        at_most: float = inf,
    ) -> Callable[[Collection[Stand]], float]:
        """Best way to any of the stands: seconds, or metres by length; farther ones are inf.

        Closed arcs may begin and end a way, and nobody passes through them.
        """
        shut = frozenset(closed)

        def arc_cost(number: int) -> float:
            ms = self.arcs[number].ms[profile]
            if ms is None:
                return inf
            return self.arcs[number].length_m if by_length else ms / 1000.0

        position = PROFILES.index(profile)

        def turn_cost(cost: Cost) -> float:
            ms = cost[position]
            if ms is None:
                return inf
            return 0.0 if by_length else ms / 1000.0

        entered = self._costs_from_entry(to, shut, arc_cost, turn_cost, at_most)

        def onwards(number: int) -> float:
            parts = (FIRST, OPEN, LAST) if number in shut else (OPEN, LAST)
            return min(
                (
                    turn_cost(cost) + entered.get((after, part), inf)
                    for after, cost in self._after[number]
                    for part in parts
                ),
                default=inf,
            )

        def best(of: Collection[Stand]) -> float:
            ways = [arc_cost(arc) * (1.0 - share) + onwards(arc) for arc, share in of]
            ways += [
                arc_cost(arc) * (end - share)
                for arc, share in of
                for other, end in to
                if other == arc and end >= share
            ]
            return min(ways, default=inf)

        return best

    def _costs_from_entry(
        self,
        to: Collection[Stand],
        shut: Collection[int],
        arc_cost: Callable[[int], float],
        turn_cost: Callable[[Cost], float],
        at_most: float,
    ) -> dict[tuple[int, int], float]:
        """Costs from the start of an arc that is driven in a part of the way."""
        heap = [
            (arc_cost(arc) * share, arc, LAST if arc in shut else OPEN)
            for arc, share in to
            if arc_cost(arc) < inf
        ]
        heapq.heapify(heap)
        settled: dict[tuple[int, int], float] = {}
        while heap:
            cost, arc, part = heapq.heappop(heap)
            if (arc, part) in settled or cost == inf or cost > at_most:
                continue
            settled[arc, part] = cost
            for before, turn in self._before[arc]:
                if before in shut:
                    earlier = LAST if part == LAST else FIRST
                elif part == FIRST:
                    continue
                else:
                    earlier = OPEN
                if (before, earlier) not in settled:
                    total = cost + turn_cost(turn) + arc_cost(before)
                    heapq.heappush(heap, (total, before, earlier))
        return settled

    # --- choosing places ---

    def stands(self, number: int, share: float = 0.5) -> list[Stand]:
        """Both directions of a street at a point of it."""
        reverse = self.arcs[number].reverse
        return [(number, share)] + ([] if reverse is None else [(reverse, 1.0 - share)])

    def streets(self, chance: Random, *, around: Point, within_m: float) -> list[int]:
        """Straight arcs open to everybody, in random order."""
        found = [
            arc.number
            for arc in self.arcs
            if straight_m(around, arc.start) <= within_m
            and arc.core
            and not arc.flags.intersection(NOT_FOR_ALL)
            and self._is_straight(arc)
        ]
        chance.shuffle(found)
        return found

    def _is_straight(self, arc: Arc) -> bool:
        off_m = abs(straight_m(arc.start, arc.end) - arc.length_m)
        return arc.length_m >= 40.0 and off_m <= STRAIGHT_WITHIN * arc.length_m

    def around(
        self, number: int, numbers: NDArray[np.intp], *, from_m: float, to_m: float
    ) -> list[int]:
        """Those of the arcs whose middle is so far from this one's, as the crow flies."""
        middles = (self._starts[numbers] + self._ends[numbers]) / 2.0
        here = (self._starts[number] + self._ends[number]) / 2.0
        away_m = np.hypot(*(middles - here).T)
        inside = np.flatnonzero((away_m >= from_m) & (away_m <= to_m))
        found: list[int] = numbers[inside].tolist()
        return found

    def nearest_end_m(self, point: Point) -> float:
        """Metres from a point to the nearest end of any arc."""
        (x, y), scale = self._origin, self._scale
        here = np.array([point[0] - x, point[1] - y]) * scale
        away_m: float = np.hypot(*(self._starts - here).T).min()
        return away_m

    def is_lonely(self, number: int, *, within_m: float = LONELY_M) -> bool:
        """Whether no other street passes near its middle: no doubt where a point there snaps.

        A street can pass within r of a point only if the point lies in the ellipse around its
        ends that is its length plus 2 r wide, however it winds.
        """
        middle = (self._starts[number] + self._ends[number]) / 2.0
        by_ends = sum(np.hypot(*(points - middle).T) for points in (self._starts, self._ends))
        passes = by_ends <= self._lengths + 2.0 * within_m
        passes[number] = False
        if (reverse := self.arcs[number].reverse) is not None:
            passes[reverse] = False
        return not passes.any()

    def banks(self) -> list[int]:
        """For each arc a number that is the same for all reached without any bridge."""
        root: dict[int, int] = {}

        def find(node: int) -> int:
            while (up := root.setdefault(node, node)) != node:
                root[node] = root.setdefault(up, up)
                node = root[node]
            return node

        for arc in self.arcs:
            if "bridge" not in arc.flags:
                root[find(arc.from_node)] = find(arc.to_node)
        return [find(arc.from_node) for arc in self.arcs]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _arc(row: dict[str, str]) -> Arc:
    return Arc(
        number=int(row["arc"]),
        from_node=int(row["from_node"]),
        to_node=int(row["to_node"]),
        start=(float(row["from_lon"]), float(row["from_lat"])),
        end=(float(row["to_lon"]), float(row["to_lat"])),
        length_m=float(row["length_m"]),
        road_class=row["class"],
        name=row["name"],
        way=int(row["way"]),
        flags=frozenset(row["flags"].split()),
        reverse=int(row["reverse"]) if row["reverse"] else None,
        core=row["core"] == "1",
        ms=_ms(row),
    )


def _ms(row: dict[str, str]) -> dict[str, int | None]:
    return {name: _whole(row[f"{name}_ms"]) for name in PROFILES}


def _turns(path: Path) -> Iterator[tuple[int, int, Cost]]:
    """The turns: a quarter of a million lines, so without a dictionary for each."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        one, other = header.index("from_arc"), header.index("to_arc")
        columns = [header.index(f"{name}_ms") for name in PROFILES]
        known: dict[tuple[str, ...], Cost] = {}
        for row in reader:
            texts = tuple(row[column] for column in columns)
            if texts not in known:
                known[texts] = tuple(_whole(text) for text in texts)
            yield int(row[one]), int(row[other]), known[texts]


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
