"""A lean HTTP/1.1 client for load: keep-alive sockets, one thread, times in nanoseconds.

It does what the measurement needs and no more, so that the server is the bottleneck: replies must
carry `Content-Length`, and a request's time runs from handing its bytes to the kernel until the
last byte of the reply is here.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from api.bench.errors import ServiceSilent

_CHUNK = 1 << 16
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply and how long it took.

    Attributes:
        status: HTTP status.
        head: Status line and headers, as sent.
        body: The body.
        elapsed_ns: From the request's first byte to the reply's last.
    """

    status: int
    head: bytes
    body: bytes
    elapsed_ns: int

    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Connection:
    """One keep-alive connection; one request at a time."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    sent_ns: int = 0

    @classmethod
    def open(cls, port: int, host: str = "127.0.0.1") -> Connection:
        """Connect to a server of this machine."""
        sock = socket.create_connection((host, port), timeout=_PATIENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock)

    def send(self, request: bytes) -> None:
        """Send a request; the clock starts."""
        self.received.clear()
        self.sent_ns = perf_counter_ns()
        self.sock.sendall(request)

    def take(self) -> Reply | None:
        """Read what is there; the reply when it is whole."""
        chunk = self.sock.recv(_CHUNK)
        now_ns = perf_counter_ns()
        if not chunk:
            raise ServiceSilent("the server closed the connection before its reply was whole")
        self.received += chunk
        return _whole(self.received, now_ns - self.sent_ns)

    def ask(self, request: bytes) -> Reply:
        """Send a request and wait for the reply."""
        self.send(request)
        while True:
            reply = self.take()
            if reply is not None:
                return reply

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def drive(
    connections: Sequence[Connection], requests: Sequence[Sequence[bytes]]
) -> list[list[Reply]]:
    """Send each connection's requests, the next as soon as its reply is here.

    Args:
        connections: As many clients.
        requests: What each client sends, one after another.

    Returns:
        The replies of each client, in order.
    """
    replies: list[list[Reply]] = [[] for _ in connections]
    open_count = len(connections)
    with selectors.DefaultSelector() as selector:
        for client, connection in enumerate(connections):
            selector.register(connection.sock, selectors.EVENT_READ, client)
        for client, connection in enumerate(connections):
            connection.send(requests[client][0])
        while open_count:
            ready = selector.select(_PATIENCE_S)
            if not ready:
                raise ServiceSilent(f"no reply within {_PATIENCE_S:g} s")
            for key, _ in ready:
                client = key.data
                reply = connections[client].take()
                if reply is None:
                    continue
                replies[client].append(reply)
                if len(replies[client]) == len(requests[client]):
                    open_count -= 1
                else:
                    connections[client].send(requests[client][len(replies[client])])
    return replies


def request_bytes(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole request, ready to send."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + _HEAD_END + content


def _whole(received: bytearray, elapsed_ns: int) -> Reply | None:
    head_end = received.find(_HEAD_END)
    if head_end < 0:
        return None
    head = bytes(received[:head_end])
    at = head.lower().find(_LENGTH)
    status = int(head[9:12])
    if at < 0:
        if status in {204, 304}:
            return Reply(status, head, b"", elapsed_ns)
        raise ServiceSilent("a reply without Content-Length cannot be measured")
    length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
    body_start = head_end + len(_HEAD_END)
    if len(received) < body_start + length:
        return None
    return Reply(status, head, bytes(received[body_start : body_start + length]), elapsed_ns)
