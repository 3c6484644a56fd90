"""One worker: serves what the supervisor's socket brings, and takes what others pass on."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import structlog
import uvloop

from api.addresses import is_loopback, listening_socket, tls_context, url_of
from api.clock import now_ms
from api.demo_child import DemoChild
from api.errors import EXIT_DONE, EXIT_FAILED
from api.http.app import create_app
from api.http.passing_on import PeerEntrance
from api.http.peers import Peers
from api.log import configure_log
from api.opening import open_service
from api.service import Service
from api.serving import Server, leave_out_of_collections, server_config, stop_on_signals
from api.settings import Settings
from api.storing import redis_place
from api.tls import client_context
from api.wanted import Wanted, prepare_folder
from api.watching import begin_watching, end_watching
from dispatch.running.following import Following
from dispatch.whereabouts.shared_positions import SharedPositions

LOOPBACK = "127.0.0.1"


def work(args: argparse.Namespace) -> int:
    """Serves until the supervisor says, or ends; returns the exit code."""
    wanted = Wanted(data_dir=args.data, city=args.city, network=args.network, store=args.store)
    settings = prepare_folder(wanted)
    configure_log(settings.logging, worker=args.number)
    with (
        closing(socket.socket(fileno=args.listener)) as listener,
        listening_socket(args.peer_host or LOOPBACK, 0) as peer,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_Worker(args, settings, listener, peer).run())


class _Worker:
    """A service with two sockets: everybody's, and the peers'."""

    def __init__(
        self,
        args: argparse.Namespace,
        settings: Settings,
        listener: socket.socket,
        peer: socket.socket,
    ) -> None:
        self._args = args
        self._settings = settings
        self._listener = listener
        self._peer = peer
        self._tls = tls_context(args)
        # On this machine alone nobody listens in.
        among_peers = args.peer_host is not None and not is_loopback(args.peer_host)
        self._peer_tls = self._tls if among_peers else None
        self._log = structlog.get_logger("worker")

    async def run(self) -> int:
        """Opens, serves, closes."""
        args = self._args
        peer_url = url_of(self._peer, "http" if self._peer_tls is None else "https")
        wanted = Wanted(
            data_dir=args.data,
            city=args.city,
            network=args.network,
            store=args.store,
            behind_proxy=args.behind_proxy,
            peer=peer_url,
        )
        service = await open_service(wanted, say=lambda text: self._log.info("opening", text=text))
        following = service.runner.following
        assert following is not None  # noqa: S101  # a shared store was opened
        async with AsyncExitStack() as stack:
            stack.push_async_callback(service.close)
            service.peers = Peers(verify=self._verify())
            stack.push_async_callback(service.peers.close)
            await stack.enter_async_context(self._sharing_positions(service))
            await self._serve(service, following, peer_url)
        ended = following.ended.is_set()
        self._log.info("stopped", seq=service.runner.durable_seq, why=following.why or None)
        return EXIT_FAILED if ended else EXIT_DONE

    def _verify(self) -> ssl.SSLContext | None:
        ca = self._args.peer_ca
        return None if ca is None else client_context(ca)

    @asynccontextmanager
    async def _sharing_positions(self, service: Service) -> AsyncIterator[None]:
        use = self._settings.redis
        place = redis_place(self._args.store, self._args.data, use)
        shared = SharedPositions(place.address, use.area, service.runner.positions, now_ms)
        await shared.begin()
        try:
            yield
        finally:
            await shared.stop()

    async def _serve(self, service: Service, following: Following, peer_url: str) -> None:
        app = create_app(service)
        public = Server(server_config(app, self._tls))
        among_peers = Server(server_config(PeerEntrance(app), self._peer_tls))
        leave_out_of_collections()
        stop = stop_on_signals(service, [public, among_peers])
        _stop_with_supervisor(self._args.alive, stop)
        url = url_of(self._listener, "http" if self._tls is None else "https")
        self._log.info("serving", url=url, peer=peer_url, seq=service.runner.durable_seq)
        watching = begin_watching(service)
        beside = [
            asyncio.create_task(_stop_when_ended(following, stop)),
            asyncio.create_task(_release_when_stopping(service, following)),
        ]
        # Only now: whoever leads must be reached by the others.
        following.begin()
        child = await DemoChild.start(service, url) if self._args.demo else None
        try:
            await asyncio.gather(
                public.serve(sockets=[self._listener]), among_peers.serve(sockets=[self._peer])
            )
        finally:
            for task in beside:
                task.cancel()
            await end_watching(service, watching)
            if child is not None:
                await child.stop()


async def _stop_when_ended(following: Following, stop: Callable[[], None]) -> None:
    await following.ended.wait()
    structlog.get_logger("worker").error("ending", why=following.why)
    stop()


async def _release_when_stopping(service: Service, following: Following) -> None:
    """Lets nobody wait for longer than open connections are given to finish."""
    await service.stopping.wait()
    following.released.set()


def _stop_with_supervisor(alive: int, stop: Callable[[], None]) -> None:
    """Stops when nobody can write to the pipe any more: the supervisor is gone."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        if os.read(alive, 1) == b"":
            loop.remove_reader(alive)
            stop()

    loop.add_reader(alive, gone)
