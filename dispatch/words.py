"""The field's words as types: ids, states and reasons. Values are those of the HTTP API."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

UnixMs = NewType("UnixMs", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

IncidentId = NewType("IncidentId", str)
AssignmentId = NewType("AssignmentId", str)
UnitId = NewType("UnitId", str)
ClosureId = NewType("ClosureId", str)
SpeedFactorId = NewType("SpeedFactorId", str)

ANY_PATROL = "any"
"""Key in a `required` mapping: a response car or a motorcycle, whichever is there first."""


class IncidentStatus(StrEnum):
    """Where an incident stands (警情状态)."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    ACKED = "acked"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    FED_BACK = "fed_back"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"


class AssignmentState(StrEnum):
    """Where a dispatch order (派警单) stands. The second row are its ends."""

    DISPATCHED = "dispatched"
    ACKED = "acked"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"

    CLEARED = "cleared"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    PREEMPTED = "preempted"
    CANCELLED = "cancelled"
    RELEASED = "released"

    @property
    def is_active(self) -> bool:
        """True while the unit is bound to the incident."""
        return self in _ACTIVE


_ACTIVE = frozenset(
    {
        AssignmentState.DISPATCHED,
        AssignmentState.ACKED,
        AssignmentState.EN_ROUTE,
        AssignmentState.ON_SCENE,
    }
)


class UnitStatus(StrEnum):
    """What a unit (警力) does. `offline` is never stored: it follows from a stale position."""

    STANDBY = "standby"
    PATROLLING = "patrolling"
    POSTED = "posted"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    RETURNING = "returning"
    OFF_DUTY = "off_duty"
    OFFLINE = "offline"


class Stamp(StrEnum):
    """The steps of an assignment that a crew stamps, in their order."""

    ACKED = "acked"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    FEEDBACK = "feedback"
    CLEARED = "cleared"


class Clock(StrEnum):
    """When the promise's clock starts: at the dispatch order or when the call is received."""

    DISPATCHED = "dispatched"
    RECEIVED = "received"


class DispatchMode(StrEnum):
    """Whether the service sends units itself (`auto`) or waits for a dispatcher (`manual`)."""

    AUTO = "auto"
    MANUAL = "manual"


class ChosenBy(StrEnum):
    """What led to a dispatch order."""

    AUTO = "auto"
    HAND = "hand"
    QUEUE = "queue"
    SUBSTITUTE = "substitute"


class Overdue(StrEnum):
    """Bands of practice that an incident has outrun."""

    ACK = "ack_overdue"
    DEPARTED = "departed_overdue"
    ARRIVAL = "arrival_overdue"
    FEEDBACK = "feedback_overdue"


class Direction(StrEnum):
    """Which way of a road a closure shuts, seen along the way as it is mapped."""

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"
