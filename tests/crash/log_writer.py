"""A process that appends to a log as fast as it can and prints what was acknowledged.

    python -m tests.crash.log_writer FOLDER
    python -m tests.crash.log_writer redis://HOST:PORT/DB AREA [ACCEPTED_SETTING ...]

It is started, starved and killed by the crash tests. Each append has three events and a command;
after a refusal it decides again on the head that the store has, as the runner does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dispatch.errors import DispatchError
from dispatch.store import Append, Store, StoredCommand, StoredReply
from dispatch.store.sqlite import SqliteStore
from dispatch.words import UnixMs
from tests.redis_stores import open_redis

CALLERS = 8
EVENTS = 3


def submit(store: Store, append: Append) -> asyncio.Future[DispatchError | None]:
    done: asyncio.Future[DispatchError | None] = asyncio.get_running_loop().create_future()
    store.append(append, done.set_result)
    return done


def events_of(name: str) -> tuple[bytes, ...]:
    return tuple(f"{name}/{part}".encode() + b"." * 300 for part in range(EVENTS))


class Writer:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.seq = store.head
        self.made = store.head

    async def write_one(self) -> None:
        self.made += 1
        name = f"c{os.getpid()}-{self.made}"
        reply = StoredReply(status=201, body=name.encode())
        append = Append(
            expected_seq=self.seq,
            epoch=self.store.epoch,
            events=events_of(name),
            command=StoredCommand(
                key=name, body_sha256=b"x" * 32, at_ms=UnixMs(self.made), reply=reply
            ),
        )
        self.seq += EVENTS
        error = await submit(self.store, append)
        if error is None:
            say(f"ack {name} {append.expected_seq}")
        else:
            say(f"refused {type(error).__name__}")
            self.seq = self.store.head
            await asyncio.sleep(0.02)

    async def write_for_ever(self) -> None:
        while True:
            await self.write_one()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def opened(place: str, *more: str) -> Store:
    if place.startswith("redis://"):
        return await open_redis(place, *more)
    return SqliteStore.open(Path(place))


async def main() -> None:
    store = await opened(*sys.argv[1:])
    say(f"open {store.head}")
    writer = Writer(store)
    await asyncio.gather(*(writer.write_for_ever() for _ in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main())
