"""Random questions against brute force: forward, from every unit to everywhere, by scipy.

Our search runs backward from the incident and stops early. The brute force runs forward from the
end of each unit's arcs over the expanded graph, without any limit, and looks the incident up. The
questions hold both profiles, one-ways, banned turns, incidents just ahead of and just behind a
unit on its own arc, incidents and units on closed roads, closures (with and without exemption, one
direction) and slowed roads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from api.bench.contest import Answer, ranked
from api.bench.expanded import ExpandedRoads, expand
from api.bench.field import BENCH_HOUR, FLEET_PROFILES, Say
from api.bench.ours import OurSearch
from api.bench.scenario import BenchUnit, PointDraw, snap_at
from routing.conditions import Closure, Conditions, Direction, SpeedFactor
from routing.graph import RoadGraph
from routing.roads import Roads
from routing.search.arrays import CLOSED_MS
from routing.speeds import Profile, arc_milliseconds, turn_milliseconds
from routing.stands import Stand

_BATCH = 33
"""Sources of one brute-force call; its rows of labels take A * 8 bytes each."""

_CLOSED_ARCS = 1_000
_SLOWED_ARCS = 2_000
_SLOW_FACTOR = 0.5
_K_TURNS = (1, 5, 10)
_SAME_ARC_SHARE = 5
"""Every fifth incident lies on the arc of a unit."""

_SHUT_SHARE = 4
"""Every fourth incident lies on a closed arc, and every fourth unit stands on one."""

_EXTRA_MS = (0, 2_000, 20_000)


@dataclass(slots=True)
class Exactness:
    """What the comparison with brute force found.

    Attributes:
        queries: Questions asked.
        mismatches: Questions answered otherwise than by brute force.
        by_conditions: Questions under each kind of conditions.
        same_arc: Questions whose incident lay on the arc of a unit.
        on_closed: Questions whose incident lay on a closed arc.
        examples: The first few that differ, for people.
    """

    queries: int = 0
    mismatches: int = 0
    by_conditions: dict[str, int] = field(default_factory=dict)
    same_arc: int = 0
    on_closed: int = 0
    examples: list[str] = field(default_factory=list)


def check_exactness(
    roads: Roads, *, queries: int, units: int, seed: int, say: Say, kernel_name: str
) -> Exactness:
    """Ask random questions and compare with brute force; leaves the roads without conditions."""
    result = Exactness()
    cases = _conditions(roads.graph, np.random.default_rng(seed))
    per_case = -(-queries // len(cases))
    for number, (name, conditions) in enumerate(cases.items()):
        say(f"exactness: {per_case} questions, roads {name}")
        roads.set_conditions(conditions, 0, BENCH_HOUR)
        truth = BruteForce(roads.graph, conditions)
        draws = _draws(roads.graph, truth, seed + number)
        fleet = _random_units(draws, units)
        truth.place(fleet)
        ours = OurSearch(roads, kernel_name)
        ours.place(fleet)
        for asked, target in enumerate(_targets(roads.graph, draws, fleet, per_case)):
            k = _K_TURNS[asked % len(_K_TURNS)]
            _note(result, name, ours.nearest(target, k), truth.nearest(target, k))
            result.on_closed += bool(truth.shut[[stand.arc for stand in target]].any())
        result.by_conditions[name] = per_case
        result.same_arc += per_case // _SAME_ARC_SHARE
    roads.set_conditions(Conditions(), 0, BENCH_HOUR)
    return result


def _note(result: Exactness, name: str, ours: Answer, truth: Answer) -> None:
    result.queries += 1
    if ours != truth:
        result.mismatches += 1
        if len(result.examples) < 5:
            result.examples.append(f"roads {name}: ours {ours[:3]}, brute force {truth[:3]}")


class BruteForce:
    """Every unit to everywhere, forward."""

    name = "brute force, every unit to everywhere by scipy"

    def __init__(self, graph: RoadGraph, conditions: Conditions) -> None:
        self.roads: dict[Profile, ExpandedRoads] = {}
        self.shut = _shut(graph, conditions)
        for profile in FLEET_PROFILES:
            arc_ms = _slowed_ms(graph, profile, conditions)
            turn_ms = turn_milliseconds(graph, profile)
            self.roads[profile] = expand(graph, arc_ms, turn_ms, self.shut)
        self._units: Sequence[BenchUnit] = ()
        self._end_ms: dict[tuple[int, int], NDArray[np.int32]] = {}

    def place(self, units: Sequence[BenchUnit]) -> None:
        """Search from the end of each unit's arcs to the end of all arcs."""
        self._units = units
        for profile, roads in self.roads.items():
            matrix = roads.matrix(against_traffic=False)
            arcs = sorted({s.arc for unit in units if unit.profile is profile for s in unit.stands})
            for first in range(0, len(arcs), _BATCH):
                batch = arcs[first : first + _BATCH]
                labels = dijkstra(matrix, indices=batch)
                labels[~np.isfinite(labels)] = CLOSED_MS
                for arc, row in zip(batch, labels.astype(np.int32), strict=True):
                    self._end_ms[profile, arc] = row  # type: ignore[index]

    def nearest(self, target: Sequence[Stand], k: int) -> Answer:
        """The k best of all units."""
        found: dict[int, int] = {}
        for slot, unit in enumerate(self._units):
            ways = (self._way_ms(unit.profile, s, end) for s in unit.stands for end in target)
            best_ms = min(ways)
            if best_ms < CLOSED_MS:
                found[slot] = best_ms + unit.extra_ms
        return ranked(found, k)

    def _way_ms(self, profile: Profile, start: Stand, end: Stand) -> int:
        roads = self.roads[profile]
        along_ms = roads.same_arc_ms(start, end)
        if roads.rest_ms(start) >= CLOSED_MS:
            return along_ms
        labels = self._end_ms[profile, start.arc]  # type: ignore[index]
        entered_ms = [labels[a] + ms for a, ms in roads.entries([end]) if labels[a] < CLOSED_MS]
        return min([along_ms, *(roads.rest_ms(start) + int(ms) for ms in entered_ms)])


