"""The dispatcher's desk of the demo: closes incidents whose crews have reported and left."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from api.demo.service import Service
from api.demo.tally import Tally

LOOK_EVERY_S = 5.0
AT_ONCE = 100


async def close_finished(service: Service, token: str, *, tally: Tally) -> None:
    """Look for reported incidents every few seconds and close them, for ever."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        query: dict[str, str | int] = {"status": "fed_back", "limit": AT_ONCE}
        reply = await service.get("/v1/incidents", token, params=query)
        if not reply.is_success:
            tally.add("refused")
            continue
        for incident in reply.json()["items"]:
            path = f"/v1/incidents/{incident['id']}/close"
            closed = await service.post(path, token, {}, if_match=incident["version"])
            # 409: its crew is still on the scene; 412: it just changed. The next look will tell.
            tally.add("closed", closed.status_code == HTTPStatus.OK)
