"""A small made-up town for the shell's tests: a chessboard of streets and four platforms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from shapely import box

from dispatch.facts import Location
from dispatch.questions import ReportIncident
from dispatch.rules import Rules
from dispatch.runner import Outcome, Runner
from dispatch.store import StoredReply
from dispatch.words import UnixMs
from platforms.categories import UnitKind
from platforms.city import Area, City, Platform, Unit
from routing.roads import Roads
from tests.road_graphs import grid_graph, point

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""

COLUMNS, ROWS, BLOCK_M = 8, 8, 200.0
SPAN_M = (COLUMNS - 1) * BLOCK_M


@dataclass
class TestClock:
    """A clock that moves only when told."""

    __test__ = False
    at_ms: int = START_MS

    def __call__(self) -> UnixMs:
        return UnixMs(self.at_ms)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.at_ms += round(seconds * 1000)


def make_roads(*, renumbered: bool = False) -> Roads:
    """The chessboard, searched without compiled code; as another network has it on demand."""
    graph = grid_graph(COLUMNS, ROWS, block_m=BLOCK_M, renumbered=renumbered)
    return Roads(graph, python_twin=True)


def make_city() -> City:
    """Platforms in the four corners, each with a command vehicle, a car and a motorcycle."""
    corners = [(0.0, 0.0), (SPAN_M, 0.0), (0.0, SPAN_M), (SPAN_M, SPAN_M)]
    platforms, units = [], []
    for number, corner in enumerate(corners, start=1):
        platform_id = f"P{number:02d}"
        lon, lat = point(*corner)
        platforms.append(
            Platform(
                platform_id=platform_id,
                name=f"{number}号",
                area_id="city",
                grid_id=f"G{number:02d}",
                lon=lon,
                lat=lat,
                synthetic=True,
            )
        )
        for suffix, kind in (
            ("CV", UnitKind.COMMAND_VEHICLE),
            ("C1", UnitKind.RESPONSE_CAR),
            ("M1", UnitKind.MOTORCYCLE),
        ):
            unit_id = f"{platform_id}-{suffix}"
            units.append(
                Unit(
                    unit_id=unit_id,
                    call_sign=unit_id,
                    kind=kind,
                    platform_id=platform_id,
                    area_id="city",
                    synthetic=True,
                )
            )
    west, south = point(-500, -500)
    east, north = point(SPAN_M + 500, SPAN_M + 500)
    area = Area(area_id="city", name="城", polygon=box(west, south, east, north), synthetic=True)
    return City(
        name="棋盘城",
        synthetic=True,
        note="made up for tests",
        timezone="Asia/Shanghai",
        areas=(area,),
        platforms=tuple(platforms),
        units=tuple(units),
        grids=(),
        zones=(),
        key_sites=(),
        places=(),
    )


def place_at(east_m: float, north_m: float) -> Location:
    """A place so many metres from the south-west corner."""
    lon, lat = point(east_m, north_m)
    return Location(
        lon=lon,
        lat=lat,
        given_lon=lon,
        given_lat=lat,
        snapped_lon=lon,
        snapped_lat=lat,
        zone_class="core",
        target_s=180,
        platform_id="P01",
        area_id="city",
    )


def a_call(east_m: float = 300.0, north_m: float = 0.0, *, priority: int = 2) -> ReportIncident:
    """A call from a place in the town."""
    return ReportIncident(location=place_at(east_m, north_m), category="traffic", priority=priority)


async def open_runner(folder: Path, clock: TestClock, *, rules: Rules | None = None) -> Runner:
    """The dispatcher of the town, with its clock in the test's hand."""
    return await Runner.open(
        folder,
        city=make_city(),
        roads=make_roads(),
        rules=rules or Rules(),
        now_ms=clock,
        timers=False,
    )


def ok(outcome: Outcome) -> StoredReply:
    """An answer that names what the question was about."""
    incident = outcome.decision.incident
    body = b"" if incident is None else incident.incident_id.encode()
    return StoredReply(status=200, body=body)


def run(scenario: Callable[[], Awaitable[None]], *, seconds: float = 60.0) -> None:
    """Run a scenario on an event loop of its own, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await scenario()

    asyncio.run(bounded())