def _slowed_ms(graph: RoadGraph, profile: Profile, conditions: Conditions) -> NDArray[np.int32]:
    """Our own reading of what factors mean, arc by arc."""
    arc_ms = arc_milliseconds(graph, profile, BENCH_HOUR).astype(np.int64)
    for factor in conditions.speed_factors:
        for arc in set(factor.arcs):
            if arc_ms[arc] < CLOSED_MS:
                arc_ms[arc] = max(1, int(arc_ms[arc] / factor.factor + 0.5))
    return arc_ms.astype(np.int32)


def _shut(graph: RoadGraph, conditions: Conditions) -> NDArray[np.bool_]:
    """Our own reading of what closures mean for emergency vehicles, arc by arc."""
    shut = np.zeros(graph.arc_count, dtype=np.bool_)
    for closure in conditions.closures:
        if closure.emergency_exempt:
            continue
        for arc in closure.arcs:
            shut[arc] = True
            if closure.direction is Direction.BOTH and graph.arc_reverse[arc] >= 0:
                shut[graph.arc_reverse[arc]] = True
    return shut


def _conditions(graph: RoadGraph, rng: np.random.Generator) -> dict[str, Conditions]:
    def some(count: int) -> tuple[int, ...]:
        drawn = rng.choice(graph.arc_count, size=min(count, graph.arc_count // 10), replace=False)
        return tuple(int(arc) for arc in drawn)

    both = Closure(closure_id="both", arcs=some(_CLOSED_ARCS // 2))
    one = Closure(closure_id="one", arcs=some(_CLOSED_ARCS), direction=Direction.FORWARD)
    exempt = Closure(closure_id="exempt", arcs=some(_CLOSED_ARCS), emergency_exempt=True)
    slow = SpeedFactor(factor_id="slow", factor=_SLOW_FACTOR, arcs=some(_SLOWED_ARCS))
    return {
        "open": Conditions(),
        "closed": Conditions(closures=(both, one, exempt)),
        "slowed": Conditions(speed_factors=(slow,)),
        "closed and slowed": Conditions(closures=(one, exempt), speed_factors=(slow,)),
    }


class _Draws(NamedTuple):
    """Places anywhere, and on closed roads; the latter anywhere too where nothing is closed."""

    anywhere: PointDraw
    on_closed: PointDraw

    def of(self, number: int) -> PointDraw:
        """The draw for the n-th of something."""
        return self.anywhere if number % _SHUT_SHARE else self.on_closed


def _draws(graph: RoadGraph, truth: BruteForce, seed: int) -> _Draws:
    usable = [item.arc_ms[: graph.arc_count] < CLOSED_MS for item in truth.roads.values()]
    drivable = np.asarray(np.logical_or.reduce(usable))
    shut = drivable & truth.shut
    return _Draws(
        PointDraw(graph, drivable, seed),
        PointDraw(graph, shut if (shut & graph.arc_core).any() else drivable, seed + 1_000),
    )


def _random_units(draws: _Draws, size: int) -> list[BenchUnit]:
    """Units of both profiles, half with a heading, with different turn-outs."""
    units = []
    for slot in range(size):
        draw = draws.of(slot // 2)
        stands = (draw.heading_stand(),) if slot % 2 else draw.place().stands
        profile = FLEET_PROFILES[slot % 3 != 0]
        units.append(BenchUnit(profile, stands, _EXTRA_MS[slot % len(_EXTRA_MS)]))
    return units


def _targets(
    graph: RoadGraph, draws: _Draws, units: Sequence[BenchUnit], count: int
) -> Iterator[tuple[Stand, ...]]:
    for number in range(count):
        if number % _SAME_ARC_SHARE:
            yield draws.of(number).place().stands
            continue
        near = units[number % len(units)].stands[0]
        length_m = float(graph.arc_length_m[near.arc])
        # In turn just ahead, just behind, and at the very same metre.
        shift_m = (0.01 * length_m, -0.01 * length_m, 0.0)[number // _SAME_ARC_SHARE % 3]
        yield snap_at(graph, Stand(near.arc, near.offset_m + shift_m)).stands
