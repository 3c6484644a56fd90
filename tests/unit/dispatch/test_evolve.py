"""How the board follows from the log, where no story tells it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import get_args

import pytest

from dispatch.board import Board, open_board
from dispatch.changed import changed
from dispatch.errors import LogDamaged
from dispatch.events import (
    EVENT_KINDS,
    KIND_NAMES,
    AssignmentPreempted,
    Event,
    IncidentNudged,
    Recorded,
    UnitStatusIgnored,
)
from dispatch.evolve import evolve
from dispatch.questions import StampAssignment
from dispatch.words import (
    AssignmentId,
    AssignmentState,
    IncidentId,
    IncidentStatus,
    Stamp,
    UnitId,
    UnitStatus,
)
from platforms.categories import UnitKind
from platforms.city import City, Unit
from tests.toy_town import T0, Town, call


def entry(seq: int, event: Event) -> Recorded:
    return Recorded(seq=seq, recorded_at_ms=T0, actor="test", event=event)


NUDGED = IncidentNudged(at_ms=T0, incident_id=IncidentId("I000001"), text="")


def test_an_entry_out_of_order_is_refused() -> None:
    with pytest.raises(LogDamaged, match="entry 1 was due") as refusal:
        evolve(Board(), entry(2, NUDGED))
    assert refusal.value.seq == 2


def test_an_entry_about_nothing_is_refused() -> None:
    with pytest.raises(LogDamaged, match="I000001"):
        evolve(Board(), entry(1, NUDGED))


def test_a_preempted_unit_is_free_and_goes_back() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5))
    a1 = AssignmentId("A000001")
    town.ask(StampAssignment(assignment_id=a1, stamp=Stamp.DEPARTED))
    event = AssignmentPreempted(
        at_ms=T0,
        assignment_id=a1,
        incident_id=IncidentId("I000001"),
        unit_id=UnitId("C1"),
        reason="a graver call",
    )
    board = evolve(town.board, entry(town.board.seq + 1, event))
    assert board.assignments[a1].state is AssignmentState.PREEMPTED
    assert board.units[UnitId("C1")].status is UnitStatus.RETURNING
    assert board.incidents[IncidentId("I000001")].status is IncidentStatus.PENDING
    assert board.incidents[IncidentId("I000001")].unmet == {"any": 1}


def test_an_ignored_status_moves_the_seq_only() -> None:
    town = Town().with_unit("C1", (5, 4))
    event = UnitStatusIgnored(at_ms=T0, unit_id=UnitId("C1"), status=UnitStatus.STANDBY, why="old")
    assert evolve(town.board, entry(1, event)) == replace(town.board, seq=1)


def test_the_board_before_an_event_is_not_touched() -> None:
    town = Town().with_unit("C1", (5, 4))
    before, units = town.board, dict(town.board.units)
    town.ask(call(5, 5))
    assert (before.seq, before.incidents, before.units) == (0, {}, units)


def test_the_board_of_a_city_has_its_units_in_the_order_of_their_ids() -> None:
    def unit(unit_id: str, *, on_duty: bool) -> Unit:
        return Unit(
            unit_id=unit_id,
            call_sign=unit_id,
            kind=UnitKind.MOTORCYCLE,
            platform_id="P01",
            area_id="city",
            on_duty=on_duty,
        )

    city = City(
        name="x",
        synthetic=True,
        note="",
        timezone="Asia/Shanghai",
        areas=(),
        platforms=(),
        units=(unit("P01-M2", on_duty=False), unit("P01-M1", on_duty=True)),
        grids=(),
        zones=(),
        key_sites=(),
        places=(),
    )
    board = open_board(city)
    assert list(board.units) == ["P01-M1", "P01-M2"]
    assert [one.status for one in board.units.values()] == ["standby", "off_duty"]
    assert [one.is_free for one in board.units.values()] == [True, False]


def test_every_kind_has_one_name() -> None:
    assert len(EVENT_KINDS) == len(get_args(Event)) == len(KIND_NAMES)
    assert EVENT_KINDS["ack_realerted"].__name__ == "AckRealerted"
    assert all(kind.__dataclass_params__.frozen for kind in EVENT_KINDS.values())  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        NUDGED.text = "changed"  # type: ignore[misc]


def test_changed_copies_are_those_of_dataclasses_replace() -> None:
    town = Town().with_unit("C1", (5, 4))
    town.ask(call(5, 5))
    for value in (town.incident(), town.assignment(), town.unit("C1"), town.board.units):
        if not isinstance(value, dict):
            assert changed(value, version=9) == replace(value, version=9)
    with pytest.raises(TypeError, match="colour"):
        changed(town.unit("C1"), colour="blue")  # type: ignore[call-arg]
