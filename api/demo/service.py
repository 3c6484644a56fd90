"""The service as the demo's clients see it: HTTP with patience.

A client that loses the server tries again, slower each time, and carries on. A POST keeps its
Idempotency-Key over all its tries, so nothing is done twice.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4
from zlib import crc32

import httpx

from api.demo.tally import Tally

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 15.0
ANSWER_WITHIN_S = 10.0
LONG_POLL_S = 25

CLIENTS_PER_POOL = 4
KEPT_ALIVE_PER_POOL = 3 * CLIENTS_PER_POOL
"""A pool looks through all its connections for every request: small ones cost far less."""

COME_BACK_LATER = frozenset({429, 500, 502, 503, 504})


class Service:
    """The connections of all of the demo's clients, in small pools."""

    def __init__(self, url: str, *, tally: Tally, chance: Random, clients: int) -> None:
        limits = httpx.Limits(max_keepalive_connections=KEPT_ALIVE_PER_POOL)
        # One for all pools: making it takes longer than a hundred requests.
        trust = ssl.create_default_context()
        self._pools = [
            httpx.AsyncClient(
                base_url=url,
                limits=limits,
                timeout=httpx.Timeout(ANSWER_WITHIN_S),
                verify=trust,
                trust_env=False,
            )
            for _ in range(1 + clients // CLIENTS_PER_POOL)
        ]
        self._tally = tally
        self._chance = chance

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(pool.aclose() for pool in self._pools))

    def _pool(self, token: str) -> httpx.AsyncClient:
        return self._pools[crc32(token.encode()) % len(self._pools)]

    async def get(
        self,
        path: str,
        token: str,
        *,
        params: Mapping[str, str | int] | None = None,
        etag: str | None = None,
        wait_s: float = 0.0,
    ) -> httpx.Response:
        """GET, tried until the server answers for itself.

        Args:
            path: As "/v1/units".
            token: The caller's bearer token.
            params: Query.
            etag: Sent as If-None-Match.
            wait_s: How long the server may take on purpose (long-poll).

        Returns:
            Any answer but "come back later".
        """
        headers = _headers(token) | ({"If-None-Match": etag} if etag else {})
        timeout = httpx.Timeout(ANSWER_WITHIN_S + wait_s)
        request = self._pool(token).build_request(
            "GET", path, params=params, headers=headers, timeout=timeout
        )
        return await self._until_answered(request, self._pool(token))

    async def post(
        self, path: str, token: str, body: object, *, if_match: int | None = None
    ) -> httpx.Response:
        """POST with one Idempotency-Key over all tries."""
        headers = _headers(token) | {"Idempotency-Key": str(uuid4())}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        request = self._pool(token).build_request("POST", path, json=body, headers=headers)
        return await self._until_answered(request, self._pool(token))

    async def post_once(self, path: str, token: str, body: object) -> httpx.Response | None:
        """POST something that the next one makes worthless: one try, None when it fails."""
        try:
            return await self._pool(token).post(path, json=body, headers=_headers(token))
        except httpx.TransportError:
            self._tally.add("retries")
            return None

    async def items(self, path: str, token: str, **params: str | int) -> list[dict[str, Any]]:
        """All items of a list, over its pages."""
        found: list[dict[str, Any]] = []
        query: dict[str, str | int] = {"limit": 1000, **params}
        while True:
            reply = await self.get(path, token, params=query)
            reply.raise_for_status()
            page = reply.json()
            found.extend(page["items"])
            if not page.get("next_cursor"):
                return found
            query["cursor"] = page["next_cursor"]

    async def _until_answered(
        self, request: httpx.Request, pool: httpx.AsyncClient
    ) -> httpx.Response:
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                reply = await pool.send(request)
            except httpx.TransportError:
                reply = None
            if reply is not None and reply.status_code not in COME_BACK_LATER:
                return reply
            self._tally.add("retries")
            # Spread over half the time: 231 vehicles must not come back in one moment.
            await asyncio.sleep(backoff_s * self._chance.uniform(0.5, 1.0))
            backoff_s = min(LONGEST_BACKOFF_S, backoff_s * 2.0)


def timestamp() -> str:
    """This moment as the API wants it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
