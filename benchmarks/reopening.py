"""How long a log needs until it is open again after SIGKILL, beside an empty one, in the same run.

    python -m benchmarks.reopening [--events 100000] [--rounds 5]

A process of its own fills a log with incidents on the shipped city, and ends itself with SIGKILL in
the middle of its work. Then processes of their own open copies of it, as it was left, and empty
folders, in turn. Timed is what the log costs: opening it and reading the board; not the start of
Python, the roads and the city, which `kuaijing bench latency --only start` times.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from api.clock import now_ms
from api.compiled import open_shipped_network
from dispatch.facts import Location
from dispatch.questions import CancelIncident, ReportIncident
from dispatch.rules import Rules
from dispatch.runner import Outcome, Runner
from dispatch.store import StoredReply
from dispatch.words import IncidentId
from platforms.city_files import load_city
from platforms.promise import Promise
from platforms.shipped import shipped_city
from routing.roads import Roads

AT_ONCE = 50
"""Incidents under way together: as many share a commit."""

SYNTHETIC = "synthetic city, network and incidents"


async def opened(folder: Path) -> tuple[Runner, float]:
    """The dispatcher on a folder, and the seconds that its log took."""
    graph, manifest = open_shipped_network(say=lambda _text: None)
    city, roads = load_city(shipped_city()), Roads(graph, manifest, at_ms=now_ms())
    roads.warm_up()
    began_s = perf_counter()
    runner = await Runner.open(
        folder, city=city, roads=roads, rules=Rules(), now_ms=now_ms, timers=False
    )
    return runner, perf_counter() - began_s


async def fill(folder: Path, events: int) -> None:
    """Take incidents in and cancel them until the log is so long; then die."""
    runner, _ = await opened(folder)
    city = load_city(shipped_city())
    promise = Promise(city)
    places = [
        place_of(promise, platform.lon, platform.lat, platform.platform_id)
        for platform in city.platforms
    ]
    made = 0
    while runner.durable_seq < events:
        calls = range(made, made + AT_ONCE)
        await asyncio.gather(
            *(
                runner.ask(
                    ReportIncident(location=places[nth % len(places)], category="help", priority=3),
                    actor="bench",
                    answer=answered,
                )
                for nth in calls
            )
        )
        await asyncio.gather(
            *(
                runner.ask(
                    CancelIncident(incident_id=IncidentId(f"I{nth + 1:06d}")),
                    actor="bench",
                    answer=answered,
                )
                for nth in calls
            )
        )
        made += AT_ONCE
        runner.tick()
    os.kill(os.getpid(), signal.SIGKILL)


def place_of(promise: Promise, lon: float, lat: float, platform_id: str) -> Location:
    """A platform's own place, as an incident's."""
    zone, area = promise.zone_at(lon, lat), promise.area_at(lon, lat)
    return Location(
        lon=lon,
        lat=lat,
        given_lon=lon,
        given_lat=lat,
        snapped_lon=lon,
        snapped_lat=lat,
        zone_class=zone.zone_class,
        target_s=zone.target_s,
        platform_id=platform_id,
        area_id=None if area is None else area.area_id,
    )


def answered(_outcome: Outcome) -> StoredReply:
    """Nobody reads the answer."""
    return StoredReply(status=200, body=b"")


async def reopen(folder: Path) -> None:
    """Open a folder and say how it went; die again, as nothing is to be written."""
    runner, took_s = await opened(folder)
    sys.stdout.write(f"{runner.durable_seq} {took_s}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def child(*words: str) -> str:
    """What a process of its own says before it dies."""
    command = (sys.executable, "-m", "benchmarks.reopening", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != -signal.SIGKILL:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def measure(events: int, rounds: int) -> None:
    """Fill once, open in turn, print."""
    with tempfile.TemporaryDirectory(prefix="kuaijing-reopening-") as name:
        left = Path(name) / "left"
        sys.stderr.write(f"filling a log with {events:,} events\n")
        child("--fill", str(left), "--events", str(events))
        took_s: dict[int, list[float]] = {}
        for number in range(rounds):
            copy = Path(name) / f"copy-{number}"
            shutil.copytree(left, copy)
            for folder in (copy, Path(name) / f"empty-{number}"):
                folder.mkdir(exist_ok=True)
                held, seconds = child("--reopen", str(folder)).split()
                took_s.setdefault(int(held), []).append(float(seconds))
    sys.stdout.write(f"{SYNTHETIC}; seconds until the log is open, medians of {rounds} rounds\n")
    for count, each_s in sorted(took_s.items()):
        sys.stdout.write(
            f"{count:>9,} events: {median(each_s):.3f} s (longest {max(each_s):.3f} s)\n"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fill is not None:
        args.fill.mkdir(parents=True)
        asyncio.run(fill(args.fill, args.events))
    elif args.reopen is not None:
        asyncio.run(reopen(args.reopen))
    else:
        measure(args.events, args.rounds)


if __name__ == "__main__":
    main()
