"""HTTP/1.1 on asyncio streams, as much as a load needs: replies, chunked streams, no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from api.bench.errors import ServiceSilent
from api.bench.load_client import request_bytes

_LINE_MAX = 1 << 20
_PATIENCE_S = 60.0
_IDLE_S = 4.0
"""A connection that rested longer is opened anew: the server closes it after five."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: The body.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """One keep-alive connection of one caller; one request at a time."""

    def __init__(self, port: int, token: str) -> None:
        """Connected when it is first used."""
        self._port = port
        self._token = token
        self._used_s = 0.0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request and wait for the whole reply; underscores in header names are dashes.

        Raises:
            ServiceSilent: the connection ended, or nothing came for a minute.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader = await self._send(method, path, body, headers)
                status, told = await _head(reader)
                if status in {204, 304}:
                    return Answer(status, told, b"")
                length = int(told.get("content-length", "-1"))
                if length < 0:
                    raise ServiceSilent(f"{method} {path}: a reply without Content-Length")
                return Answer(status, told, await reader.readexactly(length))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise ServiceSilent(f"{method} {path}: {error or type(error).__name__}") from error

    async def events(self, path: str) -> AsyncGenerator[dict[str, str], None]:
        """Messages of a stream, until it ends; comments are left out.

        Raises:
            ServiceSilent: it was not opened.
        """
        reader = await self._send("GET", path, None, {"accept": "text/event-stream"})
        status, _ = await _head(reader)
        if status != 200:
            raise ServiceSilent(f"GET {path} was answered {status}")
        message: dict[str, str] = {}
        async for line in _lines(reader):
            if line:
                name, _, value = line.partition(": ")
                if name:
                    message[name] = value
            elif message:
                yield message
                message = {}

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            with suppress(OSError, RuntimeError):
                self._writer.close()
        self._reader = self._writer = None

    async def _send(
        self, method: str, path: str, body: object, headers: dict[str, str]
    ) -> asyncio.StreamReader:
        idle_s, self._used_s = perf_counter() - self._used_s, perf_counter()
        if idle_s > _IDLE_S:
            self.close()
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, limit=_LINE_MAX
            )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._writer.write(request_bytes(method, path, token=self._token, body=body, headers=named))
        return self._reader


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    pairs = (line.partition(": ") for line in lines if line)
    return int(first.split(" ", 2)[1]), {name.lower(): value for name, _, value in pairs}


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """Lines of a chunked body."""
    rest = b""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16):
            chunk = await reader.readexactly(size + 2)
            *lines, rest = (rest + chunk[:-2]).split(b"\n")
            for line in lines:
                yield line.decode()
