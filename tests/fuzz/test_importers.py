"""Files from outside never crash, hang or fill an importer: they are taken, or refused in words.

Some runs of each by default, a minute in all with `KUAIJING_LONG=1`. See `importers.py` beside it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import osmium
import pytest

from platforms.city_files import CITY_FILES, save_city
from routing.network_file import save_network
from routing.osm.importer import import_network
from tests.fuzz.importers import MAX_BYTES, TARGETS
from tests.osm_drawing import Drawing
from tests.small_city import small_city

LONG = os.environ.get("KUAIJING_LONG", "") not in ("", "0")
SECONDS_EACH, RUNS_EACH = (5, -1) if LONG else (60, 150)
"""Counted and not timed at each commit: a busy machine must not make it a smaller test."""

SEED = 0 if LONG else 1
"""0: another one each time."""
PROGRAM = Path(__file__).with_name("importers.py")


def drawing() -> Drawing:
    """A crossing with a signal, a one-way, a speed limit and a forbidden turn."""
    drawn = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 100, 100)):
        drawn.node(osm_id, x_m, y_m, **({"highway": "traffic_signals"} if osm_id == 2 else {}))
    drawn.way(10, [1, 2, 3], name="红旗路", maxspeed="40")
    drawn.way(11, [2, 4], oneway="yes", name="宝庆路")
    return drawn


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A folder with sound files for every target."""
    xml = drawing().save(tmp_path / "seed.osm")
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "1").write_bytes(xml.read_bytes())
    (tmp_path / "gzip").mkdir()
    (tmp_path / "gzip" / "1").write_bytes(gzip.compress(xml.read_bytes()))
    (tmp_path / "pbf").mkdir()
    # Unpacked blobs let a changed byte reach what is inside them.
    for number, packing in enumerate(("none", "zlib")):
        path = tmp_path / f"{packing}.osm.pbf"
        to = osmium.io.File(str(path), f"pbf,pbf_compression={packing}")
        with osmium.SimpleWriter(to) as writer:
            for entity in osmium.FileProcessor(str(xml)):
                writer.add(entity)
        (tmp_path / "pbf" / str(number)).write_bytes(path.read_bytes())
    save_city(small_city(), tmp_path / "small")
    (tmp_path / "city").mkdir()
    for number, name in enumerate(sorted(CITY_FILES)):
        content = bytes([number]) + (tmp_path / "small" / name).read_bytes()
        (tmp_path / "city" / name).write_bytes(content[:MAX_BYTES])
    (tmp_path / "area").mkdir()
    ring = [[111.0, 27.0], [111.1, 27.0], [111.1, 27.1], [111.0, 27.0]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    (tmp_path / "area" / "1").write_text(json.dumps(outline), encoding="utf-8")
    (tmp_path / "network").mkdir()
    save_network(*import_network(xml, allow_pieces=True), tmp_path / "network" / "1")
    return tmp_path


@pytest.mark.parametrize("by_chance", [False, True], ids=["guided", "by-chance"])
@pytest.mark.parametrize("target", TARGETS)
def test_whatever_the_bytes_an_importer_takes_them_or_says_why_not(
    seeds: Path, target: str, by_chance: bool
) -> None:
    bounds = [str(number) for number in (SECONDS_EACH, RUNS_EACH, SEED)]
    # Both find what the other does not in the same time.
    done = subprocess.run(
        [sys.executable, str(PROGRAM), target, str(seeds / target), *bounds],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS_EACH + 120,
        env={**os.environ, "FUZZ_BY_CHANCE": "1" if by_chance else ""},
        check=False,
    )
    kept = [path.name for path in (seeds / target).glob("*-*") if path.name[:5] in NAMES]
    assert (done.returncode, kept) == (0, []), done.stdout[-2_000:] + done.stderr[-3_000:]
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert runs is not None, done.stderr[-2_000:]
    assert int(runs[1]) > 20


NAMES = ("crash", "timeo", "oom-", "leak-", "slow-")
