"""A reader in a child process: what it returns, what it refuses, and how its limits end it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from routing.limited_child import Bounds, ChildRefused, ChildStopped, run_limited

ROOMY = Bounds(memory_bytes=2**30, cpu_s=20, file_bytes=2**20)


def silent(_line: str) -> None:
    """Says nothing."""


@pytest.fixture
def readers(tmp_path: Path) -> str:
    """Readers of every bad kind, in a module that the child can import."""
    (tmp_path / "readers.py").write_text(
        """
import json, os, signal, sys, time

def echo(**given):
    sys.stderr.write("reading\\n")
    return given

def refuse():
    raise ValueError("line 3 is wrong")

def hoard():
    kept = []
    while True:
        kept.append(bytearray(2**24))

def spin():
    while True:
        pass

def sleep():
    time.sleep(60)

def flood(path):
    with open(path, "wb") as stream:
        while True:
            stream.write(bytes(2**16))

def open_many():
    kept = []
    while True:
        kept.append(open("/dev/null"))

def crash():
    os.kill(os.getpid(), signal.SIGSEGV)

def leave():
    os._exit(7)

def environment():
    return dict(os.environ)

def chatter():
    sys.stderr.write("x" * 100_000 + "\\n")
""",
        encoding="utf-8",
    )
    return str(tmp_path)


@pytest.fixture(autouse=True)
def _importable(readers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.limited_child.ROOT", f"{Path(__file__).parents[3]}:{readers}")


def test_what_the_reader_returns_comes_back_and_what_it_says_is_heard() -> None:
    heard: list[str] = []
    given = {"name": "邵阳", "count": 3, "none": None}
    assert run_limited("readers:echo", given, ROOMY, say=heard.append) == given
    assert heard == ["reading"]


def test_what_the_reader_refuses_is_told_with_its_kind() -> None:
    with pytest.raises(ChildRefused, match="line 3 is wrong") as refused:
        run_limited("readers:refuse", {}, ROOMY, say=silent)
    assert refused.value.kind == "ValueError"


@pytest.mark.parametrize(
    ("target", "bounds", "why"),
    [
        ("hoard", Bounds(memory_bytes=2**28, cpu_s=20, file_bytes=2**20), "256 MiB of memory"),
        ("spin", Bounds(memory_bytes=2**30, cpu_s=1, file_bytes=2**20), "1 s of processor time"),
        ("open_many", ROOMY, "Too many open files"),
        ("crash", ROOMY, "SIGSEGV"),
        ("leave", ROOMY, "exit code 7"),
    ],
)
def test_a_limit_ends_the_child_and_says_which(target: str, bounds: Bounds, why: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(ChildStopped, match=why):
        run_limited(f"readers:{target}", {}, bounds, say=silent)
    assert time.monotonic() - began_s < 15


def test_a_file_grows_only_so_far(tmp_path: Path) -> None:
    path = tmp_path / "flood"
    with pytest.raises(ChildStopped, match="1,048,576 bytes"):
        run_limited("readers:flood", {"path": str(path)}, ROOMY, say=silent)
    assert path.stat().st_size <= 2**20


def test_a_child_that_only_waits_is_ended_too() -> None:
    began_s = time.monotonic()
    with pytest.raises(ChildStopped, match="more than 1 s"):
        run_limited("readers:sleep", {}, ROOMY, say=silent, wall_s=1.0)
    assert time.monotonic() - began_s < 10


def test_the_child_knows_nothing_of_our_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUAIJING_SECRET", "canary")
    seen = run_limited("readers:environment", {}, ROOMY, say=silent)
    assert "canary" not in str(seen)
    assert os.environ["PATH"] == seen["PATH"]


def test_a_long_line_is_cut() -> None:
    heard: list[str] = []
    run_limited("readers:chatter", {}, ROOMY, say=heard.append)
    assert max(map(len, heard)) <= 2_000


def test_a_folder_that_somebody_stands_in_lends_no_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('lent')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("routing.limited_child.ROOT", Path(__file__).parents[3])
    found = run_limited("builtins:dict", {"a": 1}, ROOMY, say=silent)
    assert found == {"a": 1}, sys.path
