"""The compiled file: whole or not at all, the same content back, damage found."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from routing import whole_file
from routing.errors import CompiledMismatch, NetworkMissing
from routing.graph import RoadGraph
from routing.graph_hash import array_fields, content_hash
from routing.network_file import load_network, make_manifest, save_network
from routing.osm.import_report import ImportReport
from routing.osm.importer import import_network
from tests.osm_drawing import Drawing

Imported = tuple[RoadGraph, ImportReport]


@pytest.fixture
def town(tmp_path: Path) -> Imported:
    drawn = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 500, 0), (3, 0, 300), (4, 400, 300)):
        drawn.node(osm_id, x_m, y_m)
    drawn.way(10, [1, 2], name="红旗路")
    drawn.way(11, [3, 4], name="宝庆路")
    drawn.way(12, [1, 3], bridge="yes", name="西湖桥")
    return drawn.build(tmp_path)


def same(one: RoadGraph, other: RoadGraph) -> bool:
    arrays = array_fields(other)
    return (one.names, one.road_version) == (other.names, other.road_version) and all(
        values.dtype == arrays[name].dtype and np.array_equal(values, arrays[name])
        for name, values in array_fields(one).items()
    )


def test_what_is_saved_comes_back(town: Imported, tmp_path: Path) -> None:
    graph, report = town
    save_network(graph, report, tmp_path / "town.net")
    loaded, manifest = load_network(tmp_path / "town.net")
    assert same(graph, loaded)
    assert manifest == make_manifest(graph, report)
    assert manifest.road_version == graph.road_version == content_hash(graph)
    assert manifest.report == report
    assert (manifest.licence, manifest.synthetic) == ("ODbL-1.0", False)


def test_loaded_arrays_are_like_built_ones(town: Imported, tmp_path: Path) -> None:
    # Compiled kernels are made for one kind of array: writeable, aligned, contiguous.
    save_network(*town, tmp_path / "town.net")
    loaded, _ = load_network(tmp_path / "town.net")
    for graph in (town[0], loaded):
        for name, values in array_fields(graph).items():
            assert values.flags.carray, name


def test_equal_input_gives_an_equal_file(town: Imported, tmp_path: Path) -> None:
    save_network(*town, tmp_path / "a.net")
    save_network(*town, tmp_path / "b.net")
    assert (tmp_path / "a.net").read_bytes() == (tmp_path / "b.net").read_bytes()


def test_synthetic_data_says_so(town: Imported) -> None:
    graph, report = town
    manifest = make_manifest(graph, dataclasses.replace(report, synthetic=True))
    assert manifest.synthetic
    assert "Synthetic" in manifest.attribution


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: {"arc_length_m": graph.arc_length_m + 0.001},
        lambda graph: {"turn_flags": graph.turn_flags ^ 1},
        lambda graph: {"names": (*graph.names[:-1], "another")},
        lambda graph: {"geom_lonlat": graph.geom_lonlat[:, ::-1]},
    ],
)
def test_any_change_changes_the_version(town: Imported, change: object) -> None:
    graph, _ = town
    assert callable(change)
    assert content_hash(dataclasses.replace(graph, **change(graph))) != graph.road_version


def test_every_flipped_byte_that_matters_is_found(town: Imported, tmp_path: Path) -> None:
    path = tmp_path / "town.net"
    save_network(*town, path)
    whole = path.read_bytes()
    for position in range(0, len(whole), 37):
        content = bytearray(whole)
        content[position] ^= 0x40
        path.write_bytes(content)
        try:
            graph, _ = load_network(path)
        except CompiledMismatch:
            continue
        assert same(graph, town[0])  # the byte was padding


@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(town: Imported, tmp_path: Path, share: float) -> None:
    path = tmp_path / "town.net"
    save_network(*town, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CompiledMismatch):
        load_network(path)


def test_another_format_version_is_named(town: Imported, tmp_path: Path) -> None:
    path = tmp_path / "town.net"
    save_network(*town, path)
    content = bytearray(path.read_bytes())
    content[8] = 99
    path.write_bytes(content)
    with pytest.raises(CompiledMismatch, match=r"format version 99.*import the source again"):
        load_network(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NetworkMissing, match="kuaijing roads import"):
        load_network(tmp_path / "none.net")
    with pytest.raises(CompiledMismatch, match="is not a file"):
        load_network(tmp_path)


def test_a_source_must_be_imported_first(tmp_path: Path) -> None:
    source = tmp_path / "town.osm"
    source.write_text("<osm/>", encoding="utf-8")
    with pytest.raises(CompiledMismatch, match=r"OSM source.*kuaijing roads import FILE --out NET"):
        load_network(source)


def test_a_failed_write_leaves_the_old_file(
    town: Imported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "town.net"
    path.write_bytes(b"old")

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", fail)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="No space"):
        save_network(*town, path)
    assert path.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == before


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_file.replacing(tmp_path / "half") as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_porto_loads_quickly(porto_pbf: Path, tmp_path: Path) -> None:
    path = tmp_path / "porto.net"
    save_network(*import_network(porto_pbf), path)
    times_s = []
    for _ in range(5):
        start_s = time.process_time()  # a busy machine does not count
        load_network(path)
        times_s.append(time.process_time() - start_s)
    assert min(times_s) < 0.15
