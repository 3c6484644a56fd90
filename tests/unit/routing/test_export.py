"""What analysts get: arcs and turns as CSV, the network as GraphML."""

from __future__ import annotations

import csv
from pathlib import Path

import networkx
import numpy as np
import pytest
import shapely

from routing.export import export_arcs_csv, export_graphml, export_turns_csv
from routing.graph import RoadGraph
from routing.search.arrays import CLOSED_MS
from tests.osm_drawing import Drawing, arc_between


@pytest.fixture
def graph(tmp_path: Path) -> RoadGraph:
    drawn = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 100, 0), (3, 200, 0), (4, 100, 100)):
        drawn.node(osm_id, x_m, y_m)
    drawn.way(10, [1, 2, 3], name="红旗路", maxspeed="40")
    drawn.way(11, [2, 4], oneway="yes", name='=cmd("x"), 东', access="private")
    drawn.restriction("no_left_turn", [("way", "from", 10), ("node", "via", 2), ("way", "to", 11)])
    return drawn.build(tmp_path)[0]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_arcs(graph: RoadGraph, tmp_path: Path) -> None:
    ms = np.arange(1000, 1000 + graph.arc_count, dtype=np.int32)
    closed = arc_between(graph, 2, 4)
    ms[closed] = CLOSED_MS
    export_arcs_csv(graph, {"response_car": ms}, tmp_path / "arcs.csv")
    lines = rows(tmp_path / "arcs.csv")
    assert [int(line["arc"]) for line in lines] == list(range(graph.arc_count))
    line = lines[arc_between(graph, 1, 2)]
    assert (line["from_node"], line["to_node"], line["way"]) == ("1", "2", "10")
    assert (line["name"], line["class"], line["maxspeed_kmh"]) == ("红旗路", "residential", "40")
    assert float(line["length_m"]) == pytest.approx(100, abs=0.02)
    assert (float(line["from_lon"]), float(line["from_lat"])) == (100.0, 0.0)
    assert (line["flags"], line["core"]) == ("", "1")
    assert line["reverse"] == str(arc_between(graph, 2, 1))
    assert line["response_car_ms"] == str(1000 + arc_between(graph, 1, 2))
    line = lines[closed]
    assert (line["response_car_ms"], line["reverse"], line["core"]) == ("closed", "", "0")
    assert line["flags"] == "oneway private"
    assert line["name"].startswith("'=")  # no spreadsheet runs it


def test_turns(graph: RoadGraph, tmp_path: Path) -> None:
    ms = np.full(len(graph.turn_to), 1500, np.int32)
    ms[(graph.turn_flags & 2) != 0] = CLOSED_MS
    export_turns_csv(graph, {"response_car": ms}, tmp_path / "turns.csv")
    lines = rows(tmp_path / "turns.csv")
    assert len(lines) == len(graph.turn_to)
    banned = {(line["from_arc"], line["to_arc"]) for line in lines if line["flags"] == "banned"}
    assert banned == {(str(arc_between(graph, 1, 2)), str(arc_between(graph, 2, 4)))}
    for line in lines:
        is_banned = (line["from_arc"], line["to_arc"]) in banned
        assert line["response_car_ms"] == ("banned" if is_banned else "1500")
    kinds = {line["kind"]: float(line["angle_deg"]) for line in lines}
    assert kinds["u_turn"] == 180.0
    assert kinds["left"] == pytest.approx(-90, abs=0.1)


def test_graphml_comes_back_in_networkx(graph: RoadGraph, tmp_path: Path) -> None:
    ms = np.arange(1000, 1000 + graph.arc_count, dtype=np.int32)
    closed = arc_between(graph, 2, 4)
    ms[closed] = CLOSED_MS
    path = tmp_path / "town.graphml"
    export_graphml(graph, {"response_car": ms}, path)
    read = networkx.read_graphml(path, node_type=int, force_multigraph=True)
    assert set(read.nodes) == set(graph.node_osm_id.tolist())
    assert read.number_of_edges() == graph.arc_count
    assert read.graph["road_version"] == graph.road_version
    assert networkx.shortest_path_length(read, 1, 3, weight="length") == pytest.approx(200, abs=0.1)
    (edge,) = read.get_edge_data(2, 4).values()
    assert (edge["osmid"], edge["oneway"], edge["core"]) == (11, True, False)
    assert "response_car_ms" not in edge
    assert shapely.from_wkt(edge["geometry"]).coords[0] == (read.nodes[2]["x"], read.nodes[2]["y"])
    assert read.get_edge_data(1, 2)[arc_between(graph, 1, 2)]["response_car_ms"] >= 1000
