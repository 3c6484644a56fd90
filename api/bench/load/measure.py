"""One run of `kuaijing bench load`: the same load on each side, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from api.bench.desk_client import incident_body
from api.bench.field import Say
from api.bench.ground import Ground, describe, lay_ground
from api.bench.load.consoles import Console
from api.bench.load.crews import Crew
from api.bench.load.figures import Figures, part_of
from api.bench.load.log_check import check_log
from api.bench.load.phases import Cast, Plan, play
from api.bench.load.processes import family_mb, family_ns
from api.bench.load.sides import Running, Side, running
from api.bench.load.tally import Tally
from api.bench.machine import describe_machine
from api.bench.part_search import SEED, drivable
from api.bench.report import Report
from api.bench.scenario import PointDraw
from api.bench.street_points import points_on_beat, street_points
from api.bench.telling import noting_the_end, say_since, tell
from api.clock import now_ms
from api.tokens import Role, create_tokens
from platforms.city import City, UnitKind
from platforms.city_files import load_city, save_city
from routing.roads import Roads

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for.

    Attributes:
        network: Compiled network or OSM file; None = the stand-in.
        vehicles: Crews on streams and long-polls.
        consoles: Desks that follow the feed.
        plan: The load.
        sides: What is compared.
        out: Folder for the report; None = print only.
        json: Print JSON.
    """

    network: Path | None
    vehicles: int
    consoles: int
    plan: Plan
    sides: Sequence[Side]
    out: Path | None = None
    json: bool = False

    @property
    def command(self) -> str:
        """The command that repeats the run, without this machine's folders."""
        words = ["kuaijing bench load"]
        if self.network is not None:
            words.append(f"--network {self.network.name}")
        words.append(f"--vehicles {self.vehicles} --consoles {self.consoles}")
        words.append(f"--seconds {self.plan.calm_s:g} --burst {self.plan.burst}")
        words.append(f"--windows {self.plan.windows} --window-seconds {self.plan.window_s:g}")
        words += [f"--side {side.key}" for side in self.sides]
        return " ".join(words)


def measure_and_tell(asked: Asked) -> int:
    """Measure, print the report, and return the exit code."""
    return tell(measure(asked), name="load", out=asked.out, as_json=asked.json)


def measure(asked: Asked) -> Report:
    """Put the load on each side; stopped by Ctrl-C, return what is there."""
    say = say_since(perf_counter())
    report = Report(asked.command, describe_machine(), {})
    figures: list[Figures] = []
    with TemporaryDirectory(prefix="kuaijing-load-") as folder, noting_the_end(report, say):
        ground = lay_ground(asked.network, Path(folder), say)
        roads = ground.open_roads()
        report.network = describe(roads, ground.source or ground.network)
        city_folder = _city(ground, asked.vehicles, say)
        stage = _Stage(ground, roads, city_folder, load_city(city_folder))
        for side in asked.sides:
            say(f"{side.name}: starting")
            figures.append(_measure_side(side, asked, stage, say))
    if figures:
        report.parts.append(part_of(figures))
    return report


def _city(ground: Ground, vehicles: int, say: Say) -> Path:
    """The city of the run with so many vehicles; those that are added are synthetic, too."""
    city = load_city(ground.city(say))
    say(f"crewing {vehicles} vehicles (synthetic)")
    more = max(0, vehicles - len(city.units))
    like = [unit for unit in city.units if unit.kind is UnitKind.MOTORCYCLE] or list(city.units)
    added = tuple(
        replace(
            unit,
            unit_id=f"{unit.platform_id}-B{nth}",
            call_sign=f"{unit.call_sign} B{nth}",
            synthetic=True,
        )
        for nth, unit in enumerate(islice(cycle(like), more), start=1)
    )
    folder = ground.folder / "load-city"
    save_city(replace(city, units=(*city.units, *added)), folder)
    return folder


@dataclass(frozen=True, slots=True)
class _Stage:
    ground: Ground
    roads: Roads
    city_folder: Path
    city: City


def _measure_side(side: Side, asked: Asked, stage: _Stage, say: Say) -> Figures:
    data = stage.ground.folder / f"data-{side.key.replace(':', '-')}"
    crews = [unit.unit_id for unit in stage.city.units][: asked.vehicles]
    wanted: list[tuple[Role, str | None]] = [(Role.VEHICLE, unit_id) for unit_id in crews]
    wanted += [(Role.DISPATCHER, None)] * (asked.consoles + 1)
    tokens = create_tokens(data, wanted, at_ms=now_ms())
    with running(side, stage.ground, stage.city_folder, data) as servers:
        cast = _cast(stage, servers, crews=crews, tokens=tokens, incidents=asked.plan.incidents_max)
        return asyncio.run(_under_load(side, asked, servers, cast, say))


def _cast(
    stage: _Stage,
    servers: Running,
    *,
    crews: Sequence[str],
    tokens: Sequence[str],
    incidents: int,
) -> Cast:
    port, tally = servers.service.port, Tally()
    draw = PointDraw(stage.roads.graph, drivable(stage.roads), SEED)
    points = points_on_beat(stage.roads.graph, draw, stage.city)
    drawn = street_points(stage.roads.graph, draw, incidents)
    desks = tokens[len(crews) :]
    return Cast(
        crews=[
            Crew(port, unit_id, token, points[unit_id], tally, nth=nth)
            for nth, (unit_id, token) in enumerate(zip(crews, tokens, strict=False))
        ],
        consoles=[Console(port, token, tally, nth=nth) for nth, token in enumerate(desks[:-1])],
        flooder=Console(port, desks[-1], tally, nth=-1),
        points={unit_id: points[unit_id] for unit_id in crews},
        # Drawn beforehand: it takes seconds, in which nobody could hear.
        incidents=iter([incident_body(point) for point in drawn]),
        tally=tally,
        memory_mb=lambda: family_mb(servers.service.process.pid),
    )


async def _under_load(side: Side, asked: Asked, servers: Running, cast: Cast, say: Say) -> Figures:
    pid, began_s = servers.service.process.pid, perf_counter()
    service_ns, redis_ns = family_ns(pid), _redis_ns(servers)
    burst_s = await play(asked.plan, cast, lambda text: say(f"{side.name}: {text}"))
    took_ns = (perf_counter() - began_s) * _NS_PER_S
    redis_cores = (_redis_ns(servers) - redis_ns) / took_ns
    return Figures(
        side=side.name,
        tally=cast.tally,
        log=await check_log(cast.flooder, cast.tally),
        consoles=len(cast.consoles),
        calm_s=asked.plan.calm_s,
        burst_s=burst_s,
        service_cores=(family_ns(pid) - service_ns) / took_ns,
        redis_cores=None if servers.redis_pid is None else redis_cores,
        memory_mb=family_mb(pid),
    )


def _redis_ns(servers: Running) -> int:
    return 0 if servers.redis_pid is None else family_ns(servers.redis_pid)
