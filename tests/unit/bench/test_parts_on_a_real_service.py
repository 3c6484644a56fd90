"""The parts that need a city and a running service, in their shortest form."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.bench.children import run_timed
from api.bench.errors import BenchFailed
from api.bench.ground import Ground, lay_ground
from api.bench.part_decision import run_decision
from api.bench.part_post import run_post
from api.bench.report import Part
from api.errors import DataMissing
from routing.network_file import save_network
from routing.osm.importer import import_network
from routing.roads import Roads


def silent(text: str) -> None:
    del text


@pytest.fixture(scope="module")
def ground(helsinki_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("bench")
    graph, report = import_network(helsinki_pbf, allow_pieces=True)
    save_network(graph, report, folder / "network")
    return Ground(folder, folder / "network", None, None, None)


@pytest.fixture(scope="module")
def roads(ground: Ground) -> Roads:
    return ground.open_roads()


def test_decisions_are_timed_without_a_disk(ground: Ground, roads: Roads) -> None:
    part = Part("decision")

    run_decision(roads, ground.city(silent), rounds=3, part=part, say=silent)

    rows = part.tables[0].rows
    assert {row["units"] for row in rows} == {"parked", "patrolling"}
    assert all(row["samples"] in {3, 6} for row in rows)
    assert [budget.unit for budget in part.budgets] == ["ms", "ms"]


@pytest.mark.crash
def test_incidents_are_posted_beside_their_floor(ground: Ground, roads: Roads) -> None:
    part = Part("post")

    run_post(ground, roads, rounds=2, part=part, say=silent)

    times, processors = part.tables
    assert {row["clients"] for row in times.rows} == {1, 16}
    posted = {row["clients"]: row for row in times.rows if row["what"] == "durable POST"}
    assert posted[1]["samples"] == 2
    assert posted[16]["samples"] == 64
    assert all(row["incidents without a free unit"] == 0 for row in processors.rows)
    assert len(part.budgets) == 3


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"town\.net"):
        lay_ground(tmp_path / "town.net", tmp_path, silent)


def test_a_child_that_fails_tells_why(tmp_path: Path) -> None:
    with pytest.raises(BenchFailed, match="unrecognized"):
        run_timed(("ls", "--no-such-option"), tmp_path)
