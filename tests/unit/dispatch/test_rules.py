"""Settings of the core: turn-out, and what a category needs."""

from __future__ import annotations

import pytest

from dispatch.rules import Rules, kinds_of, required_for
from dispatch.words import UnitStatus
from platforms.categories import UnitKind, default_categories


def test_turnout_follows_status_and_kind() -> None:
    rules = Rules()
    assert rules.turnout_s(UnitKind.RESPONSE_CAR, UnitStatus.STANDBY) == 20.0
    assert rules.turnout_s(UnitKind.MOTORCYCLE, UnitStatus.STANDBY) == 15.0
    assert rules.turnout_s(UnitKind.RESPONSE_CAR, UnitStatus.PATROLLING) == 2.0
    assert rules.turnout_s(UnitKind.RESPONSE_CAR, UnitStatus.ON_SCENE) == rules.turnout_default_s


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("any", (UnitKind.RESPONSE_CAR, UnitKind.MOTORCYCLE)),
        ("assault_team", (UnitKind.ASSAULT_TEAM,)),
        ("assault_team|motorcycle", (UnitKind.ASSAULT_TEAM, UnitKind.MOTORCYCLE)),
    ],
)
def test_keys_of_a_need_name_kinds(key: str, kinds: tuple[UnitKind, ...]) -> None:
    assert kinds_of(key) == kinds


def test_a_category_s_forces_become_a_need() -> None:
    needs = {category.code: required_for(category) for category in default_categories()}
    assert needs["criminal"] == {"response_car": 1, "any": 1}
    assert needs["mass_event"] == {"command_vehicle": 1, "response_car": 2}
    assert needs["inquiry"] == {}
