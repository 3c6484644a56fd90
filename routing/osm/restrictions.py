"""Writes turn restrictions into the turn table.

A restriction through a junction node is a ban of turns. One through via ways forbids a path of
several turns; it is written only where banning a single turn forbids exactly that path and
nothing else, and counted as unused where that cannot be done.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.graph import TurnFlag
from routing.osm.arcs import Arcs
from routing.osm.restriction_tags import Restriction, Unused
from routing.osm.source_roads import SourceRoads
from routing.osm.stretches import Stretches
from routing.osm.turns import STRAIGHT_DEG, Turns

MAX_VIA_ARCS = 30
"""A via way longer than this many stretches is a mapping error, not a junction."""
_WIDEST_STRAIGHT_DEG = 60.0
_NARROWEST_U_DEG = 120.0


@dataclass(slots=True)
class _Table:
    """The turn table with what is needed to find turns by way and node."""

    arcs: Arcs
    turns: Turns
    arc_way_id: NDArray[np.int64]
    arcs_of_way: dict[int, list[int]] = field(default_factory=dict)
    into_start: NDArray[np.int64] = field(init=False)
    into_arc: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.into_arc = np.argsort(self.arcs.arc_to, kind="stable")
        nodes = np.arange(len(self.arcs.node_source) + 1)
        self.into_start = np.searchsorted(self.arcs.arc_to[self.into_arc], nodes)

    def turn(self, pair: tuple[int, int]) -> int:
        """Position of the turn from one arc into another that leaves its end."""
        from_arc, to_arc = pair
        first_out = self.arcs.out_start[self.arcs.arc_to[from_arc]]
        return int(self.turns.turn_start[from_arc] + to_arc - first_out)

    def arcs_out(self, arc: int) -> range:
        """Arcs that leave the end of an arc."""
        node = self.arcs.arc_to[arc]
        return range(int(self.arcs.out_start[node]), int(self.arcs.out_start[node + 1]))

    def arcs_into(self, arc: int) -> list[int]:
        """Arcs that end where an arc starts."""
        node = self.arcs.arc_from[arc]
        into: list[int] = self.into_arc[self.into_start[node] : self.into_start[node + 1]].tolist()
        return into

    def is_open(self, pair: tuple[int, int]) -> bool:
        """Whether no rule forbids the turn to everybody."""
        return not self.turns.turn_flags[self.turn(pair)] & TurnFlag.BANNED


def apply_restrictions(
    roads: SourceRoads, stretches: Stretches, arcs: Arcs, turns: Turns
) -> tuple[int, Counter[Unused]]:
    """Bans what the source's restrictions forbid, in place.

    Args:
        roads: The source with its restrictions.
        stretches: Its stretches.
        arcs: Its arcs.
        turns: Its turns; the flags change.

    Returns:
        How many restrictions are in the table, and how many are not, by reason.
    """
    table = _Table(arcs, turns, roads.way_id[stretches.way[arcs.arc_stretch]])
    _index_ways(table, roads.restrictions)
    node_at = _node_positions(roads, arcs)
    unused: Counter[Unused] = Counter()
    used = 0
    # Junction restrictions first: whether a via way can be written depends on them.
    for restriction in sorted(roads.restrictions, key=lambda each: each.via_node is None):
        if restriction.via_node is None:
            reason = _ban_via_ways(table, restriction)
        else:
            reason = _ban_at_node(table, restriction, node_at.get(restriction.via_node))
        if reason is None:
            used += 1
        else:
            unused[reason] += 1
    return used, unused


def _index_ways(table: _Table, restrictions: list[Restriction]) -> None:
    """Finds the arcs of the ways that restrictions name, and of no others."""
    named = {
        way
        for restriction in restrictions
        for way in (*restriction.from_ways, *restriction.via_ways, *restriction.to_ways)
    }
    wanted = np.isin(table.arc_way_id, np.fromiter(named, np.int64, len(named)))
    for arc in np.flatnonzero(wanted).tolist():
        table.arcs_of_way.setdefault(int(table.arc_way_id[arc]), []).append(arc)


def _node_positions(roads: SourceRoads, arcs: Arcs) -> dict[int, int]:
    via_nodes = {each.via_node for each in roads.restrictions if each.via_node is not None}
    node_ids = roads.node_id[arcs.node_source]
    wanted = np.flatnonzero(np.isin(node_ids, np.fromiter(via_nodes, np.int64, len(via_nodes))))
    return {int(node_ids[node]): int(node) for node in wanted}


def _ban_at_node(table: _Table, restriction: Restriction, node: int | None) -> Unused | None:
    if node is None:
        return Unused.OFF_NETWORK
    coming = [arc for arc in _arcs(table, restriction.from_ways) if table.arcs.arc_to[arc] == node]
    going = [arc for arc in _arcs(table, restriction.to_ways) if table.arcs.arc_from[arc] == node]
    if not coming or not going:
        return _pointless(table, restriction)
    pairs = _meant(table, restriction, [(a, b) for a in coming for b in going])
    if not pairs:
        return Unused.NO_SUCH_TURN
    for pair in _forbidden(table, restriction, pairs):
        _ban(table, restriction, pair)
    return None


def _pointless(table: _Table, restriction: Restriction) -> Unused:
    """Why there is no turn: a way is no road for us, or all are but one-ways forbid it already."""
    sides = (restriction.from_ways, restriction.to_ways)
    known = all(any(way in table.arcs_of_way for way in ways) for ways in sides)
    return Unused.NO_SUCH_TURN if known else Unused.OFF_NETWORK


def _arcs(table: _Table, ways: tuple[int, ...]) -> Iterator[int]:
    for way in ways:
        yield from table.arcs_of_way.get(way, ())


def _meant(
    table: _Table, restriction: Restriction, pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Which of several possible turns the relation means.

    There are several where a way goes on beyond the junction instead of ending at it: then the
    manoeuvre in the relation's name tells which side is meant.
    """
    twin = table.arcs.arc_reverse
    if restriction.manoeuvre == "u_turn" and restriction.from_ways == restriction.to_ways:
        return [(a, b) for a, b in pairs if b == twin[a]]
    pairs = [(a, b) for a, b in pairs if b != twin[a]]
    ways_named = len(restriction.from_ways) * len(restriction.to_ways)
    if len(pairs) <= ways_named or restriction.manoeuvre in ("entry", "exit"):
        return pairs
    return [pair for pair in pairs if _agrees(table, pair, restriction.manoeuvre)]


