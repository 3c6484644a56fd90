"""The supervisor goes on where a worker cannot be started now."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from api.workers import supervisor
from api.workers.supervisor import Supervisor

OPTIONS = ("city", "network", "tls_cert", "tls_key", "peer_host", "peer_ca")


def test_a_machine_without_room_for_a_process_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    start = asyncio.create_subprocess_exec

    async def no_room_at_first(*_command: str, **_given: Any) -> asyncio.subprocess.Process:
        tried.append(1)
        if len(tried) == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        one.stop()
        return await start(sys.executable, "-c", "import time; time.sleep(600)")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", no_room_at_first)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.0)
    given = dict.fromkeys(OPTIONS)
    args = argparse.Namespace(
        **given, data=tmp_path, store="redis://x", workers=1, behind_proxy=False, demo=False
    )
    with socket.socket() as listener:

        async def scenario() -> int:
            nonlocal one
            one = Supervisor(args, listener)
            return await asyncio.wait_for(one.run(), 60)

        one: Supervisor
        assert asyncio.run(scenario()) == 0
    assert len(tried) == 2
