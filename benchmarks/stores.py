"""One durable append on each store, as times one raw sync, all in the same run.

    python -m benchmarks.stores [--rounds 400] [--redis redis://127.0.0.1:6379/0]

Without --redis only SQLite is measured. Every round takes one sample of each in turn, so that a
slow moment of the machine falls on all of them. The server must be set up as the service asks.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import uvloop

from dispatch.errors import DispatchError
from dispatch.store import Append, Store, StoredCommand, StoredReply
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.line import Address
from dispatch.store.redis.store import RedisPlace, RedisStore
from dispatch.store.sqlite import SqliteStore
from dispatch.words import UnixMs

EVENT_BYTES = 1_500
"""About what a dispatch order takes in the log."""

REPLY_BYTES = 2_500
CALLERS = (1, 16, 64)
APPENDS_OF_ALL = 2_000
"""Appends of many callers together."""


def an_append(store: Store, seq: int, key: str) -> Append:
    """A decision of three events and its command's answer."""
    reply = StoredReply(status=201, body=b"r" * REPLY_BYTES)
    command = StoredCommand(key=key, body_sha256=b"s" * 32, at_ms=UnixMs(seq), reply=reply)
    events = (b"e" * EVENT_BYTES, b"e" * 200, b"e" * 200)
    return Append(expected_seq=seq, epoch=store.epoch, events=events, command=command)


class Writer:
    """Decides ahead of the store, as the runner does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seq = store.head
        self._made = 0

    async def write(self) -> float:
        """One append; seconds until it was durable."""
        done: asyncio.Future[DispatchError | None] = asyncio.get_running_loop().create_future()
        began = perf_counter()
        self._made += 1
        self._store.append(an_append(self._store, self._seq, f"k{self._made}"), done.set_result)
        self._seq += 3
        error = await done
        if error is not None:
            raise error
        return perf_counter() - began

    async def write_many(self, count: int) -> list[float]:
        """Appends one after the other."""
        return [await self.write() for _ in range(count)]


def one_sync(descriptor: int) -> float:
    """Seconds of one append of 8 KiB to a file, with its sync."""
    began = perf_counter()
    os.write(descriptor, b"f" * 8_192)
    os.fdatasync(descriptor)
    return perf_counter() - began


async def measure(stores: dict[str, Store], folder: Path, rounds: int) -> None:
    """Print the table."""
    descriptor = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    writers = {name: Writer(store) for name, store in stores.items()}
    samples: dict[str, list[float]] = {name: [] for name in ("raw sync", *writers)}
    for _ in range(rounds):
        samples["raw sync"].append(one_sync(descriptor))
        for name, writer in writers.items():
            samples[name].append(await writer.write())
    floor = at(samples["raw sync"], 0.5)
    say("one caller, p50 ms / p99 ms / p50 as times the raw sync:")
    for name, some in samples.items():
        say(f"  {name:9} {at(some, 0.5) * 1e3:6.2f} {at(some, 0.99) * 1e3:7.2f}"
            f" {at(some, 0.5) / floor:5.2f}")  # fmt: skip
    for callers in CALLERS[1:]:
        say(f"{callers} callers, appends a second / p99 ms:")
        for name, writer in writers.items():
            began = perf_counter()
            each = APPENDS_OF_ALL // callers
            parts = await asyncio.gather(*(writer.write_many(each) for _ in range(callers)))
            took_s = perf_counter() - began
            all_of_them = [one for part in parts for one in part]
            say(f"  {name:9} {len(all_of_them) / took_s:6.0f} {at(all_of_them, 0.99) * 1e3:7.2f}")
    os.close(descriptor)


def at(samples: Sequence[float], share: float) -> float:
    """The sample at this share of all, from below."""
    return sorted(samples)[min(int(len(samples) * share), len(samples) - 1)]


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")


async def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--redis", metavar="URL", help="a server to measure, too")
    parser.add_argument("--folder", type=Path, help="where SQLite and the raw file lie")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        stores: dict[str, Store] = {"sqlite": SqliteStore.open(Path(name))}
        if args.redis:
            area = f"bench-{secrets.token_hex(4)}"
            stores["redis"] = await RedisStore.open(RedisPlace(Address(args.redis), AreaKeys(area)))
        await measure(stores, Path(name), args.rounds)
        for store in stores.values():
            await store.close()


if __name__ == "__main__":
    uvloop.run(main())