def _agrees(table: _Table, pair: tuple[int, int], manoeuvre: str) -> bool:
    angle_deg = float(table.turns.turn_angle_deg[table.turn(pair)])
    if manoeuvre == "left_turn":
        return angle_deg < -STRAIGHT_DEG
    if manoeuvre == "right_turn":
        return angle_deg > STRAIGHT_DEG
    if manoeuvre == "straight_on":
        return abs(angle_deg) < _WIDEST_STRAIGHT_DEG
    return abs(angle_deg) > _NARROWEST_U_DEG


def _forbidden(
    table: _Table, restriction: Restriction, pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    if not restriction.only:
        return pairs
    allowed = set(pairs)
    return [
        (a, b)
        for a in dict.fromkeys(a for a, _ in pairs)
        for b in table.arcs_out(a)
        if (a, b) not in allowed
    ]


def _ban(table: _Table, restriction: Restriction, pair: tuple[int, int]) -> None:
    exempt = restriction.emergency_exempt
    flag = TurnFlag.BANNED_EXCEPT_EMERGENCY if exempt else TurnFlag.BANNED
    table.turns.turn_flags[table.turn(pair)] |= flag


def _ban_via_ways(table: _Table, restriction: Restriction) -> Unused | None:
    paths = [
        path
        for arc in _arcs(table, restriction.from_ways)
        if (path := _path_through(table, restriction, arc)) is not None
    ]
    if not paths:
        return Unused.OFF_NETWORK
    bans: list[tuple[int, int]] = []
    for path in paths:
        single = _single_bans(table, restriction, path)
        if single is None:
            return Unused.VIA_WAY
        bans.extend(single)
    for pair in bans:
        _ban(table, restriction, pair)
    return None


def _path_through(table: _Table, restriction: Restriction, first: int) -> list[int] | None:
    """The shortest chain of arcs from an arc through the via ways into a `to` way."""
    via, goal = set(_arcs(table, restriction.via_ways)), set(_arcs(table, restriction.to_ways))
    queue: deque[list[int]] = deque([[first]])
    seen = {first}
    while queue:
        path = queue.popleft()
        for arc in table.arcs_out(path[-1]):
            if len(path) > 1 and arc in goal and arc != table.arcs.arc_reverse[path[-1]]:
                return [*path, arc]
            if arc in via and arc not in seen and len(path) <= MAX_VIA_ARCS:
                seen.add(arc)
                queue.append([*path, arc])
    return None


def _single_bans(
    table: _Table, restriction: Restriction, path: list[int]
) -> list[tuple[int, int]] | None:
    """Turns whose ban forbids just this path (or, for `only`, leaves just this path)."""
    if restriction.only:
        # Whoever came this way must go on into the last arc: exact when all came this way.
        if not all(_is_sole_way_in(table, path, place) for place in range(1, len(path) - 1)):
            return None
        return [(path[-2], arc) for arc in table.arcs_out(path[-2]) if arc != path[-1]]
    for place in range(len(path) - 1):
        before = all(_is_sole_way_in(table, path, index) for index in range(1, place + 1))
        after = all(
            _is_sole_way_on(table, path, index) for index in range(place + 1, len(path) - 1)
        )
        if before and after:
            return [(path[place], path[place + 1])]
    return None


def _is_sole_way_in(table: _Table, path: list[int], place: int) -> bool:
    into = path[place]
    comes_from = [arc for arc in table.arcs_into(into) if table.is_open((arc, into))]
    return comes_from == [path[place - 1]]


def _is_sole_way_on(table: _Table, path: list[int], place: int) -> bool:
    out_of = path[place]
    goes_to = [arc for arc in table.arcs_out(out_of) if table.is_open((out_of, arc))]
    return goes_to == [path[place + 1]]
