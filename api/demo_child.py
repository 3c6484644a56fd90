"""`serve --demo`: makes tokens, tells them, and drives simulated traffic from a child process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import structlog

from api.clock import now_ms
from api.service import Service
from api.tokens import Role, create_tokens

TOKENS_FILE = "demo-tokens.json"
ROOT = Path(__file__).resolve().parent.parent
STOP_S = 2.0
ROLES = (Role.DISPATCHER, Role.COMMANDER, Role.ANALYST, Role.ADMIN)


class DemoChild:
    """The process with the simulated vehicles and callers."""

    def __init__(self, process: asyncio.subprocess.Process, stopping: asyncio.Event) -> None:
        self._process = process
        self._stopping = stopping
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def start(cls, service: Service, url: str) -> DemoChild:
        """Makes tokens where there are none, prints what a visitor needs, starts the traffic."""
        path = demo_tokens(service)
        _tell(_read(path), url, service)
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "api.demo", "--url", url, "--tokens", str(path), "--stop-with-parent"),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=asyncio.subprocess.DEVNULL,
        )
        return cls(process, service.stopping)

    async def stop(self) -> None:
        """Ends the traffic."""
        self._watching.cancel()
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _watch(self) -> None:
        code = await self._process.wait()
        if self._stopping.is_set():
            return  # Ctrl-C reaches both processes: that the traffic ends too is no news
        structlog.get_logger("demo").warning("demo_traffic_ended", exit_code=code)


def demo_tokens(service: Service) -> Path:
    """The file with the demo's tokens; made anew when one of them no longer holds."""
    path = service.data_dir / TOKENS_FILE
    if not _all_hold(path, service):
        units = sorted(unit.unit_id for unit in service.city.units)
        wanted: list[tuple[Role, str | None]] = [(role, None) for role in ROLES]
        wanted += [(Role.VEHICLE, unit_id) for unit_id in units]
        made = create_tokens(service.data_dir, wanted, at_ms=now_ms())
        document = {
            **{role.value: token for role, token in zip(ROLES, made, strict=False)},
            "vehicles": dict(zip(units, made[len(ROLES) :], strict=True)),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
    return path


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _all_hold(path: Path, service: Service) -> bool:
    try:
        document = _read(path)
        vehicles = dict(document["vehicles"])
        tokens = [document[role.value] for role in ROLES] + list(vehicles.values())
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return vehicles.keys() == {unit.unit_id for unit in service.city.units} and all(
        service.tokens.caller(token) is not None for token in tokens
    )


def _tell(document: dict[str, Any], url: str, service: Service) -> None:
    vehicles = document["vehicles"]
    unit_id = min(vehicles)
    lines = [
        f"邵阳快警 demo: {url}/docs",
        f"All data is synthetic ({', '.join(service.synthetic) or 'traffic'}); tokens:",
        *(f"  {role.value:<10}  {document[role.value]}" for role in ROLES),
        f"  {'vehicle':<10}  {vehicles[unit_id]}   ({unit_id})",
        f"Try it: curl -H 'Authorization: Bearer {document['dispatcher']}' {url}/v1/units",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
