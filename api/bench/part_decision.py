"""The part `decision`: `dispatch.decide` over the real roads and a whole city's units, no disk."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns, time_ns

from api.bench.field import Say
from api.bench.part_search import SEED, drivable
from api.bench.report import Budget, Part, Table
from api.bench.samples import NS_PER_MS, Samples
from api.bench.scenario import PointDraw, Posture
from api.bench.street_points import StreetPoint, points_on_beat, street_points
from api.http.locating import Locator
from api.http.schemas.gate import Point
from dispatch.board import Board, open_board
from dispatch.decide import Context, decide
from dispatch.questions import ReportIncident
from dispatch.rules import Rules, required_for
from dispatch.whereabouts.positions import Fix, Positions
from dispatch.whereabouts.reach import UnitRoads
from dispatch.words import UnitId, UnixMs
from platforms.city import City
from platforms.city_files import load_city
from platforms.gazetteer import Gazetteer
from platforms.promise import Promise
from routing.roads import Roads

_SNAP_MAX_M = 500.0
_P50_LIMIT_MS = 1.0
_P99_LIMIT_MS = 5.0
_WARM_UP = 20
_ONE_UNIT = "help"
_CATEGORIES = {_ONE_UNIT: "one unit", "criminal": "two units (car, and car or motorcycle)"}
_WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, slots=True)
class Desk:
    """A dispatcher without a disk: what a decision needs."""

    city: City
    roads: Roads
    positions: Positions
    units: UnitRoads
    locator: Locator
    board: Board
    now_ms: Callable[[], UnixMs]


def run_decision(roads: Roads, city_dir: Path, *, rounds: int, part: Part, say: Say) -> None:
    """Time decisions with parked and with patrolling units.

    Args:
        roads: The roads, warmed up.
        city_dir: The city whose units are asked for.
        rounds: Decisions in each posture.
        part: Where the figures go.
        say: Tells the progress.
    """
    desk = open_desk(roads, load_city(city_dir))
    draw = PointDraw(roads.graph, drivable(roads), SEED)
    decided: dict[tuple[Posture, str], Samples] = {}
    rows = []
    unit_count = len(desk.city.units)
    for posture in (Posture.PARKED, Posture.PATROLLING):
        say(f"decision: {unit_count} {posture} units, {rounds} incidents")
        if posture is Posture.PATROLLING:
            spread_units(desk, draw)
        located = Samples()
        for code, what in _CATEGORIES.items():
            decided[posture, code] = _time_decisions(desk, draw, code, rounds, located)
            taken = decided[posture, code]
            rows.append({"units": str(posture), "what": f"decide, {what}", **taken.summary()})
        rows.append({"units": str(posture), "what": "before it: snap, zone", **located.summary()})
    part.tables.append(
        Table(
            f"A decision with {unit_count} units",
            rows,
            "`decide` through the real road times: exact nearest units, target check, receipt and"
            " assignment events, the board after them; nothing is written. The board stays as it"
            " was, so that every decision has all units to choose from.",
        )
    )
    name = f"decision with {unit_count} patrolling units"
    taken = decided[Posture.PATROLLING, _ONE_UNIT]
    part.budgets += [
        Budget(f"{name}, p50", taken.p50_ms, _P50_LIMIT_MS, "ms"),
        Budget(f"{name}, p99", taken.p99_ms, _P99_LIMIT_MS, "ms"),
    ]


def open_desk(roads: Roads, city: City) -> Desk:
    """Everything that a decision needs, in memory."""

    def now_ms() -> UnixMs:
        return UnixMs(time_ns() // NS_PER_MS)

    positions = Positions((UnitId(unit.unit_id) for unit in city.units), bounds=_WORLD)
    return Desk(
        city=city,
        roads=roads,
        positions=positions,
        units=UnitRoads(roads, city, positions, now_ms),
        locator=Locator(roads, Promise(city), Gazetteer(city.places), _SNAP_MAX_M),
        board=open_board(city),
        now_ms=now_ms,
    )


def spread_units(desk: Desk, draw: PointDraw) -> None:
    """Give every unit a fix on some road of its area, under way."""
    points = points_on_beat(desk.roads.graph, draw, desk.city)
    now_ms = desk.now_ms()
    fixes = [_fix(unit_id, point, now_ms) for unit_id, point in points.items()]
    desk.positions.accept(fixes, now_ms)
    desk.units.settle(len(points))


def _fix(unit_id: str, at: StreetPoint, now_ms: UnixMs) -> Fix:
    return Fix(
        unit_id=UnitId(unit_id),
        lon=at.lon,
        lat=at.lat,
        at_ms=now_ms,
        speed_mps=at.speed_mps,
        heading_deg=at.heading_deg,
    )


def _time_decisions(
    desk: Desk, draw: PointDraw, code: str, rounds: int, located: Samples
) -> Samples:
    """Decide on incidents of one category; the time of finding their places goes to `located`."""
    decided = Samples()
    category = next(one for one in desk.city.categories if one.code == code)
    required = required_for(category)
    rules = Rules()
    gc.collect()
    for number in range(_WARM_UP + rounds):
        point = street_points(desk.roads.graph, draw, 1)[0]
        began_ns = perf_counter_ns()
        location = desk.locator.location(Point(lon=point.lon, lat=point.lat), None)
        located_ns = perf_counter_ns()
        question = ReportIncident(
            location=location, category=code, priority=category.priority, required=required
        )
        context = Context(now_ms=desk.now_ms(), rules=rules, roads=desk.units)
        asked_ns = perf_counter_ns()
        decide(desk.board, question, context)
        decided_ns = perf_counter_ns()
        if number >= _WARM_UP:
            located.add_ns(located_ns - began_ns)
            decided.add_ns(decided_ns - asked_ns)
    return decided
