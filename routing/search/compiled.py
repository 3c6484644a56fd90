"""How the searches are compiled, and where the compiled code is kept.

Numba keeps compiled code beside the source, which an installed system may not allow, and renews it
when the file of the calling function changes, not when a called one in another file does. So it is
told a folder of the user's, named by the content of all that the kernels are made from.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from numba import njit
from numba.core import config as numba_config

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., object])

CACHE_VARIABLE: Final = "KUAIJING_CACHE_DIR"
"""Names the folder for compiled files; else it is `kuaijing` in the user's cache folder."""

_config: Any = numba_config  # numba reads its settings from attributes set at run time

_SOURCES: Final = (
    "search/compiled.py",
    "search/kernel*.py",
    "search/arrays.py",
    "search/street_grid.py",
    "geometry.py",
    "graph.py",
)
"""All that compiled code is made from: it holds the constants of the files it imports."""


def _content_key() -> str:
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in folder.glob(pattern)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    """The folder for this version of the kernels; a private one of this process if need be."""
    named = os.environ.get(CACHE_VARIABLE) or _config.CACHE_DIR
    base = Path(named) if named else _user_cache()
    folder = base / f"searches-{_content_key()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="kuaijing-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="kuaijing-"))


def _user_cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path("~/.cache").expanduser()) / "kuaijing"


_config.CACHE_DIR = str(_cache_folder())


def compiled(function: _FunctionT) -> _FunctionT:
    """Compile a function at its first call and keep the code; it runs without the GIL."""
    return cast("_FunctionT", njit(cache=True, nogil=True)(function))
