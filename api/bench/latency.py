"""One run of `kuaijing bench latency`: its parts in order, what is there when it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from api.bench.field import Say
from api.bench.ground import Ground, describe, lay_ground
from api.bench.machine import describe_machine
from api.bench.part_decision import run_decision
from api.bench.part_post import run_post
from api.bench.part_search import run_search
from api.bench.part_start import run_start
from api.bench.report import Part, Report
from api.bench.telling import noting_the_end, say_since, tell
from routing.roads import Roads


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for.

    Attributes:
        network: Compiled network or OSM file; None = the stand-in.
        units: Units of the searches.
        rounds: Incidents for each question.
        parts: Which parts to run.
        out: Folder for the report; None = print only.
        json: Print JSON.
    """

    network: Path | None
    units: int
    rounds: int
    parts: tuple[str, ...]
    out: Path | None = None
    json: bool = False

    @property
    def command(self) -> str:
        """The command that repeats the run, without this machine's folders."""
        words = ["kuaijing bench latency"]
        if self.network is not None:
            words.append(f"--network {self.network.name}")
        words.append(f"--units {self.units} --rounds {self.rounds}")
        return " ".join(words)


def measure_and_tell(asked: Asked) -> int:
    """Measure, print the report, and return the exit code."""
    return tell(measure(asked), name="latency", out=asked.out, as_json=asked.json)


def measure(asked: Asked) -> Report:
    """Run the parts one after another; stopped by Ctrl-C, return what is there."""
    say = say_since(perf_counter())
    report = Report(asked.command, describe_machine(), {})
    with TemporaryDirectory(prefix="kuaijing-bench-") as folder, noting_the_end(report, say):
        ground = lay_ground(asked.network, Path(folder), say)
        roads = ground.open_roads()
        report.network = describe(roads, ground.source or ground.network)
        for name in asked.parts:
            part = Part(name)
            report.parts.append(part)
            _RUN[name](asked, ground, roads, part, say)
    return report


def _search(asked: Asked, ground: Ground, roads: Roads, part: Part, say: Say) -> None:
    del ground  # The searches need no city.
    run_search(roads, units=asked.units, rounds=asked.rounds, part=part, say=say)


def _decision(asked: Asked, ground: Ground, roads: Roads, part: Part, say: Say) -> None:
    run_decision(roads, ground.city(say), rounds=_PER_ROUND * asked.rounds, part=part, say=say)


def _post(asked: Asked, ground: Ground, roads: Roads, part: Part, say: Say) -> None:
    run_post(ground, roads, rounds=_PER_ROUND * asked.rounds, part=part, say=say)


def _start(asked: Asked, ground: Ground, roads: Roads, part: Part, say: Say) -> None:
    del asked, roads  # Start-up is measured in processes of its own.
    run_start(ground, part=part, say=say)


_PER_ROUND = 4
"""Decisions and incidents are quick, so more of them are taken: a p99 wants samples."""

_RUN: dict[str, Callable[[Asked, Ground, Roads, Part, Say], None]] = {
    "search": _search,
    "decision": _decision,
    "post": _post,
    "start": _start,
}
