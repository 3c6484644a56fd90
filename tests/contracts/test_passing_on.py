"""A follower and what it passes on, to a leader that does what the story wants of it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from api.clock import now_ms
from api.http import passing_on
from api.http.app import create_app
from api.http.passing_on import PeerEntrance
from api.http.peers import ANSWER_S, PassedOn, Peers
from api.opening import assemble
from api.service import Service
from api.serving import GRACEFUL_S
from api.settings import RedisUse, Settings
from api.storing import shared_opener
from api.tls import client_context, make_ca, server_context, utc_now
from api.tokens import Role, create_token
from dispatch.running import following as following_module
from tests.contracts.http_town import lon_lat, town_city
from tests.redis_server import RedisServer, running_redis
from tests.shell_town import make_roads, run

LEADER = "kuaijing:{city}:leader"
CALL = {"location": lon_lat(300.0, 0.0), "category": "help"}
DONE = (
    b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\ncontent-type: application/json\r\n"
    b'etag: "1"\r\nx-kuaijing-seq: %d\r\n\r\n{}'
)
IN_PROGRESS = (
    b"HTTP/1.1 409 Conflict\r\ncontent-length: 39\r\ncontent-type: application/problem+json\r\n"
    b'\r\n{"code": "idempotency_key_in_progress"}'
)
CLOSED = b""
"""The connection breaks before there is an answer."""

SILENT = b"silent"
"""No answer comes, and the connection stays: a leader that sleeps."""


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> RedisServer:
    """A server that holds nothing."""
    one_server.ask("FLUSHALL")
    return one_server


@dataclass
class ALeader:
    """Listens where a leader would, keeps what it was sent, and answers as it was told."""

    answers: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                sizes = [
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ]
                self.asked.append(head + await reader.readexactly(sum(sizes)))
                answer = self.answers.pop(0)
                if answer == SILENT:
                    await reader.read()
                if not answer:
                    return
                writer.write(answer)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


@dataclass
class Follower:
    """A follower's service, asked in this process."""

    service: Service
    http: httpx.AsyncClient
    among_peers: httpx.AsyncClient

    async def call(self, **more: Any) -> httpx.Response:
        return await self.http.post("/v1/incidents", json=CALL, **more)


@asynccontextmanager
async def following(
    server: RedisServer, folder: Path, *, verify: ssl.SSLContext | None = None
) -> AsyncIterator[Follower]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    token = create_token(folder, Role.DISPATCHER, unit_id=None, at_ms=now_ms())
    service = await assemble(
        folder,
        settings=Settings(),
        city=town_city(),
        roads=make_roads(),
        synthetic_network=True,
        attribution="made up for tests",
        open_store=shared_opener(server.url, folder, RedisUse(), peer="http://127.0.0.1:1"),
    )
    try:
        assert service.runner.following is not None
        service.peers = Peers(verify=verify)
        app = create_app(service)
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://town", headers=headers
            ) as http,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(PeerEntrance(app)),
                base_url="http://town",
                headers=headers,
            ) as among_peers,
        ):
            service.runner.following.begin()
            yield Follower(service, http, among_peers)
        await service.peers.close()
    finally:
        await service.runner.close()


@asynccontextmanager
async def led(
    server: RedisServer, *answers: bytes, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ALeader]:
    """Somebody holds the lease, for longer than the story lasts."""
    leader = ALeader(list(answers))
    listening = await asyncio.start_server(leader.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    scheme = "http" if tls is None else "https"
    server.ask("SET", LEADER, f"0f {scheme}://127.0.0.1:{port}", "PX", 60_000)
    try:
        yield leader
    finally:
        listening.close()


async def led_as_far_as_it_knows(follower: Follower) -> None:
    known = follower.service.runner.following
    assert known is not None
    while known.lack is not None:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.02)


