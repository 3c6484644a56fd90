"""Which kernel is taken, and where its compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from routing.roads import Roads
from routing.search.kernels import NO_NUMBA_VARIABLE, choose_kernel, warm_up
from tests.road_graphs import grid_graph

ROOT = Path(__file__).resolve().parents[3]


def test_the_twin_is_taken_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_kernel().COMPILED
    assert not choose_kernel(python_twin=True).COMPILED
    monkeypatch.setenv(NO_NUMBA_VARIABLE, "1")
    assert not choose_kernel().COMPILED
    assert not Roads(grid_graph(2, 2)).compiled
    monkeypatch.setenv(NO_NUMBA_VARIABLE, "0")
    assert choose_kernel().COMPILED


def test_both_kernels_warm_up() -> None:
    for python_twin in (False, True):
        warm_up(choose_kernel(python_twin=python_twin))


def compiled_folder(**environment: str) -> Path:
    """The folder that a fresh process chooses for compiled code."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import routing.search.compiled, numba; print(numba.config.CACHE_DIR)",
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return Path(told.stdout.strip())


def test_compiled_code_is_kept_in_the_users_cache(tmp_path: Path) -> None:
    named = compiled_folder(KUAIJING_CACHE_DIR=str(tmp_path))
    assert named.parent == tmp_path
    assert named.name.startswith("searches-")
    (tmp_path / "file").write_text("", encoding="utf-8")
    # A cache folder that cannot be made: a private one for this process, not a crash.
    private = compiled_folder(KUAIJING_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert private.name.startswith("kuaijing-")
    private.rmdir()
