"""Starts the simulated traffic: reads the tokens, asks for the town, lets everybody go."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from api.demo.callers import Callers
from api.demo.desk import close_finished
from api.demo.fixes import send_fixes
from api.demo.habits import read_habits, seeded_chance
from api.demo.service import Service
from api.demo.tally import Tally
from api.demo.town import Town, ask_town
from api.demo.vehicle import Vehicle

ROUTES_AT_ONCE = 4
LOOK_FOR_PARENT_EVERY_S = 0.5
EXIT_DONE, EXIT_FAILED, EXIT_DATA_MISSING = 0, 1, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Who the demo may speak as.

    Attributes:
        dispatcher: For callers, the desk and the position feed.
        vehicles: One token a unit, by unit id.
    """

    dispatcher: str
    vehicles: dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo traffic until SIGTERM or SIGINT; returns the exit code."""
    options = _arguments().parse_args(argv)
    try:
        tokens = read_tokens(options.tokens)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(
            f"kuaijing demo: {options.tokens} is no token file ({error!r}); it must be "
            '{"dispatcher": TOKEN, "vehicles": {UNIT: TOKEN}}\n'
        )
        return EXIT_DATA_MISSING
    return asyncio.run(_until_stopped(options, tokens))


def read_tokens(path: Path) -> Tokens:
    """Read the token file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no JSON.
        KeyError: A part is missing.
        TypeError: A part is of the wrong kind.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    return Tokens(dispatcher=str(table["dispatcher"]), vehicles=dict(table["vehicles"]))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m api.demo",
        description="Simulated vehicles and callers, as clients of a running service.",
    )
    parser.add_argument("--url", required=True, help="the service, as http://127.0.0.1:8000")
    parser.add_argument("--tokens", required=True, type=Path, metavar="FILE.json")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same calls (default 1)")
    parser.add_argument(
        "--incidents-per-hour",
        type=float,
        default=180.0,
        metavar="X",
        help="mean of a day; the hour's weight is applied (default 180)",
    )
    parser.add_argument(
        "--speedup",
        type=_positive,
        default=5.0,
        metavar="S",
        help="shortens the busy time on scene; driving stays real (default 5)",
    )
    parser.add_argument(
        "--stop-with-parent",
        action="store_true",
        help="end when the process that started this one is gone",
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


async def _until_stopped(options: argparse.Namespace, tokens: Tokens) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    traffic = asyncio.create_task(_traffic(options, tokens))
    waits = [traffic, asyncio.create_task(stopped.wait())]
    if options.stop_with_parent:
        waits.append(asyncio.create_task(_until_orphaned(os.getppid())))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
    failed = (await asyncio.gather(*waits, return_exceptions=True))[0]
    if isinstance(failed, httpx.HTTPStatusError):
        sys.stderr.write(f"kuaijing demo: {failed}\n")
        return EXIT_FAILED
    if isinstance(failed, Exception):
        raise failed
    return EXIT_DONE


async def _until_orphaned(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody sets an event for it
        await asyncio.sleep(LOOK_FOR_PARENT_EVERY_S)


async def _traffic(options: argparse.Namespace, tokens: Tokens) -> None:
    tally = Tally()
    service = Service(
        options.url,
        tally=tally,
        chance=seeded_chance(options.seed, "service"),
        clients=len(tokens.vehicles),
    )
    try:
        town = await ask_town(service, tokens.dispatcher)
        units = await service.items("/v1/units", tokens.dispatcher)
        fleet = _fleet(options, tokens=tokens, units=units, town=town, service=service, tally=tally)
        callers = Callers(town, read_habits()[1], seed=options.seed)
        async with asyncio.TaskGroup() as group:
            for vehicle in fleet:
                group.create_task(vehicle.run())
            group.create_task(send_fixes(service, tokens.dispatcher, fleet, tally=tally))
            group.create_task(close_finished(service, tokens.dispatcher, tally=tally))
            group.create_task(tally.report(lambda: _state(fleet)))
            group.create_task(
                callers.call_for_ever(
                    service, tokens.dispatcher, per_hour=options.incidents_per_hour, tally=tally
                )
            )
    finally:
        await service.aclose()


def _fleet(
    options: argparse.Namespace,
    *,
    tokens: Tokens,
    units: list[dict[str, Any]],
    town: Town,
    service: Service,
    tally: Tally,
) -> list[Vehicle]:
    crew_habits, _ = read_habits()
    points = town.patrol_points(radius_m=crew_habits.patrol_radius_m)
    routes_at_once = asyncio.Semaphore(ROUTES_AT_ONCE)
    return [
        Vehicle(
            unit,
            token=tokens.vehicles[unit["id"]],
            service=service,
            routes_at_once=routes_at_once,
            home=town.platforms[unit["platform_id"]],
            points=points[unit["platform_id"]],
            habits=crew_habits,
            chance=seeded_chance(options.seed, unit["id"]),
            speedup=options.speedup,
            tally=tally,
        )
        for unit in units
        if unit["id"] in tokens.vehicles
    ]


def _state(fleet: Sequence[Vehicle]) -> str:
    on_orders = sum(vehicle.has_order for vehicle in fleet)
    return f"vehicles={len(fleet)} on_orders={on_orders}"
