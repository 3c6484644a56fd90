"""Turn restriction relations, one kind after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.graph import TurnFlag
from routing.osm.import_report import ImportReport
from routing.osm.restriction_tags import Unused
from tests.osm_drawing import Drawing, banned_turns

VIA = ("node", "via", 5)
FROM_WEST, TO_NORTH = ("way", "from", 11), ("way", "to", 14)
LEFT = [FROM_WEST, VIA, TO_NORTH]
"""From the west into the north: a left turn."""


def crossing() -> Drawing:
    """Four streets that meet at node 5: ways 11 west, 12 east, 13 south, 14 north."""
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (2, 100, 0), (3, 0, -100), (4, 0, 100)):
        town.node(osm_id, x_m, y_m)
        town.way(10 + osm_id, [osm_id, 5])
    town.node(5, 0, 0)
    return town


def through_road() -> Drawing:
    """One way, 20, runs from 1 over 5 to 2; way 14 goes north from 5."""
    town = Drawing()
    for osm_id, x_m, y_m in ((1, -100, 0), (2, 100, 0), (4, 0, 100), (5, 0, 0)):
        town.node(osm_id, x_m, y_m)
    town.way(20, [1, 5, 2])
    town.way(14, [5, 4])
    return town


def unused(report: ImportReport) -> dict[str, int]:
    return report.restrictions_unused


@pytest.mark.parametrize("kind", ["no_left_turn", "no_right_turn", "no_straight_on", "no_entry"])
def test_no_bans_the_named_turn_alone(tmp_path: Path, kind: str) -> None:
    # Between two ways that end at the junction the members say it all, whatever the name.
    town = crossing()
    town.restriction(kind, LEFT)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 4)}
    assert (report.restrictions_used, unused(report), report.turns_banned) == (1, {}, 1)


@pytest.mark.parametrize("kind", ["only_left_turn", "only_straight_on"])
def test_only_bans_every_other_turn(tmp_path: Path, kind: str) -> None:
    town = crossing()
    town.restriction(kind, LEFT)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 1), (1, 5, 2), (1, 5, 3)}
    assert report.restrictions_used == 1


def test_no_u_turn_on_one_way(tmp_path: Path) -> None:
    town = crossing()
    town.restriction("no_u_turn", [FROM_WEST, VIA, ("way", "to", 11)])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 1)}


def test_no_u_turn_on_a_way_that_goes_on_keeps_straight_on(tmp_path: Path) -> None:
    town = through_road()
    town.restriction("no_u_turn", [("way", "from", 20), VIA, ("way", "to", 20)])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 1), (2, 5, 2)}


@pytest.mark.parametrize(
    ("kind", "expected"), [("no_left_turn", {(1, 5, 4)}), ("no_right_turn", {(2, 5, 4)})]
)
def test_the_name_tells_the_side_where_a_way_goes_on(
    tmp_path: Path, kind: str, expected: set[tuple[int, int, int]]
) -> None:
    town = through_road()
    town.restriction(kind, [("way", "from", 20), VIA, ("way", "to", 14)])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == expected


def test_only_straight_on_along_one_way(tmp_path: Path) -> None:
    town = through_road()
    town.restriction("only_straight_on", [("way", "from", 20), VIA, ("way", "to", 20)])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 4), (1, 5, 1), (2, 5, 4), (2, 5, 2)}


def test_no_entry_from_several_ways(tmp_path: Path) -> None:
    town = crossing()
    town.restriction("no_entry", [FROM_WEST, ("way", "from", 12), VIA, TO_NORTH])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 4), (2, 5, 4)}


def test_no_exit_into_several_ways(tmp_path: Path) -> None:
    town = crossing()
    town.restriction("no_exit", [FROM_WEST, VIA, TO_NORTH, ("way", "to", 13)])
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 4), (1, 5, 3)}


def test_except_emergency_is_kept_apart(tmp_path: Path) -> None:
    town = crossing()
    town.restriction("no_left_turn", LEFT, **{"except": "psv; emergency"})
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == set()
    assert banned_turns(graph, TurnFlag.BANNED_EXCEPT_EMERGENCY) == {(1, 5, 4)}
    assert report.restrictions_used == 1


def test_restriction_for_motor_vehicles_counts(tmp_path: Path) -> None:
    town = crossing()
    town.restriction("", LEFT, **{"restriction:motor_vehicle": "no_left_turn"})
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 4)}


@pytest.mark.parametrize(
    ("kind", "members", "tags", "reason"),
    [
        ("no_left_turn", LEFT, {"except": "motorcar"}, Unused.OTHER_VEHICLES),
        ("", LEFT, {"restriction:hgv": "no_left_turn"}, Unused.OTHER_VEHICLES),
        (
            "",
            LEFT,
            {"restriction:conditional": "no_left_turn @ (07:00-09:00)"},
            Unused.TIMED,
        ),
        ("no_left_turn", LEFT, {"hour_on": "07:00", "hour_off": "09:00"}, Unused.TIMED),
        ("no_stopping", LEFT, {}, Unused.UNKNOWN_KIND),
        ("no_left_turn", [FROM_WEST, VIA], {}, Unused.INCOMPLETE),
        ("no_left_turn", [FROM_WEST, TO_NORTH], {}, Unused.INCOMPLETE),
        ("no_left_turn", [VIA], {}, Unused.INCOMPLETE),
        ("no_left_turn", [FROM_WEST, VIA, ("node", "via", 1), TO_NORTH], {}, Unused.INCOMPLETE),
        ("no_left_turn", [FROM_WEST, VIA, ("way", "to", 77)], {}, Unused.OFF_NETWORK),
        ("no_left_turn", [FROM_WEST, ("node", "via", 99), TO_NORTH], {}, Unused.OFF_NETWORK),
        ("no_left_turn", [FROM_WEST, ("node", "via", 1), TO_NORTH], {}, Unused.NO_SUCH_TURN),
        ("no_left_turn", [FROM_WEST, ("way", "via", 77), TO_NORTH], {}, Unused.OFF_NETWORK),
    ],
)
def test_what_cannot_be_used_is_counted_with_its_reason(
    tmp_path: Path,
    kind: str,
    members: list[tuple[str, str, int]],
    tags: dict[str, str],
    reason: Unused,
) -> None:
    town = crossing()
    town.restriction(kind, members, **tags)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == set()
    assert banned_turns(graph, TurnFlag.BANNED_EXCEPT_EMERGENCY) == set()
    assert (report.restrictions_used, unused(report)) == (0, {str(reason): 1})


def test_a_turn_into_an_oncoming_one_way_needs_no_ban(tmp_path: Path) -> None:
    town = crossing()
    town.node(6, 100, 100)
    town.way(16, [6, 5], oneway="yes")
    town.restriction("no_left_turn", [FROM_WEST, VIA, ("way", "to", 16)])
    _, report = town.build(tmp_path)
    assert unused(report) == {str(Unused.NO_SUCH_TURN): 1}


def dual_carriageway() -> Drawing:
    """East-bound way 20 (1-5-2) and west-bound way 21 (3-6-4), joined by way 22 from 5 to 6."""
    town = Drawing()
    places = ((1, -100, 0), (5, 0, 0), (2, 100, 0), (3, 100, 20), (6, 0, 20), (4, -100, 20))
    for osm_id, x_m, y_m in places:
        town.node(osm_id, x_m, y_m)
    town.way(20, [1, 5], oneway="yes")
    town.way(23, [5, 2], oneway="yes")
    town.way(21, [3, 6], oneway="yes")
    town.way(24, [6, 4], oneway="yes")
    town.way(22, [5, 6], oneway="yes")
    return town


VIA_LINK = [("way", "from", 20), ("way", "via", 22), ("way", "to", 24)]


def test_a_via_way_that_only_this_path_uses_is_one_ban(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.restriction("no_u_turn", VIA_LINK)
    graph, report = town.build(tmp_path)
    assert len(banned_turns(graph)) == 1
    assert banned_turns(graph) <= {(1, 5, 6), (5, 6, 4)}
    assert report.restrictions_used == 1


def test_the_ban_moves_to_the_end_that_no_other_path_shares(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.node(7, 0, -50)
    town.way(25, [7, 5], oneway="yes")  # also leads into the link: 7-5-6-4 stays allowed
    town.restriction("no_u_turn", VIA_LINK)
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(1, 5, 6)}


def test_and_to_the_other_end(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.node(7, 0, 80)
    town.way(25, [6, 7], oneway="yes")  # also leaves the link: 1-5-6-7 stays allowed
    town.restriction("no_u_turn", VIA_LINK)
    graph, _ = town.build(tmp_path)
    assert banned_turns(graph) == {(5, 6, 4)}


def test_a_via_way_shared_at_both_ends_is_counted_as_unused(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.node(7, 0, -50)
    town.node(8, 0, 80)
    town.way(25, [7, 5], oneway="yes")
    town.way(26, [6, 8], oneway="yes")
    town.restriction("no_u_turn", VIA_LINK)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == set()
    assert unused(report) == {str(Unused.VIA_WAY): 1}


def test_only_through_a_via_way(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.node(7, 0, 80)
    town.way(25, [6, 7], oneway="yes")
    town.restriction("only_u_turn", VIA_LINK)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == {(5, 6, 7)}
    assert report.restrictions_used == 1


def test_only_through_a_via_way_that_others_share_is_unused(tmp_path: Path) -> None:
    town = dual_carriageway()
    town.node(7, 0, 80)
    town.node(8, 0, -50)
    town.way(25, [6, 7], oneway="yes")
    town.way(26, [8, 5], oneway="yes")  # 8-5-6-7 stays allowed
    town.restriction("only_u_turn", VIA_LINK)
    graph, report = town.build(tmp_path)
    assert banned_turns(graph) == set()
    assert unused(report) == {str(Unused.VIA_WAY): 1}
