"""Files from outside: bounded unpacking, bounded memory and time, nothing half-written."""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

import pytest

from routing import cli
from routing.errors import NetworkMissing, SourceTooCostly, SourceUnreadable
from routing.limited_child import Bounds
from routing.osm.blob_guard import NotBlobs, check_blobs
from routing.osm.importer import import_network
from routing.osm.limited_import import import_limited, usual_bounds
from routing.osm.source_guard import MIN_UNPACK_LIMIT_BYTES, check_source
from tests.osm_drawing import Drawing

STAND_IN = Path(__file__).resolve().parents[3] / "data" / "osm" / "shaoyang-stand-in.osm.pbf"


def silent(_line: str) -> None:
    """Says nothing."""


def number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + _varint(value)


def text(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def plain(content: bytes, *, kind: bytes = b"OSMData") -> bytes:
    """A blob that is not packed."""
    body = text(1, content)
    header = text(1, kind) + number(3, len(body))
    return len(header).to_bytes(4, "big") + header + body


def blob(content: bytes, *, kind: bytes = b"OSMData", claimed: int | None = None) -> bytes:
    """A packed blob with its header, as the format writes it."""
    size = len(content) if claimed is None else claimed
    body = number(2, size) + text(3, zlib.compress(content, 9))
    header = text(1, kind) + number(3, len(body))
    return len(header).to_bytes(4, "big") + header + body


HEADER = blob(text(4, b"OsmSchema-V0.6") + text(4, b"DenseNodes"), kind=b"OSMHeader")


def test_the_sum_of_a_real_file_is_a_few_times_its_size() -> None:
    size = STAND_IN.stat().st_size
    assert check_blobs(STAND_IN, 10 * size)
    assert not check_blobs(STAND_IN, size)


def test_a_bomb_of_many_blobs_is_refused_before_one_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.osm.pbf"
    one = blob(bytes(31 * 2**20))
    path.write_bytes(one * 3)
    assert path.stat().st_size < 200_000
    assert not check_blobs(path, MIN_UNPACK_LIMIT_BYTES)
    with pytest.raises(SourceUnreadable, match="100 times its size"):
        check_source(path)


@pytest.mark.parametrize("claimed", [0, 100, 9 * 2**20, 2**40])
def test_a_blob_that_lies_about_its_size_is_refused(tmp_path: Path, claimed: int) -> None:
    path, out = tmp_path / "lie.osm.pbf", tmp_path / "lie.net"
    path.write_bytes(HEADER + blob(bytes(8 * 2**20), claimed=claimed))
    with pytest.raises(SourceUnreadable, match="unpack"):
        import_limited(path, out, usual_bounds(path), say=silent)
    assert list(tmp_path.iterdir()) == [path]


def crossing_with(key: bytes) -> bytes:
    """A block with one way of two nodes and a tag with this key."""
    table = b"".join(text(1, one) for one in (b"", key, b"primary"))
    way = number(1, 10) + text(2, b"\x01") + text(3, b"\x02") + text(8, b"\x02\x02")
    return text(1, table) + text(2, text(3, way))


@pytest.mark.parametrize("packed", [True, False])
def test_a_zero_in_a_text_never_reaches_the_reader(tmp_path: Path, packed: bool) -> None:
    # The reader's memory is laid out by zeros: with one in a key it ends in a segmentation fault.
    path = tmp_path / "zero.osm.pbf"
    for key, refused in ((b"highway", False), (b"h\0ghway", True)):
        block = crossing_with(key)
        path.write_bytes(HEADER + (blob(block) if packed else plain(block)))
        if refused:
            with pytest.raises(SourceUnreadable, match="zero byte in the text"):
                check_source(path)
        else:
            assert check_source(path) == "pbf"


def test_a_fault_of_the_reader_ends_the_child_and_not_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "zero.osm.pbf", tmp_path / "zero.net"
    path.write_bytes(HEADER + blob(crossing_with(b"h\0ghway")))
    bounds = usual_bounds(path)
    monkeypatch.setattr("routing.osm.limited_import.TARGET", f"{__name__}:import_unguarded")
    monkeypatch.setattr("routing.limited_child.ROOT", Path(__file__).resolve().parents[3])
    with pytest.raises(SourceTooCostly, match="SIGSEGV"):
        import_limited(path, out, bounds, say=silent)
    assert list(tmp_path.iterdir()) == [path]


def import_unguarded(source: str, draft: str, **_: bool) -> None:
    """The child's part with the look through the blobs left out."""
    from routing.osm import source_guard  # noqa: PLC0415
    from routing.osm.limited_import import import_here  # noqa: PLC0415

    source_guard._check_blobs = lambda *_: None  # type: ignore[assignment]
    import_here(source, draft, allow_pieces=True, synthetic=False)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff" + bytes(100),
        b"\x00\x00\x00\x04" + number(3, 1_000_000),
        b"\x00\x00\x00\x06" + number(3, 2**30),
        b"\x00\x00\x00\x0b" + b"\x18" + b"\xff" * 10,
        b"\x00\x00\x00\x02" + text(1, b"") + b"",
        b"\x00\x00\x00\x01\x0b",
        b"\x00\x00\x00\x03\x0a\x7fx",
    ],
)
def test_what_is_no_row_of_blobs_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "noise.pbf"
    path.write_bytes(content)
    with pytest.raises(NotBlobs):
        check_blobs(path, 2**30)
    with pytest.raises(SourceUnreadable, match=r"noise\.pbf"):
        check_source(path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    drawn = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 100, 0), (3, 200, 0)):
        drawn.node(osm_id, x_m, y_m)
    drawn.way(10, [1, 2, 3], name="红旗路")
    return drawn.save(tmp_path / "town.osm")


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(memory_bytes=240 * 2**20, cpu_s=60, file_bytes=2**28), "240 MiB of memory"),
        (Bounds(memory_bytes=2**30, cpu_s=1, file_bytes=2**28), "1 s of processor time"),
        (Bounds(memory_bytes=2**30, cpu_s=60, file_bytes=2**16), "65,536 bytes"),
    ],
    ids=["memory", "time", "disk"],
)
def test_a_limit_is_told_and_the_old_network_stays(
    tmp_path: Path, bounds: Bounds, why: str
) -> None:
    out = tmp_path / "town.net"
    out.write_bytes(b"the old network")
    with pytest.raises(SourceTooCostly, match=why) as stopped:
        import_limited(STAND_IN, out, bounds, say=silent)
    assert "--memory-mb" in str(stopped.value)
    assert out.read_bytes() == b"the old network"
    assert list(tmp_path.iterdir()) == [out], "nothing half-written"


def test_the_readers_own_errors_come_through_as_what_they_are(tmp_path: Path) -> None:
    out = tmp_path / "town.net"
    with pytest.raises(NetworkMissing, match=r"none\.osm does not exist"):
        import_limited(tmp_path / "none.osm", out, usual_bounds(tmp_path), say=silent)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_from_the_command_line(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser(prog="kuaijing")
    cli.register(parser.add_subparsers())
    words = ["roads", "import", str(source), "--out", str(tmp_path / "a.net")]
    args = parser.parse_args([*words, "--memory-mb", "150"])
    assert args.run(args) == cli.FAILED
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("kuaijing: ")
    assert "town.osm is not imported" in last
    assert not (tmp_path / "a.net").exists()


def test_a_header_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.osm.pbf"
    program = b"\x82\x01" + _varint(3) + b"\xff\xfe\xfd"
    odd = text(4, b"OsmSchema-V0.6") + program
    path.write_bytes(blob(odd, kind=b"OSMHeader"))
    with pytest.raises(SourceUnreadable, match="not UTF-8"):
        import_network(path)
