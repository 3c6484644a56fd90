"""Downloads against a stand-in of Overpass and Nominatim on this machine."""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import osmium
import osmnx
import pytest

from routing import cli
from routing.errors import AreaInvalid, DownloadFailed
from routing.osm import download
from routing.osm.area import MAX_AREA_KM2, area_of_box, area_of_file
from routing.osm.download import Servers, download_source, find_place
from routing.osm.importer import import_network
from tests.osm_drawing import arc_pairs, banned_turns

Answer = tuple[int, bytes]
AREA = area_of_box(99.99, -0.01, 100.01, 0.01)

ROADS = {
    "version": 0.6,
    "generator": "Overpass API 0.7.62.1",
    "osm3s": {"timestamp_osm_base": "2025-05-01T08:00:00Z", "copyright": "ODbL"},
    "elements": [
        {"type": "node", "id": 5, "lat": 0.0, "lon": 100.0, "tags": {"highway": "traffic_signals"}},
        {"type": "node", "id": 1, "lat": 0.0, "lon": 99.999},
        {"type": "node", "id": 2, "lat": 0.0, "lon": 100.001},
        {"type": "node", "id": 4, "lat": 0.001, "lon": 100.0},
        {
            "type": "way",
            "id": 11,
            "nodes": [1, 5],
            "tags": {"highway": "primary", "name": "红旗路"},
        },
        {"type": "way", "id": 12, "nodes": [5, 2], "tags": {"highway": "primary"}},
        {"type": "way", "id": 14, "nodes": [5, 4], "tags": {"highway": "residential"}},
    ],
}
RESTRICTIONS = {
    **ROADS,
    "elements": [
        *ROADS["elements"],  # type: ignore[misc]
        {
            "type": "relation",
            "id": 900,
            "members": [
                {"type": "way", "ref": 11, "role": "from"},
                {"type": "node", "ref": 5, "role": "via"},
                {"type": "way", "ref": 14, "role": "to"},
            ],
            "tags": {"type": "restriction", "restriction": "no_left_turn"},
        },
    ],
}
PLACE = {
    "place_id": 1,
    "osm_type": "relation",
    "osm_id": 3202711,
    "lat": "0.0",
    "lon": "100.0",
    "class": "boundary",
    "type": "administrative",
    "place_rank": 10,
    "importance": 0.5,
    "addresstype": "city",
    "name": "邵阳市",
    "display_name": "邵阳市, 湖南省, 中国",
    "boundingbox": ["-0.01", "0.01", "99.99", "100.01"],
    "geojson": {
        "type": "Polygon",
        "coordinates": [
            [[99.99, -0.01], [100.01, -0.01], [100.01, 0.01], [99.99, 0.01], [99.99, -0.01]]
        ],
    },
}


def as_json(answer: object) -> Answer:
    return 200, json.dumps(answer, ensure_ascii=False).encode()


def usual(path: str, query: str) -> Answer:
    """Answers as real servers do: to a place search, a query for ways, one for relations."""
    if path == "/search":
        return as_json([PLACE] if "邵阳" in query else [])
    if "relation" in query:
        return as_json(RESTRICTIONS)
    return as_json(ROADS if "highway" in query else {**ROADS, "elements": []})


class StandIn:
    """A server on the loopback address that answers with a function and keeps the questions."""

    def __init__(self, answer: Callable[[str, str], Answer], encoding: str) -> None:
        questions: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self._reply(parts.path, parse_qs(parts.query).get("q", [""])[0])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._reply(self.path, parse_qs(body)["data"][0])

            def _reply(self, path: str, query: str) -> None:
                questions.append((path, query))
                status, content = answer(path, query)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Encoding", encoding)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Keeps the test's output clean."""

        self.questions = questions
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def servers(self, timeout_s: int = 20) -> Servers:
        return Servers(overpass_url=f"{self.url}/api", nominatim_url=self.url, timeout_s=timeout_s)


