"""The `roads` commands through an argument parser, as the program calls them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from routing import cli
from routing.network_file import load_network
from tests.osm_drawing import Drawing


def run(*argv: str | Path) -> int:
    parser = argparse.ArgumentParser(prog="kuaijing")
    cli.register(parser.add_subparsers())
    args = parser.parse_args([str(arg) for arg in argv])
    return int(args.run(args))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    drawn = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 100, 100)):
        drawn.node(osm_id, x_m, y_m)
    drawn.way(10, [1, 2, 3], name="红旗路")
    drawn.way(11, [2, 4])
    return drawn.save(tmp_path / "town.osm")


@pytest.fixture
def network(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "town.net"
    assert run("roads", "import", source, "--out", path) == cli.DONE
    capsys.readouterr()
    return path


def test_import_reports_on_stdout_and_its_progress_on_stderr(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("roads", "import", source, "--out", tmp_path / "a.net", "--json") == cli.DONE
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["report"]["arc_count"] == 6
    assert answer["road_version"] == load_network(tmp_path / "a.net")[0].road_version
    assert "reading roads" in err
    assert "wrote" in err


def test_import_for_people(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("roads", "import", source, "--out", tmp_path / "a.net", "--synthetic") == cli.DONE
    out = capsys.readouterr().out
    assert "SYNTHETIC" in out
    assert "arcs                  6" in out


def test_info(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("roads", "info", network, "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["source_name"] == "town.osm"
    assert run("roads", "info", network) == cli.DONE
    assert "town.osm" in capsys.readouterr().out


def test_export(network: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("arcs.csv", "turns.csv", "net.graphml")]
    options = [
        part
        for pair in zip(("--arcs", "--turns", "--graphml"), files, strict=True)
        for part in pair
    ]
    assert run("roads", "export", network, *options, "--hour", "18") == cli.DONE
    header = files[0].read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("arc,from_node,to_node,")
    assert "response_car_ms" in header
    assert "motorcycle_ms" in files[1].read_text(encoding="utf-8").splitlines()[0]
    assert files[2].stat().st_size > 0


def test_missing_files_are_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.net"
    assert run("roads", "import", tmp_path / "none.osm", "--out", out) == cli.DATA_MISSING
    assert run("roads", "info", tmp_path / "none.net") == cli.DATA_MISSING
    arcs = tmp_path / "arcs.csv"
    assert run("roads", "export", tmp_path / "none.net", "--arcs", arcs) == cli.DATA_MISSING
    assert (
        run("roads", "download", "--polygon", tmp_path / "no.json", "--out", out)
        == cli.DATA_MISSING
    )
    assert list(tmp_path.iterdir()) == []
    assert "does not exist" in capsys.readouterr().err


def test_damaged_files_are_exit_code_1(
    source: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.osm"
    broken.write_bytes(source.read_bytes()[:-20])
    assert run("roads", "import", broken, "--out", tmp_path / "b.net") == cli.FAILED
    assert not (tmp_path / "b.net").exists()
    network.write_bytes(network.read_bytes()[:-200])
    assert run("roads", "info", network) == cli.FAILED
    assert capsys.readouterr().err.count("kuaijing: ") == 2


def test_a_failed_import_keeps_the_old_network(source: Path, network: Path) -> None:
    before = network.read_bytes()
    source.write_bytes(source.read_bytes()[:-20])
    assert run("roads", "import", source, "--out", network) == cli.FAILED
    assert network.read_bytes() == before


def test_a_folder_that_is_missing_is_said_first(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("roads", "import", source, "--out", tmp_path / "no" / "a.net") == cli.FAILED
    err = capsys.readouterr().err
    assert "make it first" in err
    assert "reading" not in err


@pytest.mark.parametrize(
    "argv",
    [
        ["roads"],
        ["roads", "import"],
        ["roads", "import", "a.osm"],
        ["roads", "download", "--out", "a.net"],
        ["roads", "download", "Porto", "--bbox", "1", "2", "3", "4", "--out", "a.net"],
        ["roads", "download", "--bbox", "1", "2", "3", "--out", "a.net"],
        ["roads", "download", "Porto", "--timeout-s", "0", "--out", "a.net"],
        ["roads", "export", "a.net", "--arcs", "a.csv", "--hour", "24"],
    ],
)
def test_bad_usage_is_exit_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(*argv)
    assert left.value.code == cli.USAGE


def test_usage_that_only_the_values_tell(network: Path, tmp_path: Path) -> None:
    assert run("roads", "export", network) == cli.USAGE
    box = ["--bbox", "10", "2", "3", "4"]
    assert run("roads", "download", *box, "--out", tmp_path / "a.net") == cli.USAGE


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, argparse; from routing import cli;"
        "cli.register(argparse.ArgumentParser().add_subparsers());"
        "heavy = {'numpy', 'osmium', 'osmnx', 'shapely', 'scipy'}; print(heavy & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
