"""The position feed: one batch of fixes each second, every vehicle once in three seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.demo.service import Service, timestamp
from api.demo.tally import Tally
from api.demo.vehicle import Vehicle

FIX_EVERY_S = 3
"""A vehicle's own interval; the fleet is spread evenly over it."""

ACCURACY_M = 5.0


async def send_fixes(
    service: Service, token: str, fleet: Sequence[Vehicle], *, tally: Tally
) -> None:
    """Send where the vehicles are, for ever.

    A fleet's tracker gateway posts for all its vehicles: 77 fixes in one request a second cost a
    fiftieth of 77 requests. A batch that fails is not repeated: the next one is newer.
    """
    loop = asyncio.get_running_loop()
    third, next_s = 0, loop.time()
    while True:
        batch = [_fix(vehicle) for vehicle in fleet[third::FIX_EVERY_S]]
        reply = await service.post_once("/v1/positions", token, batch) if batch else None
        if reply is not None and reply.is_success:
            accepted = sum(item["result"] == "accepted" for item in reply.json()["items"])
            tally.add("fixes", accepted)
            tally.add("refused", len(batch) - accepted)
        elif reply is not None:
            tally.add("refused", len(batch))
        third = (third + 1) % FIX_EVERY_S
        next_s = max(next_s + 1.0, loop.time())
        await asyncio.sleep(next_s - loop.time())


def _fix(vehicle: Vehicle) -> dict[str, object]:
    here = vehicle.whereabouts()
    fix: dict[str, object] = {
        "unit_id": vehicle.unit_id,
        "lon": round(here.lon, 7),
        "lat": round(here.lat, 7),
        "at": timestamp(),
        "speed_mps": round(here.speed_mps, 2),
        "accuracy_m": ACCURACY_M,
    }
    if here.heading_deg is not None:
        fix["heading"] = round(here.heading_deg, 1)
    return fix
