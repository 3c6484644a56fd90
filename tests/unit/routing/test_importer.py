"""Whole imports: pieces, reports, and real networks against networkx as an oracle."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import osmium
import pytest

from routing.errors import NetworkInPieces
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph, TurnFlag, TurnKind
from routing.osm.import_report import ImportReport
from routing.osm.importer import import_network
from tests.osm_drawing import Drawing, arc_between

Imported = tuple[RoadGraph, ImportReport]


def two_banks(*, bridge: bool) -> Drawing:
    """A street on either bank of a river, joined by a bridge or not."""
    town = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 500, 0), (3, 0, 300), (4, 400, 300)):
        town.node(osm_id, x_m, y_m)
    town.way(10, [1, 2])
    town.way(11, [3, 4])
    if bridge:
        town.way(12, [1, 3], bridge="yes")
    return town


def test_a_town_in_two_pieces_is_refused_with_place_and_size(tmp_path: Path) -> None:
    with pytest.raises(NetworkInPieces, match=r"0\.8 km of lanes \(44\.4%.*--allow-pieces"):
        two_banks(bridge=False).build(tmp_path, allow_pieces=False)


def test_the_larger_piece_is_the_core(tmp_path: Path) -> None:
    graph, report = two_banks(bridge=False).build(tmp_path)
    assert graph.arc_core[arc_between(graph, 1, 2)]
    assert not graph.arc_core[arc_between(graph, 3, 4)]
    assert report.core_arc_count == 2
    assert report.cut_off_m == pytest.approx(800, abs=1)
    assert report.second_piece_m == pytest.approx(800, abs=1)


def test_a_bridge_joins_the_pieces(tmp_path: Path) -> None:
    graph, report = two_banks(bridge=True).build(tmp_path, allow_pieces=False)
    assert graph.arc_core.all()
    assert report.core_share == 1.0


def test_a_small_leftover_is_cut_off_quietly(tmp_path: Path) -> None:
    town = two_banks(bridge=True)
    town.node(8, 900, 900)
    town.node(9, 920, 900)
    town.way(18, [8, 9])
    graph, report = town.build(tmp_path, allow_pieces=False)
    assert not graph.arc_core[arc_between(graph, 8, 9)]
    assert report.cut_off_m == pytest.approx(40, abs=1)


def test_a_one_way_that_only_leads_out_is_not_core(tmp_path: Path) -> None:
    town = two_banks(bridge=True)
    town.node(8, 520, 0)
    town.way(18, [2, 8], oneway="yes")
    graph, _ = town.build(tmp_path, allow_pieces=False)
    assert not graph.arc_core[arc_between(graph, 2, 8)]


def test_banned_turns_cut_too(tmp_path: Path) -> None:
    town = two_banks(bridge=True)
    town.node(8, 500, 20)
    town.way(18, [2, 8])
    town.restriction("no_entry", [("way", "from", 10), ("node", "via", 2), ("way", "to", 18)])
    graph, _ = town.build(tmp_path, allow_pieces=False)
    assert not graph.arc_core[arc_between(graph, 2, 8)]
    assert graph.arc_core[arc_between(graph, 2, 1)]


def test_a_street_no_car_may_use_takes_no_stand(tmp_path: Path) -> None:
    town = two_banks(bridge=True)
    town.node(8, 520, 0)
    town.way(18, [2, 8], motorcar="no")
    graph, _ = town.build(tmp_path, allow_pieces=False)
    assert not graph.arc_core[arc_between(graph, 2, 8)]


def test_the_report_counts_roads_once(tmp_path: Path) -> None:
    town = two_banks(bridge=True)
    town.way(19, [2, 4], "primary", oneway="yes", name="宝庆路", maxspeed="60")
    _, report = town.build(tmp_path)
    diagonal_m = np.hypot(100, 300)
    assert report.road_m == pytest.approx(500 + 400 + 300 + diagonal_m, abs=1)
    assert report.road_m_by_class["primary"] == pytest.approx(diagonal_m, abs=1)
    assert set(report.road_m_by_class) == {"residential", "primary"}
    assert report.maxspeed_share == pytest.approx(diagonal_m / report.road_m, rel=1e-4)
    assert report.named_share == pytest.approx(diagonal_m / report.road_m, rel=1e-4)
    assert report.bridge_count == 1
    assert report.bbox == pytest.approx((100, 0, 100 + 500 / 111195, 300 / 111195), abs=1e-6)


@pytest.mark.parametrize(
    ("tags", "finding"),
    [
        ({"oneway": "reversible"}, "1 reversible roads are left out"),
        ({"highway": "spaceway"}, "1 ways have an unknown highway value"),
        ({"maxspeed:conditional": "30 @ (07:00-09:00)"}, "1 roads have rules for certain times"),
    ],
)
def test_what_looks_wrong_is_said(tmp_path: Path, tags: dict[str, str], finding: str) -> None:
    town = two_banks(bridge=True)
    town.way(19, [2, 4], tags.pop("highway", "primary"), **tags)
    _, report = town.build(tmp_path)
    assert any(text.startswith(finding) for text in report.suspicious), report.suspicious


@pytest.fixture(scope="module")
def porto(porto_pbf: Path) -> Imported:
    return import_network(porto_pbf)


@pytest.fixture(scope="module")
def helsinki(helsinki_pbf: Path) -> Imported:
    return import_network(helsinki_pbf, allow_pieces=True)


def check_shape(graph: RoadGraph) -> None:
    """What every consumer of a graph relies on."""
    arcs, turns = graph.arc_count, len(graph.turn_to)
    nodes = np.column_stack([graph.node_lon, graph.node_lat])
    assert (graph.geom_lonlat[graph.geom_start[:-1]] == nodes[graph.arc_from]).all()
    assert (graph.geom_lonlat[graph.geom_start[1:] - 1] == nodes[graph.arc_to]).all()
    assert graph.geom_start[-1] == len(graph.geom_lonlat)
    assert (graph.turn_start[0], graph.turn_start[-1], len(graph.turn_start)) == (
        0,
        turns,
        arcs + 1,
    )
    turn_from = np.repeat(np.arange(arcs), np.diff(graph.turn_start))
    assert (graph.arc_to[turn_from] == graph.arc_from[graph.turn_to]).all()
    out_degree = np.bincount(graph.arc_from, minlength=graph.node_count)
    assert (np.diff(graph.turn_start) == out_degree[graph.arc_to]).all()
    has_twin = np.flatnonzero(graph.arc_reverse >= 0)
    assert (graph.arc_reverse[graph.arc_reverse[has_twin]] == has_twin).all()
    is_u_turn = graph.turn_kind == TurnKind.U_TURN
    assert (is_u_turn == (graph.turn_to == graph.arc_reverse[turn_from])).all()
    assert (graph.arc_length_m > 0).all()
    assert graph.names[0] == ""
    assert graph.arc_name.max() < len(graph.names)
    assert graph.arc_class.max() < len(ROAD_CLASSES)


def largest_component_by_networkx(graph: RoadGraph) -> set[int]:
    turn_from = np.repeat(np.arange(graph.arc_count), np.diff(graph.turn_start))
    by_car = (graph.arc_flags & ArcFlag.NO_CAR) == 0
    usable = (graph.turn_flags & TurnFlag.BANNED) == 0
    usable &= by_car[turn_from] & by_car[graph.turn_to]
    links = networkx.DiGraph()
    links.add_nodes_from(range(graph.arc_count))
    links.add_edges_from(
        zip(turn_from[usable].tolist(), graph.turn_to[usable].tolist(), strict=True)
    )
    pieces = networkx.strongly_connected_components(links)
    return set(max(pieces, key=lambda piece: graph.arc_length_m[list(piece)].sum()))


def test_porto(porto: Imported) -> None:
    graph, report = porto
    check_shape(graph)
    assert report.restrictions_used == 336
    assert sum(report.restrictions_unused.values()) == 21  # 357 in the source
    assert report.core_share > 0.99
    assert report.road_m == pytest.approx(10_345_700, rel=1e-3)
    assert report.source.data_date == "2015-06-06T00:23:02Z"
    assert not report.synthetic
    assert set(np.flatnonzero(graph.arc_core).tolist()) == largest_component_by_networkx(graph)


def test_campo_grande(campo_grande_osm: Path) -> None:
    graph, report = import_network(campo_grande_osm)
    check_shape(graph)
    assert graph.arc_count > 24_000
    assert report.core_share > 0.98
    assert any("has a posted limit" in finding for finding in report.suspicious)
    assert set(np.flatnonzero(graph.arc_core).tolist()) == largest_component_by_networkx(graph)


def test_helsinki_in_pieces(helsinki_pbf: Path) -> None:
    with pytest.raises(NetworkInPieces):
        import_network(helsinki_pbf)


def test_helsinki_lengths_against_osmium(helsinki: Imported, helsinki_pbf: Path) -> None:
    graph, _ = helsinki
    check_shape(graph)
    ours_m = dict.fromkeys(graph.arc_way_id.tolist(), 0.0)
    once = (graph.arc_reverse < 0) | (np.arange(graph.arc_count) < graph.arc_reverse)
    for way, length_m in zip(graph.arc_way_id[once], graph.arc_length_m[once], strict=True):
        ours_m[int(way)] += float(length_m)
    compared = 0
    for way in osmium.FileProcessor(str(helsinki_pbf)).with_locations():
        if way.is_way() and way.id in ours_m and all(node.location.valid() for node in way.nodes):
            assert ours_m[way.id] == pytest.approx(
                osmium.geom.haversine_distance(way.nodes), rel=0.002
            )
            compared += 1
    assert compared > 0.9 * len(ours_m)
