"""Stores on a Redis server, opened in one line."""

from __future__ import annotations

from pathlib import Path

from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address
from dispatch.store.redis.store import RedisPlace, RedisStore


async def open_redis(url: str, area: str, *accepted: str, folder: Path | None = None) -> RedisStore:
    """The store of an area."""
    place = RedisPlace(Address(url), AreaKeys(area), frozenset(accepted), folder)
    return await RedisStore.open(place)
