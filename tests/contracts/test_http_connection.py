"""What a client sends before it is known is bounded, in bytes and in time."""

from __future__ import annotations

import socket
import time

import pytest

from api.http import connection
from tests.contracts.http_town import HttpTown


def _connected(town: HttpTown) -> socket.socket:
    host, _, port = town.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _answer(link: socket.socket) -> bytes:
    read = b""
    try:
        while part := link.recv(65_536):
            read += part
    except ConnectionResetError:
        pass
    return read


def test_headers_without_end_are_cut_off(town: HttpTown) -> None:
    with _connected(town) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nx: ")
        sent = 0
        try:
            while sent < 64 * connection.HEAD_MAX_BYTES:
                sent += link.send(b"y" * 16_384)
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert sent < 64 * connection.HEAD_MAX_BYTES


def test_a_client_that_connects_and_says_nothing_is_let_go_without_a_word(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SILENT_S", 0.2)
    with _connected(town) as link:
        assert _answer(link) == b""


def test_a_client_that_connected_ahead_is_served(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    with _connected(town) as link:
        time.sleep(0.4)
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert _answer(link).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /healthz HTTP/1.1\r\n",
        b"POST /v1/incidents HTTP/1.1\r\nHost: a\r\ncontent-length: 10\r\n\r\n{",
    ],
    ids=["headers", "body"],
)
def test_a_request_that_never_ends_is_given_up(
    town: HttpTown, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    monkeypatch.setattr(connection, "BODY_S", 0.2)
    with _connected(town) as link:
        link.sendall(begun)
        began = time.monotonic()
        _answer(link)
        assert time.monotonic() - began < 5


def test_a_slow_but_steady_client_is_served(town: HttpTown) -> None:
    with _connected(town) as link:
        for part in (b"GET /healthz HTTP/1.1\r\n", b"Host: a\r\n", b"Connection: close\r\n\r\n"):
            link.sendall(part)
            time.sleep(0.05)
        assert _answer(link).startswith(b"HTTP/1.1 200")


def test_one_connection_serves_many_requests_and_a_pipelined_one(town: HttpTown) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with _connected(town) as link:
        for _ in range(3):
            link.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += link.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")
        link.sendall(request + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert _answer(link).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("in_pieces", [False, True])
def test_an_offer_of_another_protocol_loses_no_body(town: HttpTown, *, in_pieces: bool) -> None:
    # Java's own client sends this at its first request, with the body behind it.
    body = b'{"no_such": 1}'
    request = b"\r\n".join(
        [
            b"POST /v1/incidents HTTP/1.1",
            b"Host: a",
            b"Authorization: Bearer " + town.token("dispatcher").encode(),
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
            b"Content-Length: %d" % len(body),
            b"",
            body,
        ]
    )
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with _connected(town) as link:
        pieces = [request[:30], request[30:-5], request[-5:], last]
        for piece in pieces if in_pieces else [request + last]:
            link.sendall(piece)
            time.sleep(0.05)
        answer = _answer(link)
    assert b"body.no_such" in answer or b'"no_such"' in answer
    assert answer.count(b"HTTP/1.1 200") == 1
