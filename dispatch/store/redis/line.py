"""Connections to the server: one question at a time, and none asked a second time behind our back.

redis-py's client repeats a command whose answer was lost, which would carry out a write twice. Here
its bare connections are used: the first failure ends a line for good, and whoever asked decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import AuthenticationError, NoScriptError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from dispatch.errors import StoreUnavailable
from dispatch.store.redis.keys import AreaKeys
from dispatch.store.redis.scripts import Script

CONNECT_S = 1.0
"""Longest wait for a connection and its handshake."""

REPLY_S = 2.0
"""Longest wait for an answer before the line is given up; a sync takes milliseconds."""

RETRY_AFTER_S = 2

READ_LINES = 4
"""Connections for reading, of one process."""

Argument: TypeAlias = str | bytes | int


class LineBroken(Exception):
    """The connection failed; what was asked last may have been carried out or not."""


class Address:
    """Where the server is, and how it is connected to.

    Attributes:
        shown: The address without its password, for messages.
    """

    def __init__(self, url: str, *, password: str | None = None) -> None:
        """Read an address.

        Args:
            url: redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS.
            password: For an address that has none in it.

        Raises:
            ValueError: it is none.
        """
        self.shown = _without_password(url)
        self._connections = ConnectionPool.from_url(
            url,
            password=password,
            protocol=2,  # plain lists for every answer, and nothing that comes unasked
            socket_timeout=None,  # bounded in `Line.ask`, for question and answer together
            socket_connect_timeout=CONNECT_S,
            health_check_interval=0,
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )

    async def connect(self) -> Line:
        """A new line.

        Raises:
            StoreUnavailable: there is none to be had.
        """
        connection: AbstractConnection = self._connections.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(CONNECT_S):
                await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            await connection.disconnect(nowait=True)
            raise self.unavailable(error) from error
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return Line(connection)

    def unavailable(self, error: BaseException) -> StoreUnavailable:
        """What a failure of the server or of the way to it means for whoever wants to write."""
        why = str(error) or type(error).__name__
        mend = (
            "Give its user in the address, redis://USER@HOST:PORT/DB, and the password in [redis]"
            " password_file of settings.toml"
            if isinstance(error, AuthenticationError)
            else "Check that it runs, can be reached and has memory and disk left; a running"
            " service then goes on by itself"
        )
        return StoreUnavailable(
            f"the Redis server {self.shown} does not take it ({why}). {mend}",
            retry_after_s=RETRY_AFTER_S,
        )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    scheme = f"{parts.scheme}://" if "://" in url else ""
    shown = f"{scheme}{parts.netloc.rpartition('@')[2]}{parts.path.rpartition('@')[2]}"
    database = parts.path.removeprefix("/")
    try:
        sound = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    # Options in the address would win over those that keep writes from being repeated.
    if not sound or parts.query or not (database.isdecimal() or not database):
        raise ValueError(
            f"{shown} is no address of a Redis server: redis://[USER:PASSWORD@]HOST[:PORT][/DB]"
            " is meant, or rediss:// for TLS, and no options"
        )
    return shown


class Line:
    """One connection, used by one at a time."""

    def __init__(self, connection: AbstractConnection) -> None:
        """`Address.connect` does it."""
        self._connection = connection

    @property
    def broken(self) -> bool:
        """True after a failure: take a new line."""
        return not self._connection.is_connected

    async def ask(self, *command: Argument, within_s: float = REPLY_S) -> Any:
        """Send a command and wait for its answer.

        Raises:
            LineBroken: no answer came; the line is closed.
            redis.exceptions.ResponseError: the server refuses; the line is well.
        """
        if self.broken:
            # Sending would connect anew, and to whatever stands there now.
            raise LineBroken("the connection was closed")
        try:
            async with asyncio.timeout(within_s):
                await self._connection.send_command(*command)
                return await self._connection.read_response(disable_decoding=True)
        except ResponseError:
            raise
        except (RedisError, OSError, TimeoutError) as error:
            await self.close()
            raise LineBroken(str(error) or f"no answer within {within_s:g} s") from error
        except BaseException:
            # Left in the middle, the next question would get this one's answer.
            await self.close()
            raise

    async def send(self, *command: Argument, within_s: float = REPLY_S) -> None:
        """Send a command, whose answer comes as one of `next_answer`.

        Raises:
            LineBroken: it could not be sent; the line is closed.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._connection.send_command(*command)
        except (RedisError, OSError, TimeoutError) as error:
            await self.close()
            raise LineBroken(str(error) or f"not sent within {within_s:g} s") from error

    async def next_answer(self) -> Any:
        """What the server says next, as after SUBSCRIBE; waits without bound.

        Raises:
            LineBroken: the connection failed.
        """
        try:
            return await self._connection.read_response(disable_decoding=True)
        except (RedisError, OSError) as error:
            await self.close()
            raise LineBroken(str(error) or type(error).__name__) from error

    async def run(self, script: Script, keys: AreaKeys, *arguments: Argument) -> Any:
        """Run a script; see `ask`."""
        names = keys.named(*script.keys)
        try:
            return await self.ask("EVALSHA", script.sha, len(names), *names, *arguments)
        except NoScriptError:
            # Not carried out: the server has been started since, or sees it for the first time.
            await self.ask("SCRIPT", "LOAD", script.text)
            return await self.ask("EVALSHA", script.sha, len(names), *names, *arguments)

    async def close(self) -> None:
        """Close the connection; harmless when done twice."""
        await self._connection.disconnect(nowait=True)


class Lines:
    """A few lines for questions that change nothing, or nothing when asked twice."""

    def __init__(self, address: Address, most: int = READ_LINES) -> None:
        """Lines are connected when they are needed."""
        self._address = address
        self._free: list[Line] = []
        self._room = asyncio.Semaphore(most)

    async def ask(self, *command: Argument) -> Any:
        """The answer to a command.

        Raises:
            StoreUnavailable: there is none to be had.
        """
        return await self._answer(lambda line: line.ask(*command))

    async def run(self, script: Script, keys: AreaKeys, *arguments: Argument) -> Any:
        """The answer of a script; see `ask`."""
        return await self._answer(lambda line: line.run(script, keys, *arguments))

    async def close(self) -> None:
        """Close all lines."""
        while self._free:
            await self._free.pop().close()

    async def _answer(self, ask: Any) -> Any:
        async with self._room:
            while True:
                kept = self._free.pop() if self._free else None
                try:
                    async with self._given_back(kept) as line:
                        return await ask(line)
                except LineBroken as error:
                    if kept is None:
                        raise self._address.unavailable(error) from error
                    # A line kept from before the server was started anew; a fresh one tells.
                except ResponseError as error:
                    raise self._address.unavailable(error) from error

    @asynccontextmanager
    async def _given_back(self, kept: Line | None) -> AsyncIterator[Line]:
        line = kept or await self._address.connect()
        try:
            yield line
        finally:
            if not line.broken:
                self._free.append(line)
