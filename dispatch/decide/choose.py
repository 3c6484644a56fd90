"""Who goes: the free, capable units that arrive first by exact road time.

The policy is nearest by turn-out plus travel. Specific kinds are served before "any", so that a car
that is needed as a car is not spent as "any".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dispatch.board import Board
from dispatch.changed import quickly_made
from dispatch.decide.context import Context
from dispatch.facts import Candidate, Location, Shortfall
from dispatch.resources import UnitOnBoard
from dispatch.road_times import ClosedStretch, Reach
from dispatch.rules import Rules, kinds_of
from dispatch.words import ANY_PATROL, UnitId, UnitStatus
from platforms.categories import UnitKind

CLOSURES_NAMED = 5
"""Closures named at most where no open road leads to a place; streets and closures named at most
where a way begins or ends on a closed road."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for.

    Attributes:
        location: Where to.
        wanted: Units by kind.
        without: Units not to be asked.
        waited_s: Seconds of the promise that are gone already.
        k: Candidates to weigh for each kind.
        with_routes: Whether candidates carry their arcs.
    """

    location: Location
    wanted: Mapping[str, int]
    without: Collection[UnitId] = ()
    waited_s: float = 0.0
    k: int
    with_routes: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A unit that goes, and for what."""

    fills: str
    candidate: Candidate
    reach: Reach


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What came of it: picks in the order of their kinds, candidates by arrival."""

    picks: tuple[Pick, ...]
    candidates: tuple[Candidate, ...]
    shortfall: tuple[Shortfall, ...]
    why: str


def choose(board: Board, context: Context, wish: Wish) -> Choice:
    """Weighs the free units and picks those that arrive first."""
    picks: list[Pick] = []
    weighed: dict[UnitId, Candidate] = {}
    shortfall: list[Shortfall] = []
    taken = set(wish.without)
    for key in in_serving_order(wish.wanted):
        count = wish.wanted[key]
        reaches, asked = _reaches(board, context, wish, key, taken)
        for reach in reaches:
            if reach.unit_id not in weighed:
                weighed[reach.unit_id] = weigh(board.units[reach.unit_id], reach, context, wish)
        for reach in reaches[:count]:
            taken.add(reach.unit_id)
            picks.append(Pick(fills=key, candidate=weighed[reach.unit_id], reach=reach))
        if len(reaches) < count:
            shortfall.append(_short(board, wish, key, found=len(reaches), asked=asked))
    chosen = [pick.candidate for pick in picks]
    return Choice(
        picks=tuple(picks),
        candidates=tuple(sorted(weighed.values(), key=lambda one: (one.eta_s, one.unit_id))),
        shortfall=tuple(shortfall),
        why="; ".join(map(reason_of, chosen)) or _waits(shortfall),
    )


def in_serving_order(wanted: Mapping[str, int]) -> list[str]:
    """Keys with the fewest alternatives first, ties by name."""
    return sorted(wanted, key=lambda key: (len(kinds_of(key)), key))


def free_units(
    board: Board,
    rules: Rules,
    location: Location,
    kinds: Collection[UnitKind],
    without: Collection[UnitId],
) -> dict[UnitId, float]:
    """The units that may be sent, each with its seconds until it rolls.

    A unit is sent within its own area only; an incident outside all areas may get any.
    """
    area_id = location.area_id
    anywhere = area_id is None
    free: dict[UnitId, float] = {}
    # This runs over the whole fleet in every decision: the test that most units fail comes first,
    # and a turn-out is looked up once for all units of a kind that do the same.
    turnouts_s: dict[UnitKind, dict[UnitStatus, float]] = {kind: {} for kind in kinds}
    for unit in board.units.values():
        if (
            (unit.area_id == area_id or anywhere)
            and unit.assignment_id is None
            and unit.on_duty
            and (by_status := turnouts_s.get(unit.kind)) is not None
        ):
            turnout_s = by_status.get(unit.status)
            if turnout_s is None:
                turnout_s = by_status[unit.status] = rules.turnout_s(unit.kind, unit.status)
            free[unit.unit_id] = turnout_s
    for unit_id in without:
        free.pop(unit_id, None)
    return free


def weigh(unit: UnitOnBoard, reach: Reach, context: Context, wish: Wish) -> Candidate:
    """The unit's figures for people and for the receipt."""
    turnout_s = context.rules.turnout_s(unit.kind, unit.status)
    eta_s = turnout_s + reach.travel_s
    target_s = wish.location.target_s
    margin_s = None if target_s is None else target_s - wish.waited_s - eta_s
    return Candidate(
        unit_id=unit.unit_id,
        call_sign=unit.call_sign,
        kind=unit.kind,
        platform_id=unit.platform_id,
        status=unit.status,
        travel_s=reach.travel_s,
        turnout_s=turnout_s,
        eta_s=eta_s,
        distance_m=reach.distance_m,
        straight_line_m=reach.straight_line_m,
        position_age_s=reach.position_age_s,
        target_s=target_s,
        margin_s=margin_s,
        on_target=None if margin_s is None else margin_s >= 0,
        reason=f"there in {eta_s:.1f} s: {turnout_s:.1f} s to roll, {reach.travel_s:.1f} s by road"
        + _closed_parts(reach),
        arcs=reach.arcs if wish.with_routes else (),
        start_offset_m=reach.start_offset_m,
        end_offset_m=reach.end_offset_m,
    )


