"""The part `post`: `POST /v1/incidents` until it is durable, against a floor F of the same moment.

F is a POST that checks its body and does nothing, on a server with the same settings, plus one
fsync of as many bytes as the service writes for an incident. Both are taken in the same iteration
as the measured call, by the same client. With several clients each iteration lets all of them post
to one server, then to the other, each client sending the next request when its reply is here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from statistics import median
from time import sleep

from api.bench.children import Server, free_port, processor_ns, serving
from api.bench.desk_client import CREATED, DeskClient, dispatcher_token, incident_body
from api.bench.disk_floor import DiskFloor, written_bytes
from api.bench.errors import ServiceSilent
from api.bench.field import Say
from api.bench.ground import Ground
from api.bench.load_client import Connection, Reply, drive, request_bytes
from api.bench.part_search import SEED, drivable
from api.bench.part_start import serve_command
from api.bench.post_times import CPU_NOTE, PostTimes, cpu_row, note_pairs, post_budgets, time_rows
from api.bench.report import Cell, Part, Table
from api.bench.scenario import PointDraw
from api.bench.street_points import points_on_beat, street_points
from platforms.city import City
from platforms.city_files import load_city
from routing.roads import Roads

CLIENTS = (1, 16)
_REQUESTS_EACH = 4
"""Requests of each client in one iteration, where there are several clients."""

_WARM_UP = 30
_SIZE_PROBES = 20
_SIZE_UNKNOWN = 16_384
"""Bytes a fsync carries where the system does not tell what a process writes."""

_FIX_EVERY = 200
_SETTLING_S = 0.5
_OWN_LIMITS = {
    # The benchmark is one client that stands for sixteen: its tidying up must not be throttled.
    "KUAIJING_LIMITS_REQUESTS_PER_S": "100000",
    "KUAIJING_LIMITS_REQUESTS_BURST": "100000",
}


class PostBench:
    """Both servers, the disk, and the client that measures."""

    def __init__(self, roads: Roads, city: City, service: Server, noop: Server, token: str) -> None:
        self._draw = PointDraw(roads.graph, drivable(roads), SEED)
        self._graph = roads.graph
        self._service = service
        self._noop = noop
        self._token = token
        self._desk = DeskClient(service.port, token)
        self._fixes = points_on_beat(self._graph, self._draw, city)
        self._keys = count(1)
        self._desk.send_positions(self._fixes)
        self._desk.set_patrolling(self._fixes)

    def sync_size(self) -> int:
        """Bytes that the service writes for one incident, by what the system counts."""
        connection = Connection.open(self._service.port)
        sizes = []
        for number in range(_WARM_UP + _SIZE_PROBES):
            before = written_bytes(self._service.process.pid)
            reply = _created(connection.ask(self._requests(1)[0]))
            after = written_bytes(self._service.process.pid)
            self._desk.cancel([reply])
            if before is None or after is None:
                return _SIZE_UNKNOWN
            if number >= _WARM_UP:
                sizes.append(after - before)
        connection.close()
        return max(int(median(sizes)), 1)

    def measure(self, times: PostTimes, *, iterations: int, floor: DiskFloor, size: int) -> None:
        """Post from so many clients, iteration by iteration; the times go into `times`."""
        ours = [Connection.open(self._service.port) for _ in range(times.clients)]
        others = [Connection.open(self._noop.port) for _ in range(times.clients)]
        each = 1 if times.clients == 1 else _REQUESTS_EACH
        try:
            for number in range(iterations):
                if number % _FIX_EVERY == 0:
                    self._desk.send_positions(self._fixes)
                    # The service puts moved units on the road between requests, as in a city
                    # whose fixes do not come all at once.
                    sleep(_SETTLING_S)
                syncs_ns = [floor.sync_ns(size) for _ in range(each)]
                if number % 2:
                    noop = self._noops(times, others, each)
                    post = self._posts_of(times, ours, each)
                else:
                    post = self._posts_of(times, ours, each)
                    noop = self._noops(times, others, each)
                self._desk.cancel(post)
                note_pairs(times, post, noop, syncs_ns)
        finally:
            for connection in (*ours, *others):
                connection.close()

    def close(self) -> None:
        """Hang up."""
        self._desk.close()

    def _posts_of(self, times: PostTimes, ours: Sequence[Connection], each: int) -> list[Reply]:
        before_ns = processor_ns(self._service.process.pid)
        replies = self._pass(ours, each)
        times.service_cpu_ns += processor_ns(self._service.process.pid) - before_ns
        return replies

    def _noops(self, times: PostTimes, others: Sequence[Connection], each: int) -> list[Reply]:
        before_ns = processor_ns(self._noop.process.pid)
        replies = self._pass(others, each)
        times.noop_cpu_ns += processor_ns(self._noop.process.pid) - before_ns
        return replies

    def _pass(self, connections: Sequence[Connection], each: int) -> list[Reply]:
        replies = drive(connections, [self._requests(each) for _ in connections])
        return [_created(reply) for of_one in replies for reply in of_one]

    def _requests(self, number: int) -> list[bytes]:
        """Requests with places and keys of their own; both servers get the same kind."""
        return [
            request_bytes(
                "POST",
                "/v1/incidents",
                token=self._token,
                body=incident_body(point),
                headers={"Idempotency-Key": f"bench-{next(self._keys)}"},
            )
            for point in street_points(self._graph, self._draw, number)
        ]


def run_post(ground: Ground, roads: Roads, *, rounds: int, part: Part, say: Say) -> None:
    """Start both servers and measure with one client and with sixteen.

    Args:
        ground: The network and its city.
        roads: The same network, for places on its streets.
        rounds: Iterations with one client; with several, as many incidents.
        part: Where the figures go.
        say: Tells the progress.
    """
    rows: list[dict[str, Cell]] = []
    city = ground.city(say)
    data = ground.folder / "post"
    token = dispatcher_token(data, ground.folder)
    port, noop_port = free_port(), free_port()
    noop_command = (sys.executable, "-m", "api.bench.noop_app", str(noop_port))
    with ExitStack() as stack:
        say("post: starting the service and the server that does nothing")
        service = stack.enter_context(
            serving(
                serve_command(ground, city, data, port), ground.folder, port=port,
                ready_path="/readyz", environment=_OWN_LIMITS,
            )
        )  # fmt: skip
        noop = stack.enter_context(
            serving(noop_command, ground.folder, port=noop_port, ready_path="/readyz")
        )
        floor = stack.enter_context(DiskFloor(data / "floor.bench"))
        bench = PostBench(roads, load_city(city), service, noop, token)
        stack.callback(bench.close)
        size = bench.sync_size()
        cpu_rows: list[dict[str, Cell]] = []
        part.tables.append(Table("POST /v1/incidents, durable", rows, _note_on(size)))
        part.tables.append(Table("Processor time of the servers", cpu_rows, CPU_NOTE))
        for clients in CLIENTS:
            iterations = rounds if clients == 1 else -(-rounds // (clients * _REQUESTS_EACH))
            say(f"post: {clients} clients, {iterations} iterations")
            times = PostTimes(clients)
            try:
                bench.measure(times, iterations=iterations, floor=floor, size=size)
            finally:
                rows += time_rows(times)
                cpu_rows.append(cpu_row(times))
                part.budgets += post_budgets(times)


def _created(reply: Reply) -> Reply:
    if reply.status != CREATED:
        text = reply.body.decode(errors="replace")[:500]
        raise ServiceSilent(f"POST /v1/incidents was answered {reply.status}: {text}")
    return reply


def _note_on(size: int) -> str:
    return (
        f"Real servers and clients on this machine. F's fsync carries {size:,} bytes, what the"
        " service writes for an incident. Every POST carries an Idempotency-Key, so that its answer"
        " is stored too; its place is drawn anew. Incidents are cancelled between iterations, not"
        " measured, so that units stay free. With 16 clients each iteration is"
        f" {16 * _REQUESTS_EACH} incidents, 16 at a time."
    )
