"""Whether the service's port can be had."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from api.checkup.finding import Finding, guarded
from dispatch.store.folder_lock import holder_of

LOOPBACK = "127.0.0.1"


def look_at_port(port: int, data_dir: Path | None) -> Iterator[Finding]:
    """One finding: the port is free, or taken, by the folder's own service or by somebody else."""
    yield from guarded("port", lambda: _port(port, data_dir))


def _port(port: int, data_dir: Path | None) -> Finding:
    with socket.socket() as probe:
        # As the service does: what only lingers after an end does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                text = f"{LOOPBACK}:{port} cannot be taken: {error.strerror}"
                return Finding("port", False, text)
        else:
            return Finding("port", True, f"{LOOPBACK}:{port} is free")
    holder = None if data_dir is None or not data_dir.is_dir() else holder_of(data_dir)
    if holder is not None:
        # Which program listens is not asked: it is most likely this one.
        return Finding("port", True, f"{LOOPBACK}:{port} is in use, and process {holder} serves")
    text = f"{LOOPBACK}:{port} is in use: stop what listens there, or serve on another --port"
    return Finding("port", None, text)
