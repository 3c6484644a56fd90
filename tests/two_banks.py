"""A made-up town on two banks: one bridge near, one far, and a platform on each side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dispatch.events import AssignmentRechecked
from dispatch.facts import Location, Stretch
from dispatch.questions import AssignUnit, Recommend, ReportIncident, StampAssignment
from dispatch.rules import Rules
from dispatch.runner import Runner
from dispatch.words import AssignmentId, DispatchMode, IncidentId, Stamp, UnitId
from platforms.city import City
from routing.arc_lines import lines_of_arcs
from routing.roads import Roads
from tests.road_graphs import Street, build_graph, point
from tests.shell_town import TestClock, make_city, ok, place_at

NORTH_CAR, NORTH_BIKE, SOUTH_CAR = (UnitId(one) for one in ("P01-C1", "P01-M1", "P02-C1"))
SOUTHBOUND, NORTHBOUND = 2, 3
"""The arcs of the near bridge, 西湖桥."""

BRIDGE_WAY = 501
_UNITS = {NORTH_CAR, NORTH_BIKE, SOUTH_CAR}
_NODES_M = [(0, 400), (0, 0), (1500, 400), (1500, 0), (-500, 400), (-500, 0)]
_STREETS = [
    Street(start=4, end=0, name="北路", way_id=500),
    Street(start=0, end=1, name="西湖桥", way_id=BRIDGE_WAY),
    Street(start=1, end=5, name="南路", way_id=502),
    Street(start=0, end=2, name="北岸路", way_id=503),
    Street(start=2, end=3, name="东桥", way_id=504),
    Street(start=3, end=1, name="南岸路", way_id=505),
]


def make_roads() -> Roads:
    """Both banks, searched without compiled code."""
    return Roads(build_graph(_NODES_M, _STREETS), python_twin=True)


NEW_VERSION = "1" * 16
NEW_SOUTHBOUND, NEW_NORTHBOUND = (9, 7), (6, 8)
"""The arcs of 西湖桥 in the new network, where it has a node in its middle."""


def make_new_roads(*, bridge: bool = True) -> Roads:
    """The same town in a later network: other numbers, the bridge in two ways of other ids.

    Args:
        bridge: False leaves the near bridge out: it was pulled down.
    """
    nodes = [*reversed(_NODES_M), (0, 200)]
    renumbered = {old: len(_NODES_M) - 1 - old for old in range(len(_NODES_M))}
    middle = len(_NODES_M)
    south, north = renumbered[1], renumbered[0]
    # Drawn from the south: what was forward is backward now.
    bridge_parts = [
        Street(start=south, end=middle, name="西湖桥", way_id=9_001),
        Street(start=middle, end=north, name="西湖桥", way_id=9_002),
    ]
    others = [
        replace(one, start=renumbered[one.start], end=renumbered[one.end])
        for one in reversed(_STREETS)
        if one.way_id != BRIDGE_WAY
    ]
    streets = [*others[:3], *(bridge_parts if bridge else []), *others[3:]]
    graph = build_graph(nodes, streets)
    return Roads(replace(graph, road_version=NEW_VERSION), python_twin=True)


def stretches(*arcs: int) -> tuple[Stretch, ...]:
    """What the gate keeps of arcs of `make_roads`."""
    return tuple(
        Stretch(points=one.points, both_ways=one.both_ways, way_id=one.way_id)
        for one in lines_of_arcs(make_roads().graph, arcs)
    )


def make_town() -> City:
    """A car and a motorcycle on the north bank, a car on the south bank."""
    city = make_city()
    places = [point(-500, 400), point(-500, 0)]
    platforms = tuple(
        replace(platform, lon=lon, lat=lat)
        for platform, (lon, lat) in zip(city.platforms, places, strict=False)
    )
    units = tuple(one for one in city.units if one.unit_id in _UNITS)
    return replace(city, platforms=platforms, units=units)


def on_the_south_bank() -> Location:
    """A place in 南路."""
    return place_at(-300, 0)


def on_the_north_bank() -> Location:
    """A place in 北路."""
    return place_at(-300, 400)


@asynccontextmanager
async def running(
    folder: Path, clock: TestClock, *, roads: Roads | None = None, rules: Rules | None = None
) -> AsyncIterator[Runner]:
    """The dispatcher of the town, with its clock in the test's hand."""
    runner = await Runner.open(
        folder,
        city=make_town(),
        roads=roads or make_roads(),
        rules=rules or Rules(),
        now_ms=clock,
        timers=False,
    )
    try:
        yield runner
    finally:
        await runner.close()


def local(hour: int, minute: int = 0, second: int = 0, *, day: int = 5) -> int:
    """A moment of January 2026 by Shaoyang's clock, Unix milliseconds."""
    return int(datetime(2026, 1, day, hour, minute, second, tzinfo=UTC).timestamp() - 28_800) * 1000


def way_south(runner: Runner) -> tuple[int, ...]:
    """How a motorcycle of the north bank comes to the south bank, as the next decision sees it."""
    receipt = runner.recommend(Recommend(location=on_the_south_bank()), actor="t").decision
    assert receipt.recommendation is not None
    [north] = [one for one in receipt.recommendation.candidates if one.unit_id == NORTH_BIKE]
    return north.arcs


def leads_north(runner: Runner) -> bool:
    """Whether the bridge is open the other way."""
    reach = runner.roads.travel(SOUTH_CAR, on_the_north_bank())
    assert reach is not None
    return NORTHBOUND in reach.arcs


async def tick_at(runner: Runner, clock: TestClock, at_ms: int) -> list[AssignmentRechecked]:
    """Let the clock come to a moment; the ways found anew by it."""
    seq = runner.durable_seq
    clock.at_ms = at_ms
    runner.tick()
    await runner._ledger.catch_up()
    events = [one.recorded.event for one in await runner.read_events(seq)]
    return [event for event in events if isinstance(event, AssignmentRechecked)]


async def send_north_car_south(runner: Runner) -> None:
    """It is under way over the bridge."""
    report = ReportIncident(
        location=on_the_south_bank(), category="help", priority=3, mode=DispatchMode.MANUAL
    )
    await runner.ask(report, actor="t", answer=ok)
    send = AssignUnit(incident_id=IncidentId("I000001"), unit_id=NORTH_CAR)
    await runner.ask(send, actor="t", answer=ok)
    departed = StampAssignment(assignment_id=AssignmentId("A000001"), stamp=Stamp.DEPARTED)
    await runner.ask(departed, actor="t", answer=ok)
