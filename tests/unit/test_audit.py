"""The audit of dependencies: fails on a weakness, and never passes for done when it was not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

HOME = Path(__file__).resolve().parents[2]
SOUND = {"dependencies": [{"name": "fastapi", "version": "1", "vulns": []}], "fixes": []}
WEAK_ROW = {"id": "CVE-1", "fix_versions": ["2"], "description": "bad"}
WEAK = {"dependencies": [{"name": "fastapi", "version": "1", "vulns": [WEAK_ROW]}], "fixes": []}
UNSEEN = {"dependencies": [{"name": "fastapi", "skip_reason": "no such version"}], "fixes": []}


class _Database(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/pypi/fastapi/1/json"
        body = b'{"vulnerabilities": []}' if known else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A server that knows one version of one package."""
    server = HTTPServer(("127.0.0.1", 0), _Database)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/pypi"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def audited(
    folder: Path, database: str, *options: str, says: str = "", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """The audit in a folder where pip-audit is a program that says this."""
    (folder / ".ci").mkdir()
    (folder / "requirements").mkdir()
    (folder / "requirements" / "run.lock").write_text("fastapi==1 \\\n    --hash=sha256:0\n")
    shutil.copy(HOME / ".ci" / "audit", folder / ".ci")
    program = folder / ".venv" / "audit" / "bin" / "pip-audit"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\necho broken line >&2\nexit {code}\n")
    program.chmod(0o755)
    return subprocess.run(
        [sys.executable, folder / ".ci" / "audit", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KUAIJING_AUDIT_DATABASE": database, "no_proxy": "127.0.0.1"},
    )


def test_no_weakness(tmp_path: Path, database: str) -> None:
    done = audited(tmp_path, database, "--if-online", says=json.dumps(SOUND))
    assert (done.returncode, "no known weakness" in done.stdout) == (0, True)


def test_a_weakness_fails_and_is_named(tmp_path: Path, database: str) -> None:
    done = audited(tmp_path, database, "--if-online", says=json.dumps(WEAK), code=1)
    assert done.returncode == 1
    assert "fastapi 1: CVE-1, mended in 2" in done.stdout


@pytest.mark.parametrize(("options", "code"), [(("--if-online",), 0), ((), 1)])
@pytest.mark.parametrize(
    "why", ["offline", "a mirror", "no report", "half a report", "not all looked at"]
)
def test_what_was_not_done_is_said_and_fails_only_when_it_was_asked_for(
    tmp_path: Path, database: str, why: str, options: tuple[str, ...], code: int
) -> None:
    says = {"half a report": '{"dependencies": [', "not all looked at": json.dumps(UNSEEN)}
    urls = {"offline": "http://127.0.0.1:1", "a mirror": f"{database}/simple"}
    done = audited(tmp_path, urls.get(why, database), *options, says=says.get(why, ""), code=1)
    assert done.returncode == code, done.stderr
    assert "DEPENDENCY AUDIT NOT DONE" in done.stdout
    assert "no known weakness" not in done.stdout
