"""How a worker asks the one that leads: one pool of connections that are kept open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

CONNECT_S = 1.0
"""Longest wait for a connection to the leader, and for a free one of the pool."""

ANSWER_S = 20.0
"""Longest wait for the leader's answer: more than its writer waits for a batch in doubt, so that
who knows best says it."""

LOOK_S = 0.2
"""How often whoever waits for an answer looks whether somebody else leads by now."""

CONNECTIONS = 64
"""Open connections to the leader; more that come at once wait for one."""

KEPT_S = 3.0
"""Idle connections are closed before the other side does (after 5 s), so that no request is sent
into one that is being closed."""

_OF_THE_LINK = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that belong to one connection, or are made anew for the next (RFC 9110, 7.6.1)."""

_OF_THE_FRAME = frozenset(
    {b"date", b"referrer-policy", b"server", b"x-content-type-options", b"x-request-id"}
)
"""Headers that this worker puts on every answer itself."""

Headers = list[tuple[bytes, bytes]]


class PeerNotReached(Exception):
    """No connection came about: nothing was sent."""


class PeerBroke(Exception):
    """What was sent may have been carried out or not, and no answer will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """A client's request, as it goes to the leader.

    Attributes:
        method: Its method.
        target: Path and query, as they came.
        headers: The client's own.
        body: The whole body.
    """

    method: str
    target: bytes
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAnswer:
    """The leader's answer, to be passed back as it is."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The value of a header, by its name in small letters."""
        return next((value for key, value in self.headers if key == name), None)


class Peers:
    """Asks other workers; used from the event loop only."""

    def __init__(self, *, verify: ssl.SSLContext | None = None) -> None:
        """Connected when it is first used; `verify` knows who signs the peers' certificates."""
        # The pool alone. A client around it keeps cookies, of which those of one browser would go
        # along with the next, and looks through all headers for each one: a request with thousands
        # held the event loop for seconds.
        self._pool = httpx.AsyncHTTPTransport(
            verify=verify or ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=KEPT_S,
            ),
        )

    async def ask(
        self, peer: str, request: PassedOn, *, still_leads: Callable[[], bool]
    ) -> PeerAnswer:
        """Send a request to a peer and wait for its answer.

        Args:
            peer: Its address.
            request: What is wanted.
            still_leads: Whether it is still the one to ask; its answer is not waited for otherwise.

        Raises:
            PeerNotReached: nothing was sent.
            PeerBroke: it was sent, in part at least, and no answer came.
        """
        exchange = asyncio.create_task(self._exchange(peer, request), name="pass-on")
        try:
            while not exchange.done():
                await asyncio.wait({exchange}, timeout=LOOK_S)
                if not exchange.done() and not still_leads():
                    raise PeerBroke("another worker leads by now")
            return exchange.result()
        finally:
            if not exchange.done():
                exchange.cancel()
                await asyncio.gather(exchange, return_exceptions=True)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _exchange(self, peer: str, request: PassedOn) -> PeerAnswer:
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S, pool=CONNECT_S)
        asked = httpx.Request(
            request.method,
            peer,
            headers=_sent(request.headers),
            content=request.body,
            # The target as it came: a URL would lose its dots, and there is none for `*`.
            extensions={"timeout": timeout.as_dict(), "target": request.target},
        )
        try:
            reply = await self._pool.handle_async_request(asked)
            try:
                # As it comes: what is packed stays so.
                body = b"".join([part async for part in reply.aiter_raw()])
            finally:
                await reply.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise PeerNotReached(str(error) or type(error).__name__) from error
        except httpx.HTTPError as error:
            raise PeerBroke(str(error) or type(error).__name__) from error
        return PeerAnswer(status=reply.status_code, headers=_kept(reply.headers.raw), body=body)


def _sent(headers: Headers) -> Headers:
    # The host that the client named goes along: where a page of ours came from is compared with it.
    sent = [(name, value) for name, value in headers if name not in _OF_THE_LINK]
    # The first counts here, and a second would be refused on the way.
    sent += [pair for pair in headers if pair[0] == b"host"][:1]
    if not any(name == b"accept-encoding" for name, _ in sent):
        # Otherwise the pool would ask for what the client may not understand.
        sent.append((b"accept-encoding", b"identity"))
    return sent


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    dropped = _OF_THE_LINK | _OF_THE_FRAME
    small = ((name.lower(), value) for name, value in headers)
    return [(name, value) for name, value in small if name not in dropped]
