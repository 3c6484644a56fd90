"""The settings of the core: bands, bounds and defaults, all in one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch.words import ANY_PATROL, Clock, UnitStatus
from platforms.categories import Category, UnitKind

PATROL_KINDS = (UnitKind.RESPONSE_CAR, UnitKind.MOTORCYCLE)
"""The kinds behind "any": they answer incidents and patrol."""


def _turnout_by_status() -> dict[UnitStatus, float]:
    # ASSUMPTION: no source gives turn-out seconds; a crew on patrol sits in a running vehicle, one
    # on standby at its platform has to get in. City settings override it.
    return {
        UnitStatus.STANDBY: 20.0,
        UnitStatus.POSTED: 5.0,
        UnitStatus.PATROLLING: 2.0,
        UnitStatus.RETURNING: 2.0,
    }


def _turnout_factor() -> dict[UnitKind, float]:
    # ASSUMPTION: a motorcycle rolls sooner than a car, an assault team has to gear up.
    return {
        UnitKind.COMMAND_VEHICLE: 1.5,
        UnitKind.RESPONSE_CAR: 1.0,
        UnitKind.MOTORCYCLE: 0.75,
        UnitKind.ASSAULT_TEAM: 6.0,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the dispatcher works; every number may be set by the city.

    Attributes:
        clock: When the promise starts to count: no source says, so it is a setting.
        realert_s: Seconds without an ack until the crew is alerted again, by priority.
        timeout_s: Seconds without an ack until a substitute is sent, by priority
            (3 and 4: ASSUMPTION).
        substitutes_max: Substitutes for one unanswered order, at most (ASSUMPTION).
        ack_band_s: Sign-for within this is practice elsewhere.
        departed_band_s: Departed within this of the order, likewise.
        feedback_band_s: Fed back within this of arrival, likewise.
        turnout_status_s: Seconds until a response car rolls, by its status.
        turnout_kind_factor: Times this, by kind.
        turnout_default_s: For a status that has no entry.
        command_vehicle_last_resort: Command vehicles go where "any" is wanted and nobody else can.
        candidates_k: Units shown in a receipt for each kind.
        candidates_max: The most a client may ask for.
        required_default: Units that go where neither call nor category says.
        required_max: The most units that one incident may ask for.
        open_incidents_max: Open incidents held at once.
        waiting_max: Incidents that wait for units at once.
        closures_max: Road closures held at once (ASSUMPTION: ten a platform and many to spare).
        speed_factors_max: Speed factors held at once (ASSUMPTION, likewise).
        notes_max: Remarks on one incident.
        device_past_max_s: How old a device's time may be (taps made offline).
        device_future_max_s: How far it may run ahead.
        device_before_order_s: A step up to so much before its order is a slow clock and is
            moved to the order's time; more than that, and the service's own time is taken.
        recheck_gain_s: A way is replaced after a change of roads when its ETA moves by so much.
    """

    clock: Clock = Clock.DISPATCHED
    realert_s: Mapping[int, float] = field(default_factory=lambda: {1: 10.0})
    timeout_s: Mapping[int, float] = field(
        default_factory=lambda: {1: 20.0, 2: 60.0, 3: 120.0, 4: 300.0}
    )
    substitutes_max: int = 3
    ack_band_s: float = 30.0
    departed_band_s: float = 300.0
    feedback_band_s: float = 1800.0
    turnout_status_s: Mapping[UnitStatus, float] = field(default_factory=_turnout_by_status)
    turnout_kind_factor: Mapping[UnitKind, float] = field(default_factory=_turnout_factor)
    turnout_default_s: float = 20.0
    command_vehicle_last_resort: bool = True
    candidates_k: int = 5
    candidates_max: int = 50
    required_default: Mapping[str, int] = field(default_factory=lambda: {ANY_PATROL: 1})
    required_max: int = 50
    open_incidents_max: int = 5_000
    waiting_max: int = 1_000
    closures_max: int = 2_000
    speed_factors_max: int = 2_000
    notes_max: int = 500
    device_past_max_s: float = 86_400.0
    device_future_max_s: float = 60.0
    device_before_order_s: float = 60.0
    recheck_gain_s: float = 5.0

    def turnout_s(self, kind: UnitKind, status: UnitStatus) -> float:
        """Seconds until a unit of this kind and status rolls."""
        base_s = self.turnout_status_s.get(status, self.turnout_default_s)
        return base_s * self.turnout_kind_factor.get(kind, 1.0)


def kinds_of(key: str) -> tuple[UnitKind, ...]:
    """The unit kinds behind a key of `required`: "any", a kind, or kinds joined by "|".

    Raises:
        ValueError: No kind has that name.
    """
    return PATROL_KINDS if key == ANY_PATROL else tuple(UnitKind(part) for part in key.split("|"))


def required_for(category: Category) -> dict[str, int]:
    """What a category needs by default, as a `required` mapping."""
    required: dict[str, int] = {}
    for requirement in category.required:
        key = "|".join(requirement.kinds)
        if set(requirement.kinds) == set(PATROL_KINDS):
            key = ANY_PATROL
        required[key] = required.get(key, 0) + requirement.count
    return required
