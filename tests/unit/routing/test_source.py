"""Files that are damaged, cut off or hostile end in a clear error."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from routing.errors import NetworkEmpty, NetworkMissing, SourceUnreadable
from routing.osm import source_guard
from routing.osm.importer import import_network
from tests.osm_drawing import Drawing

ROAD = (
    '<node id="1" lon="100" lat="0"/><node id="2" lon="100.001" lat="0"/>'
    '<way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>'
)


def write(path: Path, body: str) -> Path:
    path.write_text(f'<osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.2, 0.5, 0.8, 0.99, 0.999999])
def test_a_truncated_pbf_is_refused(helsinki_pbf: Path, tmp_path: Path, share: float) -> None:
    content = helsinki_pbf.read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceUnreadable, match="fetch it again"):
        import_network(cut)


def test_a_pbf_with_flipped_bytes_never_ends_in_another_error(
    helsinki_pbf: Path, tmp_path: Path
) -> None:
    chance = random.Random(110)
    whole = helsinki_pbf.read_bytes()
    refused = 0
    for _ in range(40):
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        broken = tmp_path / "broken.osm.pbf"
        broken.write_bytes(content)
        try:
            import_network(broken, allow_pieces=True)
        except SourceUnreadable:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_a_truncated_gzip_is_refused(tmp_path: Path, share: float) -> None:
    packed = gzip.compress(f'<osm version="0.6">{ROAD}</osm>'.encode())
    cut = tmp_path / "cut.osm.gz"
    cut.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(SourceUnreadable, match="cut off"):
        import_network(cut)


def test_a_truncated_xml_is_refused(tmp_path: Path) -> None:
    cut = tmp_path / "cut.osm"
    cut.write_text(f'<osm version="0.6">{ROAD}<way id="11"><nd re', encoding="utf-8")
    with pytest.raises(SourceUnreadable):
        import_network(cut)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_guard, "MIN_UNPACK_LIMIT_BYTES", 2**20)
    bomb = tmp_path / "bomb.osm.gz"
    bomb.write_bytes(gzip.compress(b'<osm version="0.6">' + b" " * (16 * 2**20) + b"</osm>"))
    with pytest.raises(SourceUnreadable, match="unpacks to more than"):
        import_network(bomb)


def test_a_well_packed_small_file_is_no_bomb(tmp_path: Path) -> None:
    source = tmp_path / "blank.osm.gz"
    blanks = " " * (4 * 2**20)
    source.write_bytes(gzip.compress(f'<osm version="0.6">{blanks}{ROAD}</osm>'.encode()))
    graph, _ = import_network(source)
    assert graph.arc_count == 2


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{depth} "{f"&e{depth - 1};" * 10}">' for depth in range(1, 12))
    bomb = tmp_path / "bomb.osm"
    bomb.write_text(
        f'<!DOCTYPE osm [<!ENTITY e0 "ha">{entities}]><osm version="0.6">{ROAD}&e11;</osm>',
        encoding="utf-8",
    )
    with pytest.raises(SourceUnreadable):
        import_network(bomb)


def test_an_outside_entity_is_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret", encoding="utf-8")
    source = tmp_path / "outside.osm"
    source.write_text(
        f'<!DOCTYPE osm [<!ENTITY x SYSTEM "{secret.as_uri()}">]><osm version="0.6">&x;</osm>',
        encoding="utf-8",
    )
    with pytest.raises(SourceUnreadable):
        import_network(source)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.osm.pbf", b""),
        ("empty.osm", b""),
        ("page.osm", b"<!doctype html><html><body>504 Gateway Time-out</body></html>"),
        ("noise.osm.pbf", bytes(range(256)) * 40),
        ("noise.osm.gz", b"\x1f\x8b" + bytes(200)),
        ("noise.osm", bytes(range(256))),
        ("words.osm", b"no XML at all"),
        ("change.osm", b'<osmChange version="0.6"><create></create></osmChange>'),
        ("history.osm", b'<osm version="0.6"><way id="x"></way></osm>'),
        ("old.osm", b'<osm version="0.3"></osm>'),
        ("map.osm.zip", b"PK"),
        ("map", b"x"),
    ],
)
def test_what_is_no_osm_extract_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(SourceUnreadable):
        import_network(source)


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "latin.osm"
    source.write_bytes(
        f'<osm version="0.6">{ROAD}</osm>'.replace("primary", "prim\xe9").encode("latin-1")
    )
    with pytest.raises(SourceUnreadable):
        import_network(source)


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    folder = tmp_path / "town.osm"
    folder.mkdir()
    with pytest.raises(SourceUnreadable, match="is not a file"):
        import_network(folder)
    with pytest.raises(NetworkMissing, match="does not exist"):
        import_network(tmp_path / "none.osm")


def test_a_file_beyond_the_limit_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "large.osm", ROAD)
    monkeypatch.setattr(source_guard, "MAX_SOURCE_BYTES", 10)
    with pytest.raises(SourceUnreadable, match="more than 10; cut out the service area"):
        import_network(source)


def test_ids_of_unsaved_edits_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "edit.osm", ROAD.replace('"1"', '"-1"'))
    with pytest.raises(SourceUnreadable, match="unsaved edits"):
        import_network(source)


@pytest.mark.parametrize("lat", ["90.5", "-91", "200"])
def test_a_place_off_the_globe_is_no_place(tmp_path: Path, lat: str) -> None:
    source = write(
        tmp_path / "off.osm", ROAD.replace('lon="100.001" lat="0"', f'lon="100" lat="{lat}"')
    )
    with pytest.raises((NetworkEmpty, SourceUnreadable)):
        import_network(source)


def test_a_source_without_roads_says_so(tmp_path: Path) -> None:
    source = write(tmp_path / "wood.osm", ROAD.replace("primary", "footway"))
    with pytest.raises(NetworkEmpty, match="1 ways are of other kinds"):
        import_network(source)


def test_a_way_that_occurs_twice_is_taken_once(tmp_path: Path) -> None:
    again = ROAD[ROAD.index("<way") :]
    graph, report = import_network(write(tmp_path / "twice.osm", ROAD + again))
    assert graph.arc_count == 2
    assert any("1 ways occur twice" in finding for finding in report.suspicious)


def test_nodes_may_come_after_ways_and_in_any_order(tmp_path: Path) -> None:
    way = ROAD[ROAD.index("<way") :]
    nodes = '<node id="7" lon="101" lat="0"/><node id="2" lon="100.001" lat="0"/>'
    source = write(tmp_path / "late.osm", f'{way}{nodes}<node id="1" lon="100" lat="0"/>')
    graph, _ = import_network(source)
    assert sorted(graph.node_osm_id.tolist()) == [1, 2]


def test_the_header_tells_date_and_generator(tmp_path: Path) -> None:
    town = Drawing()
    town.node(1, 0, 0)
    town.node(2, 50, 0)
    town.way(10, [1, 2])
    _, report = import_network(town.save(tmp_path / "a.osm", generator="Shaoyang stand-in 1"))
    assert report.source.generator == "Shaoyang stand-in 1"
    assert report.source.name == "a.osm"
    assert len(report.source.sha256) == 64
    assert report.synthetic is True
    _, real = import_network(town.save(tmp_path / "b.osm", generator="osmium/1.16"))
    assert real.synthetic is False
    _, told = import_network(tmp_path / "b.osm", synthetic=True)
    assert told.synthetic is True


def test_a_place_that_is_no_number(tmp_path: Path) -> None:
    odd = tmp_path / "odd.osm"
    odd.write_text(
        '<osm version="0.6"><node id="1" lat="nan" lon="inf"/><node id="2" lat="27" lon="111"/>'
        '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>'
    )
    with pytest.raises(SourceUnreadable, match=r"damaged.*'nan'"):
        import_network(odd)
