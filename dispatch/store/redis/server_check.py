"""Would this server lose what was acknowledged? Asked at each start and each new connection.

Redis out of the box answers before it has written anything to disk. Every setting below makes the
difference between "recorded" and "recorded unless something happens".
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis.exceptions import ResponseError

from dispatch.errors import StoreUnavailable, StoreUnsafe
from dispatch.store.redis.line import RETRY_AFTER_S, Line

OLDEST = (7, 0)
"""Older servers may stop a script half-way when memory is short."""

_WRITES = (
    ("HSET", "kuaijing:", "f", "v"),
    ("XADD", "kuaijing:", "1-0", "f", "v"),
    ("SET", "kuaijing:", "v"),
    ("DEL", "kuaijing:"),
)
"""What its file holds of ours, as `ACL DRYRUN` takes it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    value: str
    otherwise: str


_SETTINGS: Mapping[str, _Wanted] = {
    "appendonly": _Wanted("yes", "all that came after the last snapshot file is lost with it"),
    "appendfsync": _Wanted("always", "it answers before its log is synced to disk"),
    "no-appendfsync-on-rewrite": _Wanted("no", "it does not sync while its log is rewritten"),
    "maxmemory-policy": _Wanted("noeviction", "it deletes keys when memory is short"),
}

EXEMPTIONS = frozenset(_SETTINGS)
"""Settings that an operator may accept by name."""


def faults_of(
    config: Mapping[str, str], info: Mapping[str, str], accepted: Iterable[str] = ()
) -> list[str]:
    """What is wrong with a server, each with how to mend it.

    Args:
        config: Its settings, as far as they can be read.
        info: What INFO says.
        accepted: Settings whose danger the operator takes, by name.
    """
    faults = _faults_of_kind(info)
    for name, wanted in _SETTINGS.items():
        found = config.get(name)
        if found == wanted.value:
            continue
        shown = "not to be read by this user" if found is None else found
        fault = f"{name} is {shown}, {wanted.value} is meant: otherwise {wanted.otherwise}"
        if name in accepted:
            _log.warning("%s; accepted by name, acknowledged commands may be lost", fault)
        else:
            faults.append(
                f"{fault}. Set `{name} {wanted.value}` in redis.conf, and at once:"
                f" CONFIG SET {name} {wanted.value}"
            )
    return faults


def _faults_of_kind(info: Mapping[str, str]) -> list[str]:
    """What no setting mends while the server runs, and nobody may accept."""
    faults = []
    version = info.get("redis_version", "0")
    if _parts(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        faults.append(f"redis_version is {version}: install {oldest} or newer")
    if info.get("role") != "master":
        faults.append(
            f"role is {info.get('role')}: it takes its data from another server; give the primary's"
            " address, or make this one the primary by hand: REPLICAOF NO ONE"
        )
    if info.get("cluster_enabled") == "1":
        faults.append("cluster-enabled is yes: a single primary is meant; set it to no and restart")
    return faults


async def check_server(line: Line, *, shown: str, accepted: frozenset[str]) -> None:
    """Refuse a server that would lose what was acknowledged.

    Args:
        line: A connection to it.
        shown: Its address, for messages.
        accepted: Names of `EXEMPTIONS` whose danger the operator takes.

    Raises:
        StoreUnsafe: it would.
        StoreUnavailable: it still reads its data, or cannot write.
        LineBroken: it does not answer.
    """
    info: dict[str, str] = {}
    for section in ("server", "persistence", "replication", "cluster"):
        info |= _info(await line.ask("INFO", section))
    busy = _busy(info)
    if busy:
        raise StoreUnavailable(f"the Redis server {shown} {busy}", retry_after_s=RETRY_AFTER_S)
    faults = [*faults_of(await _config(line), info, accepted), *await _faults_of_reading(line)]
    if faults:
        raise StoreUnsafe(shown, faults=tuple(faults), exemptions=tuple(sorted(EXEMPTIONS)))


async def _faults_of_reading(line: Line) -> list[str]:
    """Whether it would read back at its restart what it has written.

    It reads transactions with the rights of the user `default`, one that is off too, and drops
    those that this user may not carry out. Scripts write nothing but transactions.
    """
    for command in _WRITES:
        try:
            told = await line.ask("ACL", "DRYRUN", "default", *command)
        except ResponseError as error:
            _log.warning("ACL DRYRUN is refused, so it may drop its log at a restart: %s", error)
            return []
        if told != b"OK":
            fault = (
                f"the user default may not {command[0]}: at its restart the server would drop what"
                " came after its last rewrite. Set `user default off resetpass ~* &* +@all` in"
                " redis.conf, and at once: ACL SETUSER default ~* &* +@all"
            )
            return [fault]
    return []


def _busy(info: Mapping[str, str]) -> str | None:
    """Why a server that is set up well is not to be relied on yet."""
    if info.get("loading") == "1":
        return "still reads its data"
    rewriting = "1" in (info.get("aof_rewrite_in_progress"), info.get("aof_rewrite_scheduled"))
    if rewriting and info.get("aof_base_size") == "0":
        # Just switched on: until its first copy is whole, a restart would not read any of it.
        return "has only begun to keep a log, and its first copy is not yet whole"
    return None


async def _config(line: Line) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _SETTINGS:
        try:
            pair = await line.ask("CONFIG", "GET", name)
        except ResponseError as error:
            _log.warning("CONFIG GET %s is refused: %s", name, error)
            continue
        if pair:
            found[name] = pair[1].decode()
    return found


def _info(text: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text.decode().splitlines() if ":" in line)
    return {name: value for name, _, value in lines}


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
