"""The process that `--workers` starts: it binds the socket, keeps the workers alive, and no more.

It holds the folder for all of them and hands the bound socket down. A worker that ends is started
again, as a follower. When this process dies, whatever the way, its workers see the end of a pipe
that only it can write to, and stop.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import structlog

from api.addresses import (
    check_address,
    is_loopback,
    listening_socket,
    tls_context,
    url_of,
)
from api.errors import (
    EXIT_DATA_MISSING,
    EXIT_DONE,
    EXIT_USAGE,
    AddressRefused,
    TlsRefused,
)
from api.log import configure_log
from api.storing import check_shared
from api.tls import client_context
from api.wanted import Wanted, prepare_folder
from dispatch.store.folder_lock import FolderLock

ROOT = Path(__file__).resolve().parents[2]

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
"""Before a worker is started again; doubled from the one to the other while it does not last."""

STEADY_S = 30.0
"""A worker that lasted so long is started again at once."""

STOP_WITHIN_S = 8.0
"""How long workers may take to stop in order: 3 s for open connections, the rest for the log."""

FOR_GOOD = frozenset({EXIT_USAGE, EXIT_DATA_MISSING})
"""Exit codes of a worker whose reason stays: it is not started again, and all others stop."""


def supervise(args: argparse.Namespace) -> int:
    """Serves with several processes until SIGTERM or SIGINT; returns the exit code.

    Raises:
        StartError: What was asked for cannot be.
        StoreLocked: Another service works on the folder.
    """
    check_shared(args.store)
    tls = tls_context(args) is not None
    check_address(args.host, behind_proxy=args.behind_proxy, tls=tls)
    check_peer(args, tls=tls)
    wanted = Wanted(data_dir=args.data, city=args.city, network=args.network, store=args.store)
    configure_log(prepare_folder(wanted).logging)
    lock = FolderLock.take(args.data)
    try:
        with listening_socket(args.host, args.port) as listener:
            log = structlog.get_logger("supervisor")
            log.info(
                "starting", workers=args.workers, url=url_of(listener, "https" if tls else "http")
            )
            return asyncio.run(Supervisor(args, listener).run())
    finally:
        lock.release()


def check_peer(args: argparse.Namespace, *, tls: bool) -> None:
    """Makes sure that workers reach each other, and nobody listens in.

    Raises:
        AddressRefused: The peers' address is open to a network without TLS, or is none.
        TlsRefused: There is TLS, and nothing that the peers' certificates are checked with.
    """
    host = args.peer_host
    if host is None or is_loopback(host):
        if args.peer_ca is not None:
            raise TlsRefused("--peer-ca goes with --peer-host: on this machine peers need no TLS")
        return
    check_address(host, behind_proxy=args.behind_proxy, tls=tls, option="--peer-host")
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # refused
        raise AddressRefused(
            f"--peer-host {host} is no address that others can reach: give this machine's own"
        )
    if tls and args.peer_ca is None:
        raise TlsRefused(
            "--peer-host with TLS needs --peer-ca FILE: who signed the certificates of the other"
            " machines (ca.crt of kuaijing tls make-ca)"
        )
    if args.peer_ca is not None:
        client_context(args.peer_ca)


class Supervisor:
    """Keeps workers running until told to stop."""

    def __init__(self, args: argparse.Namespace, listener: socket.socket) -> None:
        self._args = args
        self._listener = listener
        self._stopping = asyncio.Event()
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._exit_code = EXIT_DONE
        self._log = structlog.get_logger("supervisor")

    async def run(self) -> int:
        """Runs until it is told to stop, or a worker ends for good; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        alive, held = os.pipe()
        with closing(os.fdopen(alive)), closing(os.fdopen(held, "w")):
            workers = [
                asyncio.create_task(self._keep(number, alive))
                for number in range(1, self._args.workers + 1)
            ]
            await self._stopping.wait()
            _, late = await asyncio.wait(workers, timeout=STOP_WITHIN_S)
            if late:
                self._log.warning("workers_killed", workers=sorted(self._running))
                self._send(signal.SIGKILL)
            await asyncio.gather(*workers)
        return self._exit_code

    async def _keep(self, number: int, alive: int) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                process = await self._start(number, alive)
            except OSError as error:
                # No room for a process now: were this to end here, the worker never came back.
                self._log.error("worker_not_started", worker=number, why=str(error))
                pause_s = await self._pause(pause_s)
                continue
            if self._stopping.is_set():
                # Told to stop while it was being started.
                process.terminate()
            code = await process.wait()
            del self._running[number]
            if self._stopping.is_set():
                return
            if code in FOR_GOOD:
                self._exit_code = code
                self.stop()
                return
            if time.monotonic() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            self._log.warning("worker_ended", worker=number, exit_code=code, again_in_s=pause_s)
            pause_s = await self._pause(pause_s)

    async def _pause(self, pause_s: float) -> float:
        """Waits before a worker is started again; how long the next time."""
        await _unless(self._stopping, pause_s)
        return min(2 * pause_s, LONGEST_PAUSE_S)

    async def _start(self, number: int, alive: int) -> asyncio.subprocess.Process:
        listener = self._listener.fileno()
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "api.workers", "--number", str(number)),
            *("--listener", str(listener), "--alive", str(alive)),
            *_options(self._args, number),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            pass_fds=(listener, alive),
            stdin=asyncio.subprocess.DEVNULL,
        )
        self._running[number] = process
        return process

    def stop(self) -> None:
        """Ends all workers in order; `run` returns when they have ended."""
        self._stopping.set()
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(number)


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Waits, but not longer than until the event is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _options(args: argparse.Namespace, number: int) -> Sequence[str]:
    """What a worker has to know, as its command line."""
    given = {
        "--data": args.data,
        "--store": args.store,
        "--city": args.city,
        "--network": args.network,
        "--tls-cert": args.tls_cert,
        "--tls-key": args.tls_key,
        "--peer-host": args.peer_host,
        "--peer-ca": args.peer_ca,
    }
    options = [part for name, value in given.items() if value for part in (name, str(value))]
    if args.behind_proxy:
        options.append("--behind-proxy")
    if args.demo and number == 1:
        # One of them drives the traffic; started again, it goes on with it.
        options.append("--demo")
    return options