@contextmanager
def standing_in(
    answer: Callable[[str, str], Answer], *, encoding: str = "identity"
) -> Iterator[StandIn]:
    server = StandIn(answer, encoding)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: tuple[str, int]) -> None:
        assert address[0] in ("127.0.0.1", "::1", "localhost"), address
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def quiet(_: str) -> None:
    """Takes progress and says nothing."""


def test_roads_restrictions_and_signals_arrive(tmp_path: Path) -> None:
    target = tmp_path / "town.osm.pbf"
    with standing_in(usual) as server:
        download_source(AREA, target, server.servers(), progress=quiet)
    graph, report = import_network(target)
    assert arc_pairs(graph) == {(1, 5), (5, 1), (5, 2), (2, 5), (5, 4), (4, 5)}
    assert banned_turns(graph) == {(1, 5, 4)}
    assert report.signal_count == 1
    assert report.source.data_date == "2025-05-01T08:00:00Z"
    assert "红旗路" in graph.names
    queries = [query for path, query in server.questions if path == "/api/interpreter"]
    assert any('way["highway"]' in query for query in queries)
    assert any("relation['type'='restriction']" in query for query in queries)
    assert not any(path.endswith("/status") for path, _ in server.questions)


def test_each_element_is_written_once_and_in_order(tmp_path: Path) -> None:
    target = tmp_path / "town.osm"
    with standing_in(usual) as server:
        download_source(AREA, target, server.servers(), progress=quiet)
    kinds = [(entity.type_str(), entity.id) for entity in osmium.FileProcessor(str(target))]
    nodes, ways = [("n", osm_id) for osm_id in (1, 2, 4, 5)], [("w", way) for way in (11, 12, 14)]
    assert kinds == [*nodes, *ways, ("r", 900)]


def test_a_place_is_found_by_name() -> None:
    with standing_in(usual) as server:
        area = find_place("邵阳市, 湖南省", server.servers())
        assert area.bounds == (99.99, -0.01, 100.01, 0.01)
        with pytest.raises(DownloadFailed, match="no place is found for 'Nowhere'"):
            find_place("Nowhere", server.servers())


def test_a_place_without_an_outline_says_what_to_give() -> None:
    point = {**PLACE, "geojson": {"type": "Point", "coordinates": [100.0, 0.0]}}
    with (
        standing_in(lambda _path, _query: as_json([point])) as server,
        pytest.raises(DownloadFailed, match="--bbox or --polygon"),
    ):
        find_place("邵阳", server.servers())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((504, b"<html>Gateway Timeout</html>"), "is busy \\(HTTP 504\\)"),
        ((429, b"rate limited"), "is busy \\(HTTP 429\\)"),
        ((500, b"oops"), "HTTP 500"),
        ((404, b"no"), "HTTP 404"),
        ((200, b"<html>hello</html>"), "no JSON"),
        ((200, b""), "no JSON"),
        ((200, b"[1, 2]"), "without elements"),
        ((200, b'{"elements": 7}'), "without elements"),
        ((200, b'{"elements": []}'), "no road in this area"),
        ((200, b'{"elements": [7]}'), "not as Overpass writes them"),
        ((200, b'{"elements": [{"type": "house", "id": 1}]}'), "not as Overpass writes them"),
        ((200, b'{"elements": [{"type": "way", "id": 1}]}'), "not as Overpass writes them"),
        ((200, b'{"elements": [{"type": "node", "id": "x"}]}'), "not as Overpass writes them"),
        (
            (200, b'{"elements": [], "remark": "runtime error: Query timed out"}'),
            "gave up: runtime error",
        ),
    ],
)
def test_a_server_without_roads_is_a_clear_error(
    tmp_path: Path, answer: Answer, message: str
) -> None:
    started_s = time.monotonic()
    with (
        standing_in(lambda _path, _query: answer) as server,
        pytest.raises(DownloadFailed, match=message),
    ):
        download_source(AREA, tmp_path / "town.osm.pbf", server.servers(), progress=quiet)
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - started_s < 20  # no waiting for a minute, no endless asking


