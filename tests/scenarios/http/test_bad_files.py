"""Broken networks and cities: refused in words, with an exit code, and nothing half-written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.scenarios.http.process import ROOT, ServiceProcess, kuaijing

STAND_IN = ROOT / "data" / "osm" / "shaoyang-stand-in.osm.pbf"
SHAOYANG = ROOT / "data" / "shaoyang"

ISLANDS = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="test">
{nodes}
{ways}
</osm>
"""


def islands(path: Path, *, count: int) -> Path:
    """Towns of 10 x 10 streets with the sea between them; none for count 0."""
    nodes, ways = [], []
    for island in range(count):
        for row in range(10):
            for column in range(10):
                number = 1 + island * 100 + row * 10 + column
                lon, lat = 111.4 + island + column / 1000, 27.2 + row / 1000
                nodes.append(f'<node id="{number}" version="1" lon="{lon:.6f}" lat="{lat:.6f}"/>')
        for line in range(10):
            for step, first in ((1, line * 10), (10, line)):
                refs = "".join(
                    f'<nd ref="{1 + island * 100 + first + n * step}"/>' for n in range(10)
                )
                ways.append(
                    f'<way id="{1 + island * 20 + line * 2 + (step == 10)}" version="1">{refs}'
                    '<tag k="highway" v="residential"/></way>'
                )
    path.write_text(ISLANDS.format(nodes="\n".join(nodes), ways="\n".join(ways)))
    return path


def refused(source: Path, out: Path) -> str:
    """Import something that is no network; returns what was said."""
    done = kuaijing("roads", "import", source, "--out", out)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert list(out.parent.glob(f"{out.name}*")) == [], "something half-written is left"
    return done.stderr


def test_a_sound_small_network_is_taken(tmp_path: Path) -> None:
    source = islands(tmp_path / "one.osm", count=1)
    done = kuaijing("roads", "import", source, "--out", tmp_path / "one.roads", "--json")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


@pytest.mark.parametrize("share", [0.03, 0.5, 0.999])
def test_a_truncated_pbf(tmp_path: Path, share: float) -> None:
    whole = STAND_IN.read_bytes()
    source = tmp_path / "torn.osm.pbf"
    source.write_bytes(whole[: int(len(whole) * share)])
    assert "torn.osm.pbf" in refused(source, tmp_path / "torn.roads")


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    source = tmp_path / "letter.osm.pbf"
    source.write_bytes(b"Dear Sir or Madam, " * 1000)
    refused(source, tmp_path / "letter.roads")


def test_an_empty_network(tmp_path: Path) -> None:
    refused(islands(tmp_path / "empty.osm", count=0), tmp_path / "empty.roads")


def test_a_network_in_two_pieces(tmp_path: Path) -> None:
    source = islands(tmp_path / "two.osm", count=2)
    said = refused(source, tmp_path / "two.roads")
    assert "--allow-pieces" in said, "the message says how to mend it"
    taken = kuaijing("roads", "import", source, "--out", tmp_path / "two.roads", "--allow-pieces")
    assert taken.returncode == 0, taken.stderr


def test_a_missing_file(tmp_path: Path) -> None:
    done = kuaijing("roads", "import", tmp_path / "none.osm.pbf", "--out", tmp_path / "x.roads")
    assert done.returncode in (1, 4)
    assert "none.osm.pbf" in done.stderr


def test_a_city_that_names_a_platform_off_the_network(tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(SHAOYANG, city)
    path = city / "platforms.geojson"
    platforms = json.loads(path.read_text(encoding="utf-8"))
    platforms["features"][0]["geometry"]["coordinates"] = [118.0, 24.5]
    name = platforms["features"][0]["properties"]["name"]
    path.write_text(json.dumps(platforms, ensure_ascii=False), encoding="utf-8")

    service = ServiceProcess(tmp_path / "data", "--city", city)
    try:
        with pytest.raises(AssertionError, match="ended at start"):
            service.start()
        assert name in service.log_text
        assert "Traceback" not in service.log_text
    finally:
        service.stop()


def test_a_city_with_a_broken_file_is_refused_by_file_and_line(tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(SHAOYANG, city)
    units = city / "units.csv"
    lines = units.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace("response_car", "zeppelin").replace("motorcycle", "zeppelin")
    lines[5] = lines[5].replace("command_vehicle", "zeppelin")
    units.write_text("\n".join(lines) + "\n", encoding="utf-8")
    service = ServiceProcess(tmp_path / "data", "--city", city)
    try:
        with pytest.raises(AssertionError, match="ended at start"):
            service.start()
        assert "units.csv" in service.log_text
        assert "6" in service.log_text
    finally:
        service.stop()


def test_a_source_file_given_as_network_says_to_import_it(tmp_path: Path) -> None:
    service = ServiceProcess(tmp_path / "data", "--network", STAND_IN)
    try:
        with pytest.raises(AssertionError, match="ended at start"):
            service.start()
        assert "roads import" in service.log_text
    finally:
        service.stop()


def test_an_open_address_is_refused(tmp_path: Path) -> None:
    service = ServiceProcess(tmp_path / "data", "--host", "0.0.0.0")
    try:
        with pytest.raises(AssertionError, match="ended at start"):
            service.start()
        assert "--behind-proxy" in service.log_text
    finally:
        service.stop()
