import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from api.bench.errors import ServiceSilent
from api.bench.load_client import Connection, drive, request_bytes


def serve_forever(listener: socket.socket, answer: bytes) -> None:
    """Answers every request of every client, in two pieces, until the listener is closed."""

    def serve(client: socket.socket) -> None:
        with client:
            while client.recv(65_536):
                client.sendall(answer[:20])
                client.sendall(answer[20:])

    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        Thread(target=serve, args=(client,), daemon=True).start()


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve_forever, args=(listener, request.param), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


OK = b'HTTP/1.1 201 Created\r\nContent-Length: 11\r\nX: y\r\n\r\n{"id": "a"}'


@pytest.mark.parametrize("answering", [OK], indirect=True)
def test_each_client_gets_all_its_replies_over_one_connection(answering: int) -> None:
    connections = [Connection.open(answering) for _ in range(3)]
    asked = request_bytes("POST", "/x", token="secret", body={"a": 1})

    replies = drive(connections, [[asked] * 4, [asked] * 2, [asked]])

    assert [len(of_one) for of_one in replies] == [4, 2, 1]
    assert {reply.status for of_one in replies for reply in of_one} == {201}
    assert replies[0][0].data() == {"id": "a"}
    assert all(reply.elapsed_ns > 0 for of_one in replies for reply in of_one)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "answering", [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], indirect=True
)
def test_a_reply_of_unknown_length_is_refused(answering: int) -> None:
    connection = Connection.open(answering)
    with pytest.raises(ServiceSilent, match="Content-Length"):
        connection.ask(request_bytes("GET", "/x"))
    connection.close()


def test_a_request_carries_token_length_and_headers() -> None:
    sent = request_bytes("POST", "/v1/x", token="t", body={"名": "桥"}, headers={"If-Match": '"1"'})

    head, _, body = sent.partition(b"\r\n\r\n")
    assert body == '{"名": "桥"}'.encode()
    assert head.split(b"\r\n")[0] == b"POST /v1/x HTTP/1.1"
    assert b"Authorization: Bearer t" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert b'If-Match: "1"' in head
