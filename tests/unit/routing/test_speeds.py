"""The speed table that ships, and what each profile may do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import routing.speeds
from routing.graph import ArcFlag, TurnFlag, TurnKind
from routing.search.arrays import CLOSED_MS
from routing.speeds import (
    Profile,
    SpeedTableInvalid,
    arc_milliseconds,
    read_speed_table,
    shipped_speed_table,
    turn_milliseconds,
)
from tests.road_graphs import Street, build_graph, grid_graph

TABLE = Path(routing.speeds.__file__).with_name("speeds.json")


def kmh(profile: Profile, hour: int = 12, **street: object) -> float:
    graph = build_graph([(0.0, 0.0), (1000.0, 0.0)], [Street(start=0, end=1, **street)])  # type: ignore[arg-type]
    ms = int(arc_milliseconds(graph, profile, hour)[0])
    return float("inf") if ms == CLOSED_MS else 3600 * float(graph.arc_length_m[0]) / ms


def test_the_speeds_of_the_project_stand_in_the_table() -> None:
    assert kmh(Profile.RESPONSE_CAR, road_class="tertiary", hour=22) == pytest.approx(40, rel=1e-3)
    assert kmh(Profile.MOTORCYCLE, road_class="tertiary") == pytest.approx(45, rel=1e-3)
    assert kmh(Profile.PATROL, road_class="primary") == pytest.approx(20, rel=1e-3)
    assert kmh(Profile.RESPONSE_CAR, road_class="tertiary", hour=8) < 35


def test_every_number_has_a_source() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    for row in (*table["profiles"].values(), *table["hour_curves"].values()):
        assert row["source"]


def test_posted_limits_bind_patrols_and_bend_for_others() -> None:
    assert kmh(Profile.PATROL, maxspeed_kmh=10.0) == pytest.approx(10, rel=1e-3)
    assert kmh(Profile.FUGITIVE, road_class="primary", maxspeed_kmh=30.0) == pytest.approx(
        39, rel=1e-3
    )
    assert kmh(Profile.RESPONSE_CAR, road_class="primary", maxspeed_kmh=20.0) == pytest.approx(
        30, rel=1e-3
    )
    free = kmh(Profile.RESPONSE_CAR, road_class="primary")
    assert kmh(Profile.RESPONSE_CAR, road_class="primary", maxspeed_kmh=120.0) == free


def test_who_may_drive_where() -> None:
    closed = float("inf")
    for flag, profile, may in (
        (ArcFlag.EMERGENCY_ONLY, Profile.RESPONSE_CAR, True),
        (ArcFlag.EMERGENCY_ONLY, Profile.PATROL, False),
        (ArcFlag.NO_CAR, Profile.RESPONSE_CAR, False),
        (ArcFlag.NO_CAR, Profile.MOTORCYCLE, True),
        (ArcFlag.NO_MOTORCYCLE, Profile.MOTORCYCLE, False),
        (ArcFlag.PRIVATE, Profile.RESPONSE_CAR, True),
    ):
        assert (kmh(profile, flags=flag) != closed) is may
    assert kmh(Profile.RESPONSE_CAR, flags=ArcFlag.PRIVATE) == pytest.approx(15, rel=1e-3)


def test_no_arc_is_free() -> None:
    graph = build_graph(
        [(0.0, 0.0), (0.0001, 0.0)], [Street(start=0, end=1, road_class="motorway")]
    )
    assert (arc_milliseconds(graph, Profile.RESPONSE_CAR, 3) == 1).all()


def test_turns_cost_by_bend_signal_and_ban() -> None:
    plain, lit = grid_graph(3, 3), grid_graph(3, 3, signals=frozenset({4}))
    speeds = shipped_speed_table().profiles[Profile.RESPONSE_CAR]
    costs = turn_milliseconds(plain, Profile.RESPONSE_CAR)
    assert (costs == speeds.turn_ms[plain.turn_kind]).all()
    dearer = turn_milliseconds(lit, Profile.RESPONSE_CAR) - costs
    assert set(dearer.tolist()) == {0, speeds.signal_ms}
    kinds = speeds.turn_ms
    assert (
        kinds[TurnKind.STRAIGHT]
        < kinds[TurnKind.RIGHT]
        < kinds[TurnKind.LEFT]
        < kinds[TurnKind.U_TURN]
    )


@pytest.mark.parametrize(
    ("flag", "open_to"),
    [
        (TurnFlag.BANNED, {Profile.FUGITIVE}),
        (
            TurnFlag.BANNED_EXCEPT_EMERGENCY,
            {Profile.RESPONSE_CAR, Profile.MOTORCYCLE, Profile.FUGITIVE},
        ),
    ],
)
def test_who_may_turn_where(flag: TurnFlag, open_to: set[Profile]) -> None:
    nodes = [(0.0, 0.0), (100.0, 0.0), (200.0, 0.0)]
    streets = [Street(start=0, end=1, oneway=True), Street(start=1, end=2, oneway=True)]
    graph = build_graph(nodes, streets, turn_flags={(0, 1): flag})
    found = {p for p in Profile if turn_milliseconds(graph, p)[0] < CLOSED_MS}
    assert found == open_to


def test_where_two_ends_meet_only_turning_back_costs() -> None:
    nodes = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0)]
    streets = [Street(start=0, end=1), Street(start=1, end=2)]
    joints = dict.fromkeys([(0, 1), (0, 2)], TurnFlag.JOINT)
    graph = build_graph(nodes, streets, turn_flags=joints)
    costs = turn_milliseconds(graph, Profile.PATROL)
    turns = {int(graph.turn_to[turn]): int(costs[turn]) for turn in range(graph.turn_start[1])}
    assert turns[2] == 0
    assert turns[1] == shipped_speed_table().profiles[Profile.PATROL].turn_ms[TurnKind.U_TURN]


def test_hours_without_a_difference_are_known() -> None:
    table = shipped_speed_table()
    assert table.same_hour(12, 13)
    assert not table.same_hour(12, 18)


@pytest.mark.parametrize(
    "defect", ["missing class", "zero speed", "short curve", "no json", "flag"]
)
def test_a_bad_table_is_refused_by_name(tmp_path: Path, defect: str) -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    car = table["profiles"]["response_car"]
    if defect == "missing class":
        del car["speed_kmh"]["residential"]
    elif defect == "zero speed":
        car["speed_kmh"]["residential"] = 0
    elif defect == "short curve":
        table["hour_curves"]["flat"]["factor"] = [1.0] * 23
    elif defect == "flag":
        car["arcs_closed"] = ["no_tanks"]
    path = tmp_path / "mine.json"
    path.write_text("{" if defect == "no json" else json.dumps(table), encoding="utf-8")
    with pytest.raises(SpeedTableInvalid, match=r"mine\.json"):
        read_speed_table(path)


def test_another_table_may_be_used(tmp_path: Path) -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    table["profiles"]["patrol"]["speed_kmh"]["residential"] = 10
    path = tmp_path / "calibrated.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    graph = grid_graph(2, 2)
    ours = arc_milliseconds(graph, Profile.PATROL, 12, read_speed_table(path))
    residential = np.array(
        [name.startswith("C") for name in (graph.names[n] for n in graph.arc_name)]
    )
    assert (ours[residential] == 2 * arc_milliseconds(graph, Profile.PATROL, 12)[residential]).all()
