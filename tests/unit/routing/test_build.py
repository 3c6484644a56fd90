"""From drawn ways to arcs, lines and turns."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest

from routing.graph import ArcFlag, RoadGraph, TurnFlag, TurnKind
from tests.osm_drawing import (
    Drawing,
    arc_between,
    arc_pairs,
    banned_turns,
    turn_at,
)


def crossing(**centre_tags: str) -> Drawing:
    """Four streets that meet at node 5: 1 west, 2 east, 3 south, 4 north."""
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (2, 100, 0), (3, 0, -100), (4, 0, 100)):
        town.node(osm_id, x_m, y_m)
        town.way(10 + osm_id, [osm_id, 5])
    town.node(5, 0, 0, **centre_tags)
    return town


def test_a_way_is_cut_where_another_meets_it(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 50, 10), (3, 100, 0), (4, 150, 0), (5, 100, 80)):
        town.node(osm_id, x_m, y_m)
    town.way(10, [1, 2, 3, 4], name="红旗路", maxspeed="40")
    town.way(11, [3, 5], oneway="yes")
    graph, report = town.build(tmp_path)
    assert arc_pairs(graph) == {(1, 3), (3, 1), (3, 4), (4, 3), (3, 5)}
    long_arc = arc_between(graph, 1, 3)
    assert graph.arc_length_m[long_arc] == pytest.approx(2 * np.hypot(50, 10), abs=0.02)
    line = graph.arc_line(long_arc)
    assert line[:, 0] == pytest.approx([100, 100 + 50 / 111195, 100 + 100 / 111195], abs=1e-6)
    back = arc_between(graph, 3, 1)
    assert graph.arc_line(back) == pytest.approx(line[::-1])
    assert graph.arc_reverse[long_arc] == back
    assert graph.arc_reverse[back] == long_arc
    assert graph.arc_reverse[arc_between(graph, 3, 5)] == -1
    assert graph.names[graph.arc_name[long_arc]] == "红旗路"
    assert graph.names[graph.arc_name[arc_between(graph, 3, 5)]] == ""
    assert graph.arc_maxspeed_kmh[long_arc] == 40.0
    assert graph.arc_way_id[back] == 10
    assert report.road_m == pytest.approx(102 + 50 + 80, abs=0.1)


def test_a_way_that_ends_on_another_does_not_join_where_no_node_is_shared(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (2, 100, 0), (3, 0, -100), (4, 0, 100)):
        town.node(osm_id, x_m, y_m)
    town.way(10, [1, 2])
    town.way(11, [3, 4], bridge="yes", layer="1")
    graph, _ = town.build(tmp_path)
    assert arc_pairs(graph) == {(1, 2), (2, 1), (3, 4), (4, 3)}


def test_a_way_over_a_missing_node_is_cut_there(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m in ((1, 0), (2, 50), (4, 150), (5, 200)):
        town.node(osm_id, x_m, 0)
    town.way(10, [1, 2, 3, 4, 5])
    graph, report = town.build(tmp_path)
    assert arc_pairs(graph) == {(1, 2), (2, 1), (4, 5), (5, 4)}
    assert any("1 road nodes are missing" in finding for finding in report.suspicious)


def test_doubled_and_lonely_nodes_make_no_arcs(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m in ((1, 0), (2, 50), (3, 100)):
        town.node(osm_id, x_m, 0)
    town.way(10, [1, 2, 2, 3])
    town.way(11, [3, 3])
    town.way(12, [3])
    town.way(13, [])
    graph, _ = town.build(tmp_path)
    assert arc_pairs(graph) == {(1, 3), (3, 1)}


def test_the_order_of_the_file_does_not_matter(tmp_path: Path) -> None:
    def town(backwards: bool) -> RoadGraph:
        drawn = crossing()
        drawn.way(21, [1, 3])
        drawn.way(20, [1, 3], "primary")  # beside the other: their ids decide which comes first
        drawn.restriction(
            "no_left_turn", [("way", "from", 11), ("node", "via", 5), ("way", "to", 14)]
        )
        if backwards:
            drawn._ways.reverse()
            drawn._nodes.reverse()
        (tmp_path / str(backwards)).mkdir()
        return drawn.build(tmp_path / str(backwards))[0]

    assert town(backwards=True).road_version == town(backwards=False).road_version


def test_a_closed_ring_keeps_both_ways_round(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m, y_m in ((1, 0, 0), (2, 100, 0), (3, 150, 50), (4, 150, -50)):
        town.node(osm_id, x_m, y_m)
    town.way(10, [1, 2])
    town.way(11, [2, 3, 4, 2])
    graph, _ = town.build(tmp_path)
    loops = [arc for arc in range(graph.arc_count) if graph.arc_from[arc] == graph.arc_to[arc]]
    assert len(loops) == 2
    assert graph.arc_reverse[loops[0]] == loops[1]
    assert graph.arc_core.all()


@pytest.mark.parametrize(
    ("end", "kind", "angle_deg"),
    [
        (2, TurnKind.STRAIGHT, 0),
        (3, TurnKind.RIGHT, 90),
        (4, TurnKind.LEFT, -90),
        (1, TurnKind.U_TURN, 180),
    ],
)
def test_turns_of_a_crossing(tmp_path: Path, end: int, kind: TurnKind, angle_deg: float) -> None:
    graph, _ = crossing().build(tmp_path)
    turn = turn_at(graph, 1, 5, end)
    assert graph.turn_kind[turn] == kind
    assert graph.turn_angle_deg[turn] == pytest.approx(angle_deg, abs=0.1)
    assert graph.turn_flags[turn] == 0


@pytest.mark.parametrize(
    ("x_m", "y_m", "kind"),
    [
        (100, 60, TurnKind.SLIGHT_LEFT),
        (100, -60, TurnKind.SLIGHT_RIGHT),
        (-100, 60, TurnKind.SHARP_LEFT),
        (-100, -60, TurnKind.SHARP_RIGHT),
        (100, 20, TurnKind.STRAIGHT),
    ],
)
def test_turn_kinds_by_angle(tmp_path: Path, x_m: float, y_m: float, kind: TurnKind) -> None:
    town = crossing()
    town.node(6, x_m, y_m)
    town.way(16, [5, 6])
    graph, _ = town.build(tmp_path)
    assert graph.turn_kind[turn_at(graph, 1, 5, 6)] == kind


def test_a_crooked_last_metre_does_not_bend_the_turn(tmp_path: Path) -> None:
    town = crossing()
    town.node(7, 1, 1)
    town.node(6, 101, 0)
    town.way(16, [5, 7, 6])
    graph, _ = town.build(tmp_path)
    assert graph.turn_kind[turn_at(graph, 1, 5, 6)] == TurnKind.STRAIGHT


def test_the_turn_table_lists_every_way_on(tmp_path: Path) -> None:
    graph, _ = crossing().build(tmp_path)
    for arc in range(graph.arc_count):
        listed = graph.turn_to[graph.turn_start[arc] : graph.turn_start[arc + 1]]
        expected = np.flatnonzero(graph.arc_from == graph.arc_to[arc])
        assert sorted(listed) == expected.tolist()


def test_two_ends_that_meet_are_a_joint_and_a_junction_is_none(tmp_path: Path) -> None:
    town = crossing()
    town.node(6, 200, 0)
    town.way(16, [2, 6], maxspeed="30")
    graph, _ = town.build(tmp_path)
    assert graph.turn_flags[turn_at(graph, 5, 2, 6)] == TurnFlag.JOINT
    assert graph.turn_flags[turn_at(graph, 6, 2, 5)] == TurnFlag.JOINT
    u_turn = turn_at(graph, 5, 2, 5)
    assert (graph.turn_kind[u_turn], graph.turn_flags[u_turn]) == (TurnKind.U_TURN, 0)
    assert not graph.turn_flags[turn_at(graph, 1, 5, 2)]


def test_a_signal_stops_every_turn_of_its_junction(tmp_path: Path) -> None:
    graph, report = crossing(highway="traffic_signals").build(tmp_path)
    assert report.signal_count == 1
    for end in (1, 2, 3, 4):
        assert graph.turn_flags[turn_at(graph, 1, 5, end)] == TurnFlag.SIGNAL
    assert not graph.turn_flags[turn_at(graph, 5, 1, 5)] & TurnFlag.SIGNAL


def test_a_signal_along_the_road_stops_only_the_side_that_it_faces(tmp_path: Path) -> None:
    town = Drawing()
    tags = {"highway": "traffic_signals", "traffic_signals:direction": "backward"}
    town.node(1, 0, 0)
    town.node(2, 50, 0, **tags)
    town.node(3, 100, 0)
    town.way(10, [1, 2, 3])
    graph, _ = town.build(tmp_path)
    assert graph.turn_flags[turn_at(graph, 1, 2, 3)] == TurnFlag.JOINT
    assert graph.turn_flags[turn_at(graph, 3, 2, 1)] == TurnFlag.SIGNAL


def test_the_signals_of_a_dual_carriageway_count_once(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (4, 120, 0), (5, 0, 50), (6, 20, 50)):
        town.node(osm_id, x_m, y_m)
    town.node(2, 0, 0, highway="traffic_signals")
    town.node(3, 20, 0, highway="traffic_signals")
    town.way(10, [1, 2, 3, 4])
    town.way(11, [2, 5])
    town.way(12, [3, 6])
    graph, _ = town.build(tmp_path)
    assert graph.turn_flags[turn_at(graph, 1, 2, 3)] & TurnFlag.SIGNAL
    assert not graph.turn_flags[turn_at(graph, 2, 3, 4)] & TurnFlag.SIGNAL
    assert graph.turn_flags[turn_at(graph, 6, 3, 4)] & TurnFlag.SIGNAL


def test_a_bollard_stops_everybody_and_leaves_the_way_back(tmp_path: Path) -> None:
    town = Drawing()
    town.node(1, 0, 0)
    town.node(2, 50, 0, barrier="bollard")
    town.node(3, 100, 0)
    town.way(10, [1, 2, 3])
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 2, 3), (3, 2, 1)}
    assert graph.turn_kind[turn_at(graph, 1, 2, 1)] == TurnKind.U_TURN
    assert report.barrier_count == 1


def test_a_guarded_gate_lets_a_crew_through(tmp_path: Path) -> None:
    town = Drawing()
    town.node(1, 0, 0)
    town.node(2, 50, 0, barrier="lift_gate", access="private")
    town.node(3, 100, 0)
    town.way(10, [1, 2, 3])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == set()
    assert banned_turns(graph, TurnFlag.BANNED_EXCEPT_EMERGENCY) == {(1, 2, 3), (3, 2, 1)}
    assert graph.arc_core.all()


def test_a_bridge_welded_to_the_road_below_is_reported(tmp_path: Path) -> None:
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (2, 100, 0), (3, 0, -100), (4, 0, 100), (5, 0, 0)):
        town.node(osm_id, x_m, y_m)
    town.way(10, [1, 5, 2])
    town.way(11, [3, 5, 4], bridge="yes", layer="1")
    _, report = town.build(tmp_path)
    assert any("welded" in finding and "5" in finding for finding in report.suspicious)
    assert report.bridge_count == 1


def test_two_nodes_at_one_place_still_have_a_length(tmp_path: Path) -> None:
    town = crossing()
    town.node(6, 0, 0)
    town.way(16, [5, 6])
    graph, _ = town.build(tmp_path)
    assert graph.arc_length_m.min() == pytest.approx(0.01)
    assert np.isfinite(graph.turn_angle_deg).all()


def test_flags_of_both_directions(tmp_path: Path) -> None:
    town = Drawing()
    town.node(1, 0, 0)
    town.node(2, 50, 0)
    town.way(10, [1, 2], oneway="yes", oneway__bus="no", maxspeed__backward="20")
    graph, _ = town.build(tmp_path)
    along, against = arc_between(graph, 1, 2), arc_between(graph, 2, 1)
    assert graph.arc_flags[along] == ArcFlag.ONEWAY
    crew = ArcFlag.ONEWAY | ArcFlag.EMERGENCY_ONLY | ArcFlag.AGAINST_WAY
    assert graph.arc_flags[against] == crew
    assert (graph.arc_maxspeed_kmh[along], graph.arc_maxspeed_kmh[against]) == (0.0, 20.0)


def test_arrays_have_the_promised_types(tmp_path: Path) -> None:
    graph, _ = crossing().build(tmp_path)
    hints = {name: str(hint) for name, hint in get_type_hints(RoadGraph).items()}
    for name, hint in hints.items():
        values = getattr(graph, name)
        if isinstance(values, np.ndarray):
            assert str(values.dtype).rstrip("_") in hint, name
            assert values.flags.c_contiguous, name
