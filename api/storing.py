"""Where the log is kept: in the service's folder, or on a Redis server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import SettingsInvalid
from api.settings import RedisUse
from dispatch.store.head_mark import MARK_NAME
from dispatch.store.sqlite_log import LOG_NAME

if TYPE_CHECKING:
    from dispatch.running.ground import OpenStore
    from dispatch.store.redis.store import RedisPlace

SQLITE = "sqlite"


def store_opener(store: str, data_dir: Path, use: RedisUse) -> OpenStore | None:
    """How the store that was asked for is opened; None for the one in the folder itself.

    Args:
        store: `sqlite`, or the address of a Redis server.
        data_dir: The service's folder.
        use: How a Redis server is used.

    Raises:
        SettingsInvalid: the store, or a setting for it, cannot be used.
    """
    on_redis, in_folder = _on_redis(data_dir), (data_dir / LOG_NAME).exists()
    if store == SQLITE:
        if on_redis and not in_folder:
            raise SettingsInvalid(
                f"the log of {data_dir} is on a Redis server: give its address with --store, or"
                " begin a new log in another folder"
            )
        return None
    if not store.startswith(("redis://", "rediss://")):
        raise SettingsInvalid(
            f"--store {_without_password(store)} is not to be had: leave it out for SQLite in the"
            " service's folder, or give redis://HOST:PORT/DB"
        )
    if in_folder and not on_redis:
        raise SettingsInvalid(
            f"{data_dir} holds a log of its own, {LOG_NAME}, and none is moved to Redis: leave"
            " --store out, or give another folder"
        )
    return _redis_opener(store, data_dir, use)


def why_no_log(data_dir: Path) -> str:
    """What is said of a folder without a log file, to somebody whose command reads one.

    Args:
        data_dir: The folder given with --data; it holds no log file.
    """
    if _on_redis(data_dir):
        return (
            f"the log of {data_dir} is on a Redis server: backup, verify, replay and sheet read a"
            " log in a folder only; how to copy one on Redis is in"
            " docs/how-to/keep-the-log-on-redis.md, and the service's own last sheet for paper is"
            f" {data_dir}/open-incidents.html"
        )
    return f"--data {data_dir} holds no {LOG_NAME}: give a service's folder"


def _without_password(store: str) -> str:
    """An address as it may be shown: a slip of the pen may have a password in it."""
    return store.rpartition("@")[2] if "@" in store else store


def _on_redis(data_dir: Path) -> bool:
    """Whether a mark of a log on Redis lies here (`dispatch.store.redis.folder_hold`).

    An empty one is of a start that never reached its server.
    """
    marks = [area / MARK_NAME for area in (data_dir / "redis").glob("*/")]
    return any(not mark.exists() or mark.stat().st_size for mark in marks)


def shared_opener(store: str, data_dir: Path, use: RedisUse, *, peer: str) -> OpenStore:
    """How one of several workers opens the store that was asked for.

    Args:
        store: The address of a Redis server.
        data_dir: The service's folder, which whoever started the worker has locked.
        use: How the server is used.
        peer: Address at which this worker takes what others pass on.

    Raises:
        SettingsInvalid: the store, or a setting for it, cannot be used.
    """
    check_shared(store)
    from dispatch.store.redis.shared import SharedStore  # noqa: PLC0415  # as below
    from dispatch.store.redis.write_line import DOUBT_OF_A_WORKER_S  # noqa: PLC0415

    place = replace(redis_place(store, data_dir, use), doubt_s=DOUBT_OF_A_WORKER_S)
    return lambda on_commit: SharedStore.open(place, peer=peer, on_commit=on_commit)


def check_shared(store: str) -> None:
    """Makes sure that several workers can share a store.

    Raises:
        SettingsInvalid: one process at a time works on it.
    """
    if store == SQLITE:
        raise SettingsInvalid(
            "--workers goes with --store redis://HOST:PORT/DB only: the log in the service's folder"
            " has one process to itself. Leave --workers out, or put the log on a Redis server"
        )


def redis_place(address: str, data_dir: Path | None, use: RedisUse) -> RedisPlace:
    """Where a log on a Redis server is.

    Raises:
        SettingsInvalid: the address, or a setting for it, cannot be used.
    """
    # A third of a second, which only those wait for who use it.
    from dispatch.store.redis.keys import AreaKeys  # noqa: PLC0415
    from dispatch.store.redis.line import Address  # noqa: PLC0415
    from dispatch.store.redis.server_check import EXEMPTIONS  # noqa: PLC0415
    from dispatch.store.redis.store import RedisPlace  # noqa: PLC0415

    unknown = sorted(set(use.accept) - EXEMPTIONS)
    if unknown:
        known = ", ".join(sorted(EXEMPTIONS))
        raise SettingsInvalid(f"[redis] accept: {unknown[0]} is none of {known}")
    try:
        return RedisPlace(
            Address(address, password=_password(use)),
            AreaKeys(use.area),
            accepted=frozenset(use.accept),
            folder=data_dir,
        )
    except ValueError as error:
        raise SettingsInvalid(str(error)) from error


def _redis_opener(address: str, data_dir: Path, use: RedisUse) -> OpenStore:
    from dispatch.store.redis.store import RedisStore  # noqa: PLC0415  # as above

    place = redis_place(address, data_dir, use)
    return lambda on_commit: RedisStore.open(place, on_commit=on_commit)


def _password(use: RedisUse) -> str | None:
    if not use.password_file:
        return None
    try:
        return Path(use.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"[redis] password_file {use.password_file}: {error}") from error
