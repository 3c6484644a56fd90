"""`kuaijing city sketch|check`: exit codes, reports, and what is never written over."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from platforms import limited_check
from platforms.city_files import load_city, save_city
from platforms.cli import register
from routing.network_file import save_network
from routing.osm.importer import import_network
from tests.small_city import small_city


@pytest.fixture(scope="module")
def network(helsinki_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "helsinki.net"
    save_network(*import_network(helsinki_pbf, allow_pieces=True), path)
    return path


def run(*args: object) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    parsed = parser.parse_args(["city", *map(str, args)])
    return int(parsed.run(parsed))


def sketch(network: Path, out: Path, *more: object) -> int:
    return run("sketch", "--network", network, "--platforms", 4, "--out", out, *more)


def test_a_sketch_is_written_and_passes_the_check(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sketch(network, tmp_path / "a" / "city", "--name", "赫尔辛基", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["city"], report["platforms"], report["units"]) == ("赫尔辛基", 4, 28)
    assert report["key_sites"] >= 60
    assert report["synthetic"] is True
    assert run("check", tmp_path / "a" / "city", "--network", network) == 0
    out = capsys.readouterr()
    assert "赫尔辛基 (synthetic): 1 areas, 4 platforms" in out.out
    assert out.err == ""


def test_only_a_sketch_is_written_over_and_only_when_forced(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "city"
    out.mkdir()
    assert sketch(network, out) == 0
    before = load_city(out)
    assert sketch(network, out, "--seed", 2) == 1
    assert "--force" in capsys.readouterr().err
    assert load_city(out) == before
    assert sketch(network, out, "--seed", 2, "--force") == 0
    assert load_city(out) != before


@pytest.mark.parametrize("held", ["a real city", "notes", "broken city.json", "a file"])
def test_force_does_not_reach_what_no_sketch_made(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], held: str
) -> None:
    out = tmp_path / "city"
    if held == "a real city":
        save_city(small_city(), out)
    elif held == "a file":
        out.write_text("mine", encoding="utf-8")
    else:
        out.mkdir()
        name = "notes.txt" if held == "notes" else "city.json"
        (out / name).write_text("mine", encoding="utf-8")
    assert sketch(network, out, "--force") == 1
    assert "did not make" in capsys.readouterr().err
    kept = out if held == "a file" else next(iter(sorted(out.iterdir())))
    assert kept.exists()


def test_missing_data_is_exit_code_4(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sketch(tmp_path / "no.net", tmp_path / "city") == 4
    assert run("check", tmp_path / "nowhere", "--network", network) == 4
    assert "kuaijing city sketch" in capsys.readouterr().err
    assert not (tmp_path / "city").exists()


def test_a_failed_check_is_exit_code_1_and_names_the_line(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_city(small_city(), tmp_path / "city")
    assert run("check", tmp_path / "city", "--network", network) == 1
    assert "platform P01 西1号" in capsys.readouterr().err
    (tmp_path / "city" / "units.csv").write_text("unit\n", encoding="utf-8")
    assert run("check", tmp_path / "city", "--network", network) == 1
    assert "units.csv line 1" in capsys.readouterr().err


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    needed = ("sketch", "--network", "x", "--out", "y")
    for args in (("sketch",), (*needed, "--platforms", "0"), (*needed, "--platforms", "ten")):
        with pytest.raises(SystemExit) as caught:
            run(*args)
        assert caught.value.code == 2


def test_a_time_zone_that_no_check_would_pass_is_refused_before_the_sketch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--network", "x", "--out", tmp_path / "city", "--timezone", "Mars/Olympus")
    with pytest.raises(SystemExit) as caught:
        run("sketch", *words)
    assert caught.value.code == 2
    assert "Mars/Olympus is not known" in capsys.readouterr().err


def test_a_folder_that_would_fill_the_memory_is_refused_in_words(
    network: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_city(small_city(), tmp_path / "city")
    # 30 MB of empty lists are 700 MB of Python.
    zones = '{"type": "FeatureCollection", "features": [' + "[]," * 10**7 + "[]]}"
    (tmp_path / "city" / "zones.geojson").write_text(zones, encoding="utf-8")
    tight = replace(limited_check.BOUNDS, memory_bytes=600 * 2**20)
    monkeypatch.setattr(limited_check, "BOUNDS", tight)
    assert run("check", tmp_path / "city", "--network", network) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("kuaijing: ")
    assert "600 MiB of memory" in last
