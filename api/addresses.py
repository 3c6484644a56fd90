"""Where a service listens: which addresses it may take, and with which TLS."""

from __future__ import annotations

import argparse
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import AddressRefused, TlsRefused
from api.tls import ServerFiles, server_context, utc_now


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


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(host: str, *, behind_proxy: bool, tls: bool, option: str = "--host") -> None:
    """Makes sure that the service is not open to a network without TLS.

    Raises:
        AddressRefused: The address is not loopback, there is no TLS, and no proxy was promised.
    """
    if not behind_proxy and not tls and not is_loopback(host):
        raise AddressRefused(
            f"{option} {host} is not this machine alone, and tokens would travel unencrypted;"
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


def url_of(listener: socket.socket, scheme: str) -> str:
    """The address that a socket is bound to."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
