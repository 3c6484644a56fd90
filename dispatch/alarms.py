"""Alarms: what must never be so, or not for long, and is so now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dispatch.words import UnitId, UnixMs


class AlarmKind(StrEnum):
    """What is wrong.

    The first four can only come from a defect, of the program or of a log that was changed by hand;
    the others from the day's work and the machines.
    """

    UNIT_DOUBLY_BOUND = "unit_doubly_bound"
    ASSIGNMENT_ADRIFT = "assignment_adrift"
    UNIT_STUCK = "unit_stuck"
    INCIDENT_UNQUEUED = "incident_unqueued"

    URGENT_UNATTENDED = "urgent_unattended"
    ORDER_UNANSWERED = "order_unanswered"
    CLOCK_JUMPED = "clock_jumped"
    DEVICE_CLOCK_AHEAD = "device_clock_ahead"


DEFECTS = frozenset(
    {
        AlarmKind.UNIT_DOUBLY_BOUND,
        AlarmKind.ASSIGNMENT_ADRIFT,
        AlarmKind.UNIT_STUCK,
        AlarmKind.INCIDENT_UNQUEUED,
    }
)
"""What no sequence of questions can bring about: the board contradicts itself."""

SERVICE = "service"
"""What an alarm is about that concerns no single thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that is wrong now.

    Attributes:
        kind: What is wrong.
        about: Id of the thing that it is wrong with, or `service`.
        why: One sentence for people, with the values.
        raised_at_ms: Since when it is known.
    """

    kind: AlarmKind
    about: str
    why: str
    raised_at_ms: UnixMs


def alarm_id(kind: AlarmKind, about: str) -> str:
    """Names an alarm: there is one at most of a kind about a thing."""
    return f"{kind}:{about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRules:
    """When it is wrong.

    Attributes:
        urgent_unattended_s: Seconds that an incident of priority 1 may be without a unit whose
            position is known (ASSUMPTION: the shortest promise).
        unacked_grace_s: Seconds that an order may stay unanswered beyond the time-out of its
            priority, in which a substitute is sent (ASSUMPTION).
        clock_skew_s: Seconds that the service's clock may jump, or a device's run ahead of it.
        clock_settled_s: After so many seconds without another jump the clock is believed again
            (ASSUMPTION).
    """

    urgent_unattended_s: float = 60.0
    unacked_grace_s: float = 10.0
    clock_skew_s: float = 2.0
    clock_settled_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the board does not know and alarms depend on.

    Attributes:
        lost_since_ms: Units bound to an incident whose position is lost, and since when. Those that
            never sent one are not among them: they may have no device at all.
        clock_jump_s: How far the service's clock has jumped against a steady one.
        ahead_s: Units whose device's clock runs ahead of the service's, and how far.
    """

    lost_since_ms: Mapping[UnitId, UnixMs] = field(default_factory=dict)
    clock_jump_s: float = 0.0
    ahead_s: Mapping[UnitId, float] = field(default_factory=dict)
