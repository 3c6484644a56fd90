"""Real workers of a small town on one Redis server, each with a port of its own to be asked at.

The test does what the supervisor does: binds the socket, holds the pipe, starts again what ends.
Each worker has its own way to the server, which can be cut.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from api.clock import now_ms
from api.tokens import Role, create_token
from platforms.city_files import save_city
from routing.graph import RoadGraph
from routing.graph_hash import content_hash
from routing.network_file import save_network
from routing.osm.import_report import ImportReport
from routing.osm.source_roads import SourceFacts
from tests.contracts.http_town import town_city
from tests.redis_server import RedisServer
from tests.road_graphs import grid_graph
from tests.shell_town import BLOCK_M, COLUMNS, ROWS
from tests.tcp_proxy import Proxy

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 90.0
"""Generous: the machine has other work."""

LOOK_S = 0.05


def eventually(look: Callable[[], bool], *, within_s: float, what: str) -> float:
    """Look until it is so; the seconds that took."""
    began_s = time.monotonic()
    while not look():
        assert time.monotonic() - began_s < within_s, f"not within {within_s:g} s: {what}"
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


class Ways:
    """One way to the server for each worker, kept by an event loop of their own."""

    def __init__(self, target_port: int, count: int) -> None:
        self.proxies: list[Proxy] = []
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(target_port, count), name="ways")
        self._thread.start()
        assert self._ready.wait(10), "no way to the server"

    def cut(self, number: int) -> None:
        """Bytes go nowhere, and nobody is told."""
        self._loop.call_soon_threadsafe(self.proxies[number].stop_forwarding)

    def mend(self, number: int) -> None:
        self._loop.call_soon_threadsafe(self.proxies[number].forward_again)

    def close(self) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=20)
        self._loop.close()

    def _run(self, target_port: int, count: int) -> None:
        self._loop.run_until_complete(self._serve(target_port, count))

    async def _serve(self, target_port: int, count: int) -> None:
        self._stop = asyncio.Event()
        self.proxies = [Proxy(target_port, marked=b"never") for _ in range(count)]
        for proxy in self.proxies:
            await proxy.__aenter__()
        self._ready.set()
        await self._stop.wait()
        for proxy in self.proxies:
            await proxy.__aexit__()


class WorkerProcess:
    """One worker; started again, by itself, when it ends."""

    def __init__(self, number: int, town: Town, redis_port: int) -> None:
        self.number = number
        self._town = town
        self._redis_url = f"redis://127.0.0.1:{redis_port}/0"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._alive, self._held = os.pipe()
        self._log = town.folder / f"worker-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    def start(self) -> None:
        listener = self._listener.fileno()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "api.workers", "--number", str(self.number)),
                    *("--listener", str(listener), "--alive", str(self._alive)),
                    *("--data", str(self._town.data), "--store", self._redis_url),
                    *("--city", str(self._town.city), "--network", str(self._town.network)),
                ],
                cwd=ROOT,
                pass_fds=(listener, self._alive),
                stdout=log,
                stderr=log,
            )

    @property
    def log_text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait_for_end(self, within_s: float) -> int:
        assert self._process is not None
        return self._process.wait(timeout=within_s)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait_for_end(10)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def ready(self) -> bool:
        if self.ended:
            return False
        try:
            found = httpx.get(f"{self.url}/readyz", trust_env=False, timeout=1.0)
        except httpx.TransportError:
            return False
        return found.status_code == 200

    @property
    def leads(self) -> bool:
        """Whether it says that it decides; False while it says nothing."""
        try:
            found = httpx.get(f"{self.url}/readyz", trust_env=False, timeout=1.0)
        except httpx.TransportError:
            return False
        return found.status_code == 200 and found.json().get("role") == "leader"

    def close(self) -> None:
        if not self.ended:
            self.send(signal.SIGCONT)
            self.kill()
        self._listener.close()
        os.close(self._alive)
        os.close(self._held)


class Town:
    """A small town's files, its token for the desk, and its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.city, self.network = folder / "city", folder / "town.net"
        self.workers: list[WorkerProcess] = []
        save_city(town_city(), self.city)
        graph = grid_graph(COLUMNS, ROWS, block_m=BLOCK_M)
        graph = replace(graph, road_version=content_hash(graph))
        save_network(graph, a_report(graph), self.network)
        self.token = create_token(self.data, Role.DISPATCHER, unit_id=None, at_ms=now_ms())

    def client(self, worker: WorkerProcess, *, timeout_s: float = 30.0) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(
            base_url=worker.url, headers=headers, timeout=timeout_s, trust_env=False
        )

    def crew(self, worker: WorkerProcess, unit_id: str) -> httpx.Client:
        token = create_token(self.data, Role.VEHICLE, unit_id=unit_id, at_ms=now_ms())
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=worker.url, headers=headers, timeout=30.0, trust_env=False)

    def wait_ready(self) -> None:
        for worker in self.workers:
            eventually(
                lambda worker=worker: worker.ready,  # type: ignore[misc]
                within_s=READY_WITHIN_S,
                what=f"worker {worker.number} ready",
            )

    def leader(self, *but: WorkerProcess, within_s: float = READY_WITHIN_S) -> WorkerProcess:
        """Whoever leads, other than these."""
        found: list[WorkerProcess] = []

        def look() -> bool:
            found[:] = [one for one in self.workers if one not in but and one.leads]
            return bool(found)

        eventually(look, within_s=within_s, what="somebody leads")
        return found[0]


def a_report(graph: RoadGraph) -> ImportReport:
    """What an import would say of the chessboard."""
    return ImportReport(
        source=SourceFacts("chessboard", "0" * 64, None, "made up for tests"),
        synthetic=True,
        bbox=(
            float(graph.node_lon.min()),
            float(graph.node_lat.min()),
            float(graph.node_lon.max()),
            float(graph.node_lat.max()),
        ),
        node_count=graph.node_count,
        arc_count=graph.arc_count,
        turn_count=0,
        road_m=float(graph.arc_length_m.sum()) / 2,
        road_m_by_class={},
        core_arc_count=graph.arc_count,
        core_share=1.0,
        cut_off_m=0.0,
        second_piece_m=0.0,
        maxspeed_share=0.0,
        named_share=1.0,
        restrictions_used=0,
        restrictions_unused={},
        turns_banned=0,
        bridge_count=0,
        tunnel_count=0,
        signal_count=0,
        barrier_count=0,
        ways_skipped={},
        suspicious=(),
    )


@contextmanager
def worker_town(folder: Path, server: RedisServer, count: int) -> Iterator[tuple[Town, Ways]]:
    """A town with so many workers, ready; all ended when the block ends."""
    town = Town(folder)
    with ExitStack() as stack:
        ways = Ways(server.port, count)
        stack.callback(ways.close)
        for number in range(count):
            worker = WorkerProcess(number + 1, town, ways.proxies[number].port)
            stack.callback(worker.close)
            town.workers.append(worker)
            worker.start()
        town.wait_ready()
        yield town, ways
