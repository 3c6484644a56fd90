"""A backup taken under load is one moment of the service: put back, it is that moment again."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.scenarios.http.client import eventually
from tests.scenarios.http.process import ServiceProcess, kuaijing
from tests.scenarios.http.town import Town


@contextmanager
def under_load(service: ServiceProcess) -> Iterator[list[str]]:
    """Incidents come in and are closed, as fast as one desk can; gives those that were answered."""
    stop = threading.Event()
    told: list[str] = []

    def work() -> None:
        town = Town(service)
        home = town.home(town.county(0))
        while not stop.is_set():
            incident_id = town.report(home)["incident"]["id"]
            told.append(incident_id)
            town.close_incident(incident_id, release_units=True)
        town.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(timeout=30)


def chain_at(data: Path, seq: int) -> str:
    with closing(sqlite3.connect(data / "log.db")) as connection:
        row = connection.execute("SELECT chain FROM events WHERE seq = ?", (seq,)).fetchone()
        return bytes(row[0]).hex()


def test_a_backup_under_load_is_restored_to_the_same_board(
    own_service: ServiceProcess, tmp_path: Path
) -> None:
    own_service.start()
    manifests = []
    with under_load(own_service) as told:
        eventually(lambda: len(told) >= 5 or None, within_s=30, what="the load began")
        for nth in range(2):
            arguments = ["--data", own_service.data, "--out", tmp_path / f"b{nth}", "--json"]
            done = kuaijing("backup", *arguments)
            assert done.returncode == 0, done.stderr
            manifests.append(json.loads(done.stdout))
        checked = kuaijing("verify", "--data", own_service.data, "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        went_on = len(told)
    assert went_on > 10
    assert own_service.stop() == 0
    assert manifests[0]["seq"] < manifests[1]["seq"], "the service stood still meanwhile"
    for nth, manifest in enumerate(manifests):
        data = tmp_path / f"restored{nth}"
        done = kuaijing("restore", tmp_path / f"b{nth}", "--data", data, "--json")
        assert done.returncode == 0, done.stderr
        # The chain is that of the service at this event, and so is all before it.
        assert chain_at(own_service.data, manifest["seq"]) == manifest["chain"]
        assert json.loads(done.stdout)["chain"] == manifest["chain"]
        replayed = json.loads(kuaijing("replay", "--data", data, "--json").stdout)
        assert replayed["board_sha256"] == manifest["board_sha256"] is not None
        assert replayed["events"] == manifest["seq"]
        assert replayed["snapshot_agrees"]


def test_a_restored_folder_serves(own_service: ServiceProcess, tmp_path: Path) -> None:
    own_service.start()
    town = Town(own_service)
    incident = town.report(town.home(town.county(0)))["incident"]
    done = kuaijing("backup", "--data", own_service.data, "--out", tmp_path / "backup")
    assert done.returncode == 0, done.stderr
    before = town.events(0)
    town.close()
    own_service.stop()
    kuaijing("restore", tmp_path / "backup", "--data", tmp_path / "restored" / "data")
    restored = ServiceProcess(tmp_path / "restored" / "data")
    try:
        restored.start()
        # The tokens of before hold.
        restored._tokens = own_service._tokens
        town = Town(restored)
        # Its clock goes on where it stood: a crew may have been alerted again.
        assert town.events(0)[: len(before)][:3] == before[:3]
        assert town.incident(incident["id"])["status"] == incident["status"]
        town.report(town.home(town.county(1)))
        town.close()
    finally:
        restored.stop()
    checked = kuaijing("verify", "--data", tmp_path / "restored" / "data", "--json")
    assert checked.returncode == 0, checked.stdout