def test_the_callers_own_words_go_to_the_leader_and_its_answer_comes_back(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        problem = (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 15\r\nretry-after: 2\r\n"
            b'content-type: application/problem+json\r\n\r\n{"code": "full"}'[:-1]
        )
        async with led(server, DONE % 0, problem) as leader, following(server, tmp_path) as one:
            words = {"Idempotency-Key": "k1", "X-Request-Id": "mine-1", "If-Match": '"7"'}
            done = await one.http.patch("/v1/incidents/I1?x=%E6%A1%A5", json=CALL, headers=words)
            assert (done.status_code, done.content, done.headers["etag"]) == (201, b"{}", '"1"')
            assert done.headers["x-request-id"] == "mine-1"
            (sent,) = leader.asked
            assert sent.startswith(b"PATCH /v1/incidents/I1?x=%E6%A1%A5 HTTP/1.1\r\n")
            head, _, body = sent.partition(b"\r\n\r\n")
            lines = {line.lower() for line in head.split(b"\r\n")}
            assert {b"idempotency-key: k1", b"x-request-id: mine-1", b'if-match: "7"'} <= lines
            assert body == done.request.content
            full = await one.call()
            assert (full.status_code, full.headers["retry-after"]) == (503, "2")
            assert full.headers["content-type"] == "application/problem+json"

    run(scenario)


def test_a_query_that_is_no_ascii_is_passed_on_too(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with led(server, DONE % 0) as leader, following(server, tmp_path) as one:
            told = []
            request = {"type": "http.request", "body": b"{}", "more_body": False}

            async def receive() -> Message:
                return request

            async def send(message: Message) -> None:
                told.append(message)

            scope = {
                "type": "http",
                "http_version": "1.1",
                "method": "POST",
                "scheme": "http",
                "path": "/v1/incidents",
                "raw_path": b"/v1/incidents",
                "headers": [(b"authorization", one.http.headers["authorization"].encode())],
                "query_string": "x=桥".encode(),
            }
            await create_app(one.service)(scope, receive, send)
            assert told[0]["status"] == 201
            (sent,) = leader.asked
            assert sent.startswith(b"POST /v1/incidents?x=%E6%A1%A5 HTTP/1.1\r\n")

    run(scenario)


def test_a_target_and_a_host_go_as_they_came_however_many_words_come_with_them(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with led(server, DONE % 0, DONE % 0) as leader, following(server, tmp_path) as one:
            assert one.service.peers is not None
            for target in (b"*", b"/v1/units/../incidents"):
                many = [(b"x-%d" % nth, b"1") for nth in range(4_000)]
                asked = PassedOn(
                    method="POST",
                    target=target,
                    headers=[(b"host", b"town"), (b"host", b"other"), *many],
                    body=b"{}",
                )
                known = one.service.runner.following
                await led_as_far_as_it_knows(one)
                assert known is not None
                assert known.leader is not None
                began_s = time.process_time()
                peer = known.leader.peer
                done = await one.service.peers.ask(peer, asked, still_leads=lambda: True)
                # Looking through all of them for each one took a second and more.
                assert time.process_time() - began_s < 0.4
                assert done.status == 201
                sent = leader.asked[-1]
                assert sent.startswith(b"POST %b HTTP/1.1\r\n" % target)
                assert sent.lower().count(b"\r\nhost: ") == 1
                assert b"\r\nhost: town\r\n" in sent.lower()

    run(scenario)


def test_for_whom_nobody_knows_nothing_is_passed_on_and_nothing_waited_for(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with led(server) as leader, following(server, tmp_path) as one:
            unknown = {"Authorization": "Bearer sy_dispatcher_00000000_x"}
            refused = await one.call(headers=unknown)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
            assert not leader.asked
            began_s = time.monotonic()
            ahead = {**unknown, "x-kuaijing-seq": "999999"}
            assert (await one.http.get("/healthz", headers=ahead)).status_code == 200
            assert time.monotonic() - began_s < following_module.REACH_S

    run(scenario)


def test_what_a_follower_can_answer_it_answers(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with led(server) as leader, following(server, tmp_path) as one:
            assert (await one.http.get("/v1/units")).status_code == 200
            asked = await one.http.post("/v1/recommendations", json=CALL)
            assert asked.status_code == 200
            assert asked.json()["candidates"]
            sent = await one.http.post("/v1/positions", json=[])
            assert sent.status_code == 200
            assert not leader.asked

    run(scenario)


def test_a_link_that_breaks_in_the_middle_is_not_tried_again_without_a_key(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with led(server, CLOSED) as leader, following(server, tmp_path) as one:
            lost = await one.call()
            assert (lost.status_code, lost.json()["code"]) == (503, "outcome_unknown")
            assert len(leader.asked) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/v1/incidents", {"Idempotency-Key": "k1"}), ("/v1/assignments/A1/arrive", {})],
    ids=["with a key", "a crew's step"],
)
def test_a_link_that_breaks_is_tried_again_where_that_does_nothing_twice(
    server: RedisServer, tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    async def scenario() -> None:
        # The first is still being carried out when it comes again.
        answers = (CLOSED, IN_PROGRESS, DONE % 0)
        async with led(server, *answers) as leader, following(server, tmp_path) as one:
            done = await one.http.post(path, json=CALL, headers=headers)
            assert done.status_code == 201, done.text
            assert len(set(leader.asked)) == 1
            assert len(leader.asked) == 3

    run(scenario)


def test_between_machines_a_leader_is_believed_whose_certificate_is_signed(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "LEADER_WITHIN_S", 0.3)
    files = make_ca(tmp_path / "tls", [], now=utc_now())
    signed = client_context(files.cert.with_name("ca.crt"))

    async def scenario() -> None:
        tls = server_context(files, now=utc_now())
        async with led(server, DONE % 0, tls=tls) as leader:
            async with following(server, tmp_path / "a", verify=signed) as one:
                assert (await one.call()).status_code == 201
            async with following(server, tmp_path / "b") as stranger:
                await led_as_far_as_it_knows(stranger)
                refused = await stranger.call()
                assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
                assert "was not reached at https://127.0.0.1" in refused.json()["detail"]
            assert len(leader.asked) == 1

    run(scenario)


def test_a_leader_that_sleeps_is_not_waited_for_once_another_leads(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with led(server, SILENT) as sleeper, following(server, tmp_path) as one:
            call = asyncio.ensure_future(one.call(headers={"Idempotency-Key": "k1"}))
            while not sleeper.asked:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
            async with led(server, DONE % 0) as another:
                server.ask("HSET", "kuaijing:{city}:meta", "epoch", 7)
                done = await asyncio.wait_for(call, ANSWER_S / 2)
                assert done.status_code == 201, done.text
                (there,), (here,) = sleeper.asked, another.asked
                assert here.partition(b"\r\n\r\n")[2] == there.partition(b"\r\n\r\n")[2]

    run(scenario)


def test_a_request_that_was_passed_on_goes_no_further(server: RedisServer, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with led(server, DONE % 0) as leader, following(server, tmp_path) as one:
            refused = await one.among_peers.post("/v1/incidents", json=CALL)
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert refused.headers["x-kuaijing-not-leading"] == "1"
            assert not leader.asked

    run(scenario)


def test_an_answer_waits_for_the_board_to_show_it_within_a_bound(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "REACH_S", 0.3)

    async def scenario() -> None:
        async with led(server, DONE % 5) as leader, following(server, tmp_path) as one:
            began = time.monotonic()
            done = await one.call()
            assert time.monotonic() - began >= 0.3
            assert (done.status_code, done.headers["x-kuaijing-seq"]) == (201, "5")
            assert done.headers["x-kuaijing-degraded"] == "feed_behind"
            assert len(leader.asked) == 1
            # Whoever was answered by another worker is waited for likewise.
            seen = await one.http.get("/v1/units", headers={"x-kuaijing-seq": "5"})
            assert (seen.status_code, seen.headers["x-kuaijing-degraded"]) == (200, "feed_behind")
            now = await one.http.get("/v1/units", headers={"x-kuaijing-seq": "a lot"})
            assert now.status_code == 200

    run(scenario)


def test_a_worker_that_stops_says_what_it_knows_before_it_is_cut_off(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with led(server, SILENT) as leader, following(server, tmp_path) as one:
            await led_as_far_as_it_knows(one)
            began = time.monotonic()
            call = asyncio.ensure_future(one.call(headers={"Idempotency-Key": "k1"}))
            read = asyncio.ensure_future(one.http.get("/v1/units", headers={"x-kuaijing-seq": "5"}))
            while not leader.asked:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
            assert one.service.runner.following is not None
            one.service.runner.following.released.set()
            lost, seen = await call, await read
            assert (lost.status_code, lost.json()["code"]) == (503, "outcome_unknown")
            assert (seen.status_code, seen.headers["x-kuaijing-degraded"]) == (200, "feed_behind")
            late = await one.call()
            assert (late.status_code, late.json()["code"]) == (503, "store_unavailable")
            # Within what a stop in order gives to open connections.
            assert time.monotonic() - began < GRACEFUL_S

    run(scenario)


def test_without_a_leader_a_call_waits_for_one_and_then_says_so(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "LEADER_WITHIN_S", 0.3)

    async def scenario() -> None:
        async with following(server, tmp_path) as one:
            # Nobody listens where the leader should be: nothing was sent, so that it may be tried.
            server.ask("SET", LEADER, "0f http://127.0.0.1:1", "PX", 60_000)
            none = await one.call()
            assert (none.status_code, none.json()["code"]) == (503, "store_unavailable")
            assert int(none.headers["retry-after"]) > 0

    server.ask("SET", LEADER, "somebody", "PX", 60_000)
    run(scenario)


def test_a_call_that_waits_is_served_here_when_this_worker_takes_the_lead(
    server: RedisServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with following(server, tmp_path) as one:
            call = asyncio.ensure_future(one.call())
            await asyncio.sleep(0.5)
            server.ask("DEL", LEADER)
            done = await call
            assert done.status_code == 201, done.text
            assert done.headers["x-kuaijing-seq"] == str(one.service.runner.durable_seq)
            ready = (await one.http.get("/readyz")).json()
            assert ready["role"] == "leader"

    server.ask("SET", LEADER, "0f http://127.0.0.1:1", "PX", 60_000)
    run(scenario)
