"""What makes a disk fail: a shim in front of the C library, and a disk that is really small."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SMALL_DISK = "24m"


@pytest.fixture(scope="session")
def fault_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: tests of failing syncs left out")
    library = tmp_path_factory.mktemp("shim") / "fault_shim.so"
    subprocess.run(
        [
            compiler,
            "-shared",
            "-fPIC",
            "-O1",
            "-o",
            str(library),
            str(HERE / "fault_shim.c"),
            "-ldl",
        ],
        check=True,
        timeout=60,
    )
    return library


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    home = tmp_path / "disk"
    home.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("not root: tests on a really full disk left out")
    options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(home)]
    done = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here ({done.stderr.strip()})")
    try:
        yield home
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)
