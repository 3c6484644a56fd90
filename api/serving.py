"""Runs the service in this process: one event loop, one socket, an orderly end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from api.addresses import check_address, listening_socket, tls_context, url_of
from api.demo_child import DemoChild
from api.errors import EXIT_DONE, SettingsInvalid
from api.http.app import create_app
from api.http.connection import BoundedHttp
from api.log import configure_log
from api.opening import open_service
from api.service import Service
from api.wanted import Wanted, prepare_folder
from api.watching import begin_watching, end_watching

GRACEFUL_S = 3
"""How long open connections may finish; streams end by themselves within a second."""

BACKLOG = 2_048


def serve(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    check_alone(args)
    wanted = Wanted(
        data_dir=args.data,
        city=args.city,
        network=args.network,
        store=args.store,
        behind_proxy=args.behind_proxy,
    )
    tls = tls_context(args)
    check_address(args.host, behind_proxy=args.behind_proxy, tls=tls is not None)
    configure_log(prepare_folder(wanted).logging)
    # Taken first: a port that is in use is told at once, not after the roads are loaded.
    with (
        listening_socket(args.host, args.port) as listener,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_serve(wanted, listener, tls, demo=args.demo))


def check_alone(args: argparse.Namespace) -> None:
    """Makes sure that nothing is asked for that only workers have.

    Raises:
        SettingsInvalid: It is.
    """
    if args.peer_host is not None or args.peer_ca is not None:
        raise SettingsInvalid(
            "--peer-host and --peer-ca are for services that share a log: add --workers N"
        )


class Server(uvicorn.Server):
    """uvicorn's server, with signals left to us: it would raise them again when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures nothing."""
        yield


async def _serve(
    wanted: Wanted, listener: socket.socket, tls: ssl.SSLContext | None, *, demo: bool
) -> int:
    log = structlog.get_logger("serve")
    service = await open_service(wanted, say=lambda text: log.info("opening", text=text))
    try:
        server = Server(server_config(create_app(service), tls))
        leave_out_of_collections()
        stop_on_signals(service, [server])
        url = url_of(listener, "http" if tls is None else "https")
        log.info(
            "serving", url=url, synthetic=list(service.synthetic), seq=service.runner.durable_seq
        )
        watching = begin_watching(service)
        child = await DemoChild.start(service, url) if demo else None
        try:
            await server.serve(sockets=[listener])
        finally:
            await end_watching(service, watching)
            if child is not None:
                await child.stop()
    finally:
        await service.close()
    log.info("stopped", seq=service.runner.durable_seq)
    return EXIT_DONE


def leave_out_of_collections() -> None:
    """Leaves roads, city and code, which stay for ever, out of the collector's rounds.

    They took tens of milliseconds each from an incident. Not collected first: a start leaves some
    thousand dead objects, and to look for them takes a third of a second.
    """
    gc.freeze()
    gc.enable()


def stop_on_signals(service: Service, servers: Sequence[uvicorn.Server]) -> Callable[[], None]:
    """Makes SIGTERM and SIGINT stop the servers in order; returns what does it."""

    def stop() -> None:
        service.stopping.set()
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return stop


def server_config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """How an application is served."""
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        server_header=False,
        # A proxy's word counts with --behind-proxy only, and is read where it is needed.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_S,
    )
    config.load()
    # Checked before the roads were loaded; uvicorn's own reading would ask for a key's password.
    config.ssl = tls
    return config
