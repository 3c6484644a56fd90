"""The network that ships, compiled once for each machine and then opened in a blink."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import routing
from platforms.shipped import shipped_network
from routing.errors import CompiledMismatch, NetworkMissing
from routing.graph import RoadGraph
from routing.network_file import Manifest, load_network, save_network
from routing.osm.importer import import_network

Say = Callable[[str], None]


def cache_dir() -> Path:
    """Where compiled files are kept: KUAIJING_CACHE_DIR, or the user's cache folder."""
    named = os.environ.get("KUAIJING_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kuaijing"


def open_shipped_network(*, say: Say) -> tuple[RoadGraph, Manifest]:
    """The network that ships; compiled at the first call.

    Args:
        say: Told when it has to be compiled, which takes some seconds.

    Raises:
        NetworkFileError: The source that ships is damaged.
        CityFileError: The installation is not whole.
    """
    source = shipped_network()
    path = compiled_path(source)
    try:
        return load_network(path)
    except (NetworkMissing, CompiledMismatch):
        say("compiling the network that ships, this once")
    graph, report = import_network(source, synthetic=True, progress=say)
    path = _writable(path)
    save_network(graph, report, path)
    return load_network(path)


def compiled_path(source: Path) -> Path:
    """Where the compiled form of a source is kept.

    Named by the content of the source and of the code that compiles it: after an upgrade that
    reads roads in another way an old file is not found, and so never used.
    """
    digest = hashlib.sha256(source.read_bytes())
    for module in sorted(Path(routing.__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return cache_dir() / f"{source.name.partition('.')[0]}-{digest.hexdigest()[:16]}.kjroads"


def _writable(path: Path) -> Path:
    """The path, or one in the temporary folder where the cache cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.access(path.parent, os.W_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="kuaijing-")) / path.name
