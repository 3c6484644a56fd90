"""A small TCP proxy of the tests' own: loses answers, delays questions, cuts the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Literal, TypeAlias

Harm: TypeAlias = Literal["swallow", "cut", "late"]
"""What happens to a question: it arrives and its answer is lost; it is lost itself; it arrives
some time after its sender has seen the line break."""

LATE_S = 0.05


class Proxy:
    """Stands between a client and a server on this machine.

    Attributes:
        harmed: Questions that were harmed.
    """

    def __init__(self, target_port: int, *, marked: bytes) -> None:
        """Only questions that contain `marked` are ever harmed."""
        self.harmed = 0
        self._target_port = target_port
        self._marked = marked
        self._harms: list[Harm] = []
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        for writer in tuple(self._writers):
            writer.close()
        await asyncio.gather(*self._tasks)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def harm_next(self, *harms: Harm) -> None:
        """Do this to the next marked questions, one after the other."""
        self._harms.extend(harms)

    def stop_forwarding(self) -> None:
        """From now on bytes go nowhere, and nobody is told: a partition."""
        self._open.clear()

    def forward_again(self) -> None:
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        pair = {writer}
        self._writers |= pair
        try:
            answers, away = await asyncio.open_connection("127.0.0.1", self._target_port)
            pair.add(away)
            self._writers.add(away)
            lost = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(_until_end(self._questions(reader, away, lost)))
                group.create_task(_until_end(self._answers(answers, writer, lost)))
        except* (OSError, _End):
            pass
        finally:
            for one in pair:
                one.close()
                with suppress(OSError):
                    await one.wait_closed()
            self._writers -= pair
            self._tasks.discard(task)

    async def _questions(
        self, reader: asyncio.StreamReader, away: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 20):
            await self._open.wait()
            harm = self._harms.pop(0) if self._harms and self._marked in data else None
            if harm is not None:
                self.harmed += 1
            if harm == "cut":
                return
            if harm == "late":
                task = asyncio.create_task(self._deliver_late(data))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
            if harm == "swallow":
                lost.set()
            away.write(data)
            await away.drain()

    async def _answers(
        self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        while data := await answers.read(1 << 20):
            await self._open.wait()
            if lost.is_set():
                return
            writer.write(data)
            await writer.drain()

    async def _deliver_late(self, data: bytes) -> None:
        await asyncio.sleep(LATE_S)
        answers, away = await asyncio.open_connection("127.0.0.1", self._target_port)
        away.write(data)
        await answers.read(1 << 20)
        away.close()


class _End(Exception):
    """One side has closed: the other is closed, too."""


async def _until_end(way: Awaitable[None]) -> None:
    await way
    raise _End
