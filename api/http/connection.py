"""The server's connections, with bounds on what a client may send before it is known at all.

uvicorn's parser takes headers of any length and waits for the rest of a request for ever: a few
clients without a token could fill the memory or hold all connections.
"""

from __future__ import annotations

import sys
from asyncio import TimerHandle, Transport

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX_BYTES = 64 * 1024
"""Request line and headers; a browser's are 2 kB."""

SILENT_S = 60.0
"""From connecting to the first byte; browsers connect ahead. Then it is closed without a word."""

HEAD_S = 10.0
"""From the first byte of a request to the end of its headers."""

BODY_S = 60.0
"""From the end of the headers to the end of the body: 1 MiB in it is a slow phone."""


_OFFER = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and words in `Connection`, by which a client offers another protocol."""


def _without_offer(name: bytes, value: bytes) -> bytes:
    """A header's line without the offer; empty where nothing else is in it."""
    if name == b"connection":
        words = (word.strip() for word in value.split(b","))
        value = b", ".join(word for word in words if word.lower() not in _OFFER)
    return b"" if name in _OFFER or not value else b"%b: %b\r\n" % (name, value)


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 that gives up on a request whose headers are too long or that never ends."""

    _reading_head = True
    _reading_body = False
    _head_bytes = 0
    _timer: TimerHandle | None = None
    _data = b""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._wait(SILENT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the waiting."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts and parses what came."""
        if self._reading_head:
            if not self._head_bytes:
                # The wait for a first byte is over, and the one for the head begins.
                self._rest()
            self._head_bytes += len(data)
        self._data = data
        super().data_received(data)
        self._data = b""
        if self.transport.is_closing():
            self._rest()
        elif self._reading_head and self._head_bytes > HEAD_MAX_BYTES:
            self._give_up(b"431 Request Header Fields Too Large")
        elif self._reading_body:
            self._wait(BODY_S)
        elif self._reading_head and self._head_bytes:
            self._wait(HEAD_S)
        else:
            self._rest()

    def on_headers_complete(self) -> None:
        """The head has come whole."""
        if self.parser.should_upgrade():
            # Read once more below, without the offer.
            return
        self._reading_head, self._reading_body = False, True
        self._head_bytes = 0
        self._rest()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body too."""
        if self.parser.should_upgrade():
            return
        self._reading_head, self._reading_body = True, False
        self._rest()
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Reads a request again without its offer of another protocol, as RFC 9110 allows.

        The parser takes what follows such a head for that protocol: a body would be lost, and an
        assignment by hand without its body is one of the next best. Java's own client offers h2c.
        """
        error = sys.exc_info()[1]
        assert isinstance(error, httptools.HttpParserUpgrade)  # noqa: S101  # caught by the caller
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response("This is no proxy.")
            return
        version = self.parser.get_http_version().encode()
        head = b"%b %b HTTP/%b\r\n" % (method, self.url, version)
        head += b"".join(_without_offer(*header) for header in self.headers)
        rest = self._data[error.args[0] :]
        self.parser = httptools.HttpRequestParser(self)
        super().data_received(head + b"\r\n" + rest)

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._reading_head and self.cycle is not None and not self.cycle.response_complete:
            # A further request was begun while the one before is answered, a long-poll perhaps.
            self._wait(HEAD_S)
            return
        self._give_up(b"408 Request Timeout")

    def _give_up(self, status: bytes) -> None:
        self._rest()
        if self.transport.is_closing():
            return
        begun = self._reading_body or self._head_bytes > 0
        if begun and (self.cycle is None or self.cycle.response_complete):
            # A silent client gets no answer: it could take it for that of its next request.
            self.transport.write(
                b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status
            )
        self.transport.close()
