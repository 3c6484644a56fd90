"""`kuaijing serve` and its helpers as a shell sees them: one clear line and an exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from platforms.city_files import save_city
from tests.contracts.http_town import town_city

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "api.cli"]
READY_WITHIN_S = 120.0
"""A first start compiles the network and the searches."""


def kuaijing(*words: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=READY_WITHIN_S,
        check=False,
    )


@contextmanager
def serving(
    data: Path, *words: object, verify: ssl.SSLContext | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A real server process on a port of its own; ended when the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*COMMAND, "serve", "--data", str(data), "--port", str(port), *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"{'http' if verify is None else 'https'}://127.0.0.1:{port}"
    try:
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not _ready(url, verify):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline_s, "the service did not get ready"
            time.sleep(0.1)
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _ready(url: str, verify: ssl.SSLContext | None) -> bool:
    try:
        found = httpx.get(f"{url}/readyz", trust_env=False, verify=verify or True)
    except httpx.TransportError:
        return False
    return found.status_code == 200


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of stderr, which is all that a person must read."""
    assert "Traceback" not in done.stderr, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("kuaijing"), done.stderr
    return line


def test_a_token_made_while_it_runs_works_and_a_term_ends_it_gently(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--behind-proxy") as (url, process):
        made = kuaijing("token", "create", "--data", data, "--role", "dispatcher")
        assert made.returncode == 0
        token = made.stdout.strip()
        assert (made.stdout, made.stderr) == (f"{token}\n", "")
        assert token.startswith("sy_dispatcher_")
        nobody = kuaijing(
            "token", "create", "--data", data, "--role", "vehicle", "--unit", "P99-C9"
        )
        assert (nobody.returncode, nobody.stdout) == (2, "")
        assert "has no unit 'P99-C9'" in one_line(nobody)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            assert client.get("/v1/units?limit=1").json()["synthetic"] is True
            # What its proxy says of a browser counts.
            said = {"Origin": url.replace("http:", "https:"), "X-Forwarded-Proto": "https"}
            said["X-Requested-With"] = "kuaijing"
            signed_in = client.post("/v1/session", json={"token": token}, headers=said)
            assert signed_in.status_code == 201, signed_in.text
            assert signed_in.headers["set-cookie"].endswith("; Secure")

            # The folder is taken, and so is the port.
            second = kuaijing("serve", "--data", data, "--port", "0")
            assert second.returncode == 1
            assert str(data) in one_line(second)
            port = url.rsplit(":", 1)[1]
            third = kuaijing("serve", "--data", tmp_path / "other", "--port", port)
            assert third.returncode == 1
            assert port in one_line(third)

            listed = kuaijing("token", "list", "--data", data, "--json")
            (row,) = json.loads(listed.stdout)["items"]
            assert token not in listed.stdout
            gone = kuaijing("token", "revoke", row["id"], "--data", data)
            assert gone.returncode == 0
            assert client.get("/v1/units").status_code == 401
        other = kuaijing("token", "create", "--data", data, "--role", "analyst").stdout.strip()
        headers = {"Authorization": f"Bearer {other}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            assert (data / "open-incidents.html").exists()
            for path in ("/healthz", "/readyz"):
                asked = client.head(path)
                assert (asked.status_code, asked.content) == (200, b"")
                assert int(asked.headers["content-length"]) > 0
            assert client.head("/v1/units").status_code == 405
            # Half a dozen streams and long-polls are open when it is told to stop.
            with ExitStack() as held:
                for path in ("/v1/events/stream", "/v1/events/stream?after=0"):
                    for _ in range(3):
                        stream = held.enter_context(client.stream("GET", path))
                        assert next(stream.iter_lines()) == "retry: 2000"
                waiting = held.enter_context(ThreadPoolExecutor(max_workers=1))
                polled = waiting.submit(client.get, "/v1/events?after=0&wait=25")
                began_s = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=10) == 0
                assert time.monotonic() - began_s < 5
                # Answered, or cut off where it came too late: in either case not left waiting.
                assert polled.exception(timeout=5) is None or isinstance(
                    polled.exception(), httpx.TransportError
                )


def test_a_replay_agrees_with_what_was_served(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as (url, process):
        token = kuaijing("token", "create", "--data", data, "--role", "admin").stdout.strip()
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as client:
            place = client.get("/v1/platforms").json()["items"][0]["location"]
            made = client.post("/v1/incidents", json={"location": place, "category": "help"})
            assert made.status_code == 201
            seq = client.get("/v1/snapshot").json()["seq"]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
    done = kuaijing("replay", "--data", data, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["events"], found["snapshot_agrees"]) == (0, seq, True)


@pytest.mark.parametrize(
    ("words", "exit_code", "named"),
    [
        (("--network", "nowhere.net"), 4, "nowhere.net"),
        (("--city", "nowhere"), 4, "nowhere"),
        (("--store", "elsewhere"), 2, "elsewhere"),
        (("--store", "redis://127.0.0.1/zero"), 2, "zero"),
        (("--host", "0.0.0.0"), 1, "--behind-proxy"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, words: tuple[str, ...], exit_code: int, named: str
) -> None:
    done = kuaijing("serve", "--data", tmp_path / "data", "--port", "0", *words)
    assert (done.returncode, named in one_line(done)) == (exit_code, True), done.stderr


def test_a_network_that_is_none_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.net"
    wrong.write_text("no roads here")
    done = kuaijing("serve", "--data", tmp_path / "data", "--port", "0", "--network", wrong)
    assert done.returncode == 1
    assert str(wrong) in one_line(done)


def test_a_city_that_does_not_fit_the_network_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    save_city(town_city(), folder)
    rows = json.loads((folder / "platforms.geojson").read_text(encoding="utf-8"))
    for feature in rows["features"]:
        feature["geometry"]["coordinates"][0] -= 5.0
    (folder / "platforms.geojson").write_text(json.dumps(rows), encoding="utf-8")
    done = kuaijing("serve", "--data", tmp_path / "data", "--port", "0", "--city", folder)
    assert done.returncode == 4
    assert "city and network do not fit" in one_line(done)
    assert "3 more" in one_line(done)


def test_broken_settings_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[rules]\nack_bnd_s = 3\n", encoding="utf-8")
    done = kuaijing("serve", "--data", tmp_path, "--port", "0")
    assert done.returncode == 2
    assert "ack_bnd_s" in one_line(done)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = kuaijing("serve", "--data", tmp_path / "file" / "data", "--port", "0")
    assert done.returncode == 4
    assert "file" in one_line(done)


@pytest.mark.parametrize(
    "words",
    [
        ("serve",),
        ("serve", "--data", "x", "--port", "70000"),
        ("serve", "--data", "x", "--port", "http"),
        ("token", "create", "--data", "x", "--role", "king"),
        ("nonsense",),
        ("token",),
        (),
    ],
)
def test_wrong_words_are_a_usage_error(words: tuple[str, ...]) -> None:
    done = kuaijing(*words)
    assert done.returncode == 2
    assert "usage: kuaijing" in done.stderr


@pytest.mark.parametrize(("role", "unit"), [("vehicle", ()), ("dispatcher", ("--unit", "P01-C1"))])
def test_tokens_that_make_no_sense(tmp_path: Path, role: str, unit: tuple[str, ...]) -> None:
    done = kuaijing("token", "create", "--data", tmp_path, "--role", role, *unit)
    assert done.returncode == 2
    assert "--unit" in one_line(done)
    assert done.stdout == ""


def test_a_token_for_a_folder_that_is_new_says_so(tmp_path: Path) -> None:
    made = kuaijing("token", "create", "--data", tmp_path / "misspelt", "--role", "analyst")
    assert made.returncode == 0
    assert made.stdout.startswith("sy_analyst_")
    assert "misspelt was not there" in one_line(made)


def test_help_imports_nothing_heavy() -> None:
    heavy = ["numpy", "fastapi", "pydantic", "uvicorn", "shapely", "numba", "osmium", "networkx"]
    code = (
        "import sys, api.cli\n"
        "try:\n    api.cli.main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    assert "serve" in done.stdout


def test_the_doctor_finds_nothing_wrong_here(tmp_path: Path) -> None:
    done = kuaijing("doctor", "--data", tmp_path, "--json")
    findings = {one["what"]: one["ok"] for one in json.loads(done.stdout)["items"]}
    assert done.returncode == 0, done.stdout
    assert {"python", "api", "network", "city", "time zone", "folder"} <= findings.keys()