def _closed_parts(reach: Reach) -> str:
    """What of the way is closed, for people; "" where all of it is open."""
    first, last, said = reach.closed_first, reach.closed_last, ""
    if first is not None:
        said += f"; the first {_closed(first)}"
    if last is not None:
        is_whole = last.length_m > reach.distance_m - 0.5
        said += f"; all its {_closed(last)}" if is_whole else f"; the last {_closed(last)}"
    return said


def _closed(stretch: ClosedStretch) -> str:
    closures = ", ".join(stretch.closure_ids[:CLOSURES_NAMED])
    roads = ", ".join(stretch.roads[:CLOSURES_NAMED])
    named = f"{roads} ({closures})" if roads else closures
    return f"{stretch.length_m:.0f} m are closed: {named}"


def reason_of(candidate: Candidate) -> str:
    """One sentence: who, when, and how much of the promise is left."""
    if candidate.margin_s is None:
        promise = "no target here"
    elif candidate.margin_s >= 0:
        promise = f"{candidate.margin_s:.0f} s before the target"
    else:
        promise = f"{-candidate.margin_s:.0f} s after the target"
    return f"{candidate.unit_id} is {candidate.reason}; {promise}"


def _reaches(
    board: Board, context: Context, wish: Wish, key: str, taken: Collection[UnitId]
) -> tuple[Sequence[Reach], int]:
    """Who gets there, best first, and how many were asked."""
    count = wish.wanted[key]
    rules = context.rules
    may_go = free_units(board, rules, wish.location, kinds_of(key), taken)
    found = _nearest(context, wish, may_go, max(wish.k, count))
    asked = len(may_go)
    if len(found) < count and key == ANY_PATROL and rules.command_vehicle_last_resort:
        kinds = (UnitKind.COMMAND_VEHICLE,)
        may_go = free_units(board, rules, wish.location, kinds, taken)
        asked += len(may_go)
        found = [*found, *_nearest(context, wish, may_go, count - len(found))]
    return found, asked


def _nearest(
    context: Context, wish: Wish, may_go: Mapping[UnitId, float], k: int
) -> Sequence[Reach]:
    return context.roads.nearest(wish.location, may_go, k=k) if may_go else ()


def _waits(shortfall: Sequence[Shortfall]) -> str:
    """Why nobody was chosen."""
    reasons = [f"{short.kind}: {short.why}" for short in shortfall]
    return "; ".join(["nobody can go now, the incident waits", *reasons])


def _short(board: Board, wish: Wish, key: str, *, found: int, asked: int) -> Shortfall:
    area_id = wish.location.area_id
    if asked > found:
        why = f"{asked - found} more are free but have no open road to the place"
        if board.closures:
            # A place on the closed road itself is reached: this one lies beyond it.
            names = ", ".join(sorted(board.closures)[:CLOSURES_NAMED])
            why += f"; lift the closure that bars it ({names}) or set it emergency_exempt"
    elif area_id is None:
        why = "no more are on duty and free"
    else:
        why = f"no more are on duty and free in area {area_id}: another area may lend some"
    return Shortfall(kind=key, wanted=wish.wanted[key], found=found, why=why)