def test_an_answer_that_is_longer_than_it_says_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_ANSWER_BYTES", 100_000)
    blanks = gzip.compress(json.dumps({**ROADS, "padding": " " * 10_000_000}).encode())
    assert len(blanks) < 100_000, "what Content-Length says"
    with (
        standing_in(lambda _path, _query: (200, blanks), encoding="gzip") as server,
        pytest.raises(DownloadFailed, match="more than 100,000 bytes"),
    ):
        download_source(AREA, tmp_path / "x.osm", server.servers(), progress=quiet)
    assert not (tmp_path / "x.osm").exists()


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    over = threading.Event()

    def hang(_path: str, _query: str) -> Answer:
        over.wait(10)
        return 200, b"{}"

    with standing_in(hang) as server:
        with pytest.raises(DownloadFailed, match="no answer within 1 s"):
            download_source(
                AREA, tmp_path / "town.osm.pbf", server.servers(timeout_s=1), progress=quiet
            )
        over.set()


def test_no_server_at_all(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    servers = Servers(overpass_url=f"http://127.0.0.1:{port}/api", timeout_s=5)
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        download_source(AREA, tmp_path / "town.osm.pbf", servers, progress=quiet)


def test_osmnx_is_left_as_it_was(tmp_path: Path) -> None:
    resolver, url = socket.getaddrinfo, osmnx.settings.overpass_url
    with standing_in(usual) as server:
        download_source(AREA, tmp_path / "town.osm.pbf", server.servers(), progress=quiet)
    assert socket.getaddrinfo is resolver
    assert (osmnx.settings.overpass_url, osmnx.settings.cache_only_mode) == (url, False)


@pytest.mark.parametrize(
    "box", [(3, 0, 1, 1), (0, 3, 1, 1), (0, 0, 400, 1), (float("nan"), 0, 1, 1), (0, 0, 40, 40)]
)
def test_a_box_that_is_none_or_too_large(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(AreaInvalid):
        area_of_box(*box)
    assert MAX_AREA_KM2 > 20_876  # Shaoyang with its counties


SQUARE = {"type": "Polygon", "coordinates": [[[1, 1], [1.1, 1], [1.1, 1.1], [1, 1.1], [1, 1]]]}
FAR_SQUARE = {"type": "Polygon", "coordinates": [[[2, 1], [2.1, 1], [2.1, 1.1], [2, 1]]]}


@pytest.mark.parametrize(
    "document",
    [
        SQUARE,
        {"type": "Feature", "properties": {}, "geometry": SQUARE},
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "geometry": SQUARE},
                {"type": "Feature", "geometry": FAR_SQUARE},
            ],
        },
    ],
)
def test_polygon_files(tmp_path: Path, document: object) -> None:
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert area_of_file(path).area == pytest.approx(0.01, rel=0.6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"type": "Point", "coordinates": [1, 1]}',
        '{"type": "Polygof", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}',
        '{"type": "Polygon", "coordinates": "x"}',
        '{"type": "Polygon", "coordinates": [[[1, 1]]]}',
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "Feature", "geometry": null}',
    ],
)
def test_files_without_a_polygon(tmp_path: Path, text: str) -> None:
    path = tmp_path / "area.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AreaInvalid):
        area_of_file(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers())
    out, kept = tmp_path / "town.net", tmp_path / "town.osm.pbf"
    with standing_in(usual) as server:
        urls = ["--overpass-url", f"{server.url}/api", "--nominatim-url", server.url]
        tail = [*urls, "--out", str(out), "--json"]
        by_name = ["roads", "download", "邵阳市", "--keep-source", str(kept), *tail]
        args = parser.parse_args(by_name)
        assert args.run(args) == cli.DONE
        by_name_version = json.loads(capsys.readouterr().out)["road_version"]
        box = ["99.99", "-0.01", "100.01", "0.01"]
        args = parser.parse_args(["roads", "download", "--bbox", *box, *tail])
        assert args.run(args) == cli.DONE
    assert json.loads(capsys.readouterr().out)["road_version"] == by_name_version
    assert import_network(kept)[0].road_version == by_name_version
