"""One real service for all stories of this folder; each story starts on a quiet board."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.scenarios.http.process import ROOT, ServiceProcess, kuaijing
from tests.scenarios.http.street_map import StreetMap
from tests.scenarios.http.town import Town

STAND_IN = ROOT / "data" / "osm" / "shaoyang-stand-in.osm.pbf"
SHAOYANG_TIME = timezone(timedelta(hours=8))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """The shipped stand-in city, served on a free port of the loopback."""
    # Stories are told by one desk, a hundred times faster than any desk works; and many leave their
    # crews and clocks in a state for which alarms come and go while the next one is told.
    process = ServiceProcess(
        tmp_path_factory.mktemp("http") / "data",
        KUAIJING_LIMITS_REQUESTS_PER_S="100000",
        KUAIJING_ALARMS_URGENT_UNATTENDED_S="86400",
        KUAIJING_ALARMS_UNACKED_GRACE_S="86400",
        KUAIJING_ALARMS_CLOCK_SKEW_S="86400",
    )
    try:
        process.start()
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="session")
def open_town(service: ServiceProcess) -> Iterator[Town]:
    """The served town, whatever state it is in."""
    town = Town(service)
    yield town
    town.close()


@pytest.fixture
def town(open_town: Town) -> Town:
    """The served town with nothing going on."""
    open_town.quiet()
    return open_town


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service of the story's own, not started yet: to be killed and started again."""
    process = ServiceProcess(tmp_path / "data")
    yield process
    process.stop()


@pytest.fixture(scope="session")
def long_form() -> bool:
    """Whether the long form was asked for: KUAIJING_LONG=1."""
    return os.environ.get("KUAIJING_LONG", "") not in ("", "0")


@pytest.fixture(scope="session")
def stand_in_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped stand-in, compiled anew by the command line."""
    network = tmp_path_factory.mktemp("roads") / "stand-in.roads"
    done = kuaijing("roads", "import", "--synthetic", STAND_IN, "--out", network)
    assert done.returncode == 0, done.stderr
    return network


@pytest.fixture(scope="session")
def street_map(stand_in_network: Path) -> StreetMap:
    """The shipped stand-in as its export tells it, with the driving times of this hour."""
    arcs, turns = (stand_in_network.with_suffix(f".{what}.csv") for what in ("arcs", "turns"))
    hour = datetime.now(SHAOYANG_TIME).hour
    done = kuaijing(
        "roads", "export", stand_in_network, "--arcs", arcs, "--turns", turns, "--hour", hour
    )
    assert done.returncode == 0, done.stderr
    return StreetMap(arcs, turns)
