"""Runs the service in this process: one event loop, one socket, an orderly end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop

from api.demo_child import DemoChild
from api.errors import EXIT_DONE, AddressRefused, TlsRefused
from api.http.app import create_app
from api.http.connection import BoundedHttp
from api.log import configure_log
from api.opening import Wanted, open_service, prepare_folder
from api.service import Service
from api.tls import ServerFiles, server_context, utc_now
from api.watching import begin_watching, end_watching

GRACEFUL_S = 3
"""How long open connections may finish; streams end by themselves within a second."""

BACKLOG = 2_048


def serve(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
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


def tls_context(args: argparse.Namespace) -> ssl.SSLContext | None:
    """What the command line asks for: TLS, or None.

    Raises:
        TlsRefused: One file without the other, a file that cannot be used, or with --demo.
    """
    if args.tls_cert is None and args.tls_key is None:
        return None
    if args.tls_cert is None or args.tls_key is None:
        raise TlsRefused("--tls-cert and --tls-key go together: the certificate and its key")
    if args.demo:
        raise TlsRefused(
            "--demo does not go with TLS: its simulated crews speak plain HTTP on this machine"
        )
    return server_context(ServerFiles(args.tls_cert, args.tls_key), now=utc_now())


def check_address(host: str, *, behind_proxy: bool, tls: bool) -> None:
    """Makes sure that the service is not open to a network without TLS.

    Raises:
        AddressRefused: The address is not loopback, there is no TLS, and no proxy was promised.
    """
    if behind_proxy or tls or host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise AddressRefused(
            f"--host {host} is not this machine alone, and tokens would travel unencrypted;"
            " give --tls-cert and --tls-key (kuaijing tls make-ca makes both), or put a TLS proxy"
            " in front and add --behind-proxy"
        )


@contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket.

    Raises:
        AddressRefused: The port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise AddressRefused(
                f"{host}:{port} cannot be taken: {error.strerror}; stop what listens there, or"
                " choose another --port"
            ) from error
        yield listener
    finally:
        listener.close()


class _Server(uvicorn.Server):
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
        server = _Server(_config(service, tls))
        # Roads, city and code stay for ever: left out of collections, those take no time from an
        # incident. They took tens of milliseconds each. Not collected first: a start leaves some
        # thousand dead objects, and to look for them takes a third of a second.
        gc.freeze()
        gc.enable()
        _stop_on_signals(service, server)
        url = _url(listener, "http" if tls is None else "https")
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


def _stop_on_signals(service: Service, server: uvicorn.Server) -> None:
    def stop() -> None:
        service.stopping.set()
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _url(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _config(service: Service, tls: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        create_app(service),
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
