"""A made-up town on two banks: one bridge near, one far, and a platform on each side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from dispatch.facts import Location
from dispatch.rules import Rules
from dispatch.runner import Runner
from dispatch.words import UnitId
from platforms.city import City
from routing.roads import Roads
from tests.road_graphs import Street, build_graph, point
from tests.shell_town import TestClock, make_city, place_at

NORTH_CAR, NORTH_BIKE, SOUTH_CAR = (UnitId(one) for one in ("P01-C1", "P01-M1", "P02-C1"))
SOUTHBOUND, NORTHBOUND = 2, 3
"""The arcs of the near bridge, 西湖桥."""

BRIDGE_WAY = 501
_UNITS = {NORTH_CAR, NORTH_BIKE, SOUTH_CAR}
_NODES_M = [(0, 400), (0, 0), (1500, 400), (1500, 0), (-500, 400), (-500, 0)]
_STREETS = [
    Street(start=4, end=0, name="北路"),
    Street(start=0, end=1, name="西湖桥", way_id=BRIDGE_WAY),
    Street(start=1, end=5, name="南路"),
    Street(start=0, end=2, name="北岸路"),
    Street(start=2, end=3, name="东桥"),
    Street(start=3, end=1, name="南岸路"),
]


def make_roads() -> Roads:
    """Both banks, searched without compiled code."""
    return Roads(build_graph(_NODES_M, _STREETS), python_twin=True)


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
