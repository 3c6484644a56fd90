"""Imports an OSM file in a limited child process; its network appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from routing import errors
from routing.errors import NetworkFileError, SourceTooCostly
from routing.limited_child import Bounds, ChildRefused, ChildStopped, run_limited
from routing.network_file import Manifest, make_manifest, save_network
from routing.osm.importer import import_network
from routing.whole_file import replacing

TARGET = "routing.osm.limited_import:import_here"
MEMORY_BASE_BYTES = 2**30
MEMORY_PER_SOURCE_BYTE = 100
"""Porto's PBF (3.2 MB) takes 42 bytes of memory for each of its own, over the libraries' 70 MB."""
CPU_BASE_S = 60
CPU_PER_MB_S = 20
"""Porto takes 2.2 s for each MB; a slow machine may take nine times that."""
FILE_BASE_BYTES = 2**28
FILE_PER_SOURCE_BYTE = 100
"""The compiled network is 7 to 27 times as large as its packed source."""


def usual_bounds(
    source: Path, *, memory_bytes: int | None = None, cpu_s: int | None = None
) -> Bounds:
    """What the import of such a file may take.

    Args:
        source: The OSM file; its size decides.
        memory_bytes: Another bound than the usual.
        cpu_s: Another bound than the usual.
    """
    size = source.stat().st_size if source.is_file() else 0
    fair_bytes = MEMORY_BASE_BYTES + MEMORY_PER_SOURCE_BYTE * size
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Bounds(
        memory_bytes=memory_bytes or min(fair_bytes, max(MEMORY_BASE_BYTES, machine_bytes)),
        cpu_s=cpu_s or CPU_BASE_S + CPU_PER_MB_S * size // 10**6,
        file_bytes=FILE_BASE_BYTES + FILE_PER_SOURCE_BYTE * size,
    )


def import_limited(
    source: Path,
    out: Path,
    bounds: Bounds,
    *,
    allow_pieces: bool = False,
    synthetic: bool = False,
    say: Callable[[str], None],
) -> Manifest:
    """Imports a file that may be hostile.

    Args:
        source: An .osm.pbf, .osm or .osm.gz file.
        out: The compiled network to write.
        bounds: What the import may take.
        allow_pieces: Take a network whose second piece is large, instead of refusing it.
        synthetic: The data is invented.
        say: Told what is being done.

    Returns:
        What the network says of itself.

    Raises:
        NetworkFileError: As `import_network`; `SourceTooCostly` where it ran into a bound. The
            old network, if any, stays as it was.
    """
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=out.absolute().parent) as folder:
        draft = Path(folder) / out.name
        arguments = {
            "source": str(source),
            "draft": str(draft),
            "allow_pieces": allow_pieces,
            "synthetic": synthetic,
        }
        manifest = msgspec.convert(_run(source, arguments, bounds, say), Manifest)
        with replacing(out) as temporary:
            draft.replace(temporary)
    return manifest


def import_here(source: str, draft: str, *, allow_pieces: bool, synthetic: bool) -> Any:
    """The child's part: imports, writes the draft, and returns the manifest as JSON's own types."""
    # What `routing.osm.pieces` needs at the end, while there is memory: where it is at its bound,
    # the library's own start does not fail but tries again and again.
    import scipy.sparse.csgraph  # noqa: F401, PLC0415

    graph, report = import_network(
        Path(source), allow_pieces=allow_pieces, synthetic=synthetic, progress=_say
    )
    save_network(graph, report, Path(draft))
    return msgspec.to_builtins(make_manifest(graph, report))


def _run(
    source: Path, arguments: dict[str, Any], bounds: Bounds, say: Callable[[str], None]
) -> Any:
    try:
        return run_limited(TARGET, arguments, bounds, say=say)
    except ChildRefused as refused:
        kind = getattr(errors, refused.kind, None)
        if isinstance(kind, type) and issubclass(kind, NetworkFileError):
            raise kind(*refused.arguments) from refused
        raise SourceTooCostly(
            f"{source} is not imported: the reader failed ({refused.kind}: {refused});"
            " the file is damaged or hostile, fetch it again"
        ) from refused
    except ChildStopped as stopped:
        raise SourceTooCostly(
            f"{source} is not imported: {stopped}. If the file is to be trusted, give more with"
            " --memory-mb or --cpu-s; otherwise fetch it again"
        ) from stopped


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
