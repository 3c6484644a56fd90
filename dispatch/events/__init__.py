"""The facts of the log: what happened, past tense, never changed once written.

Every event has `at_ms`, when it happened: the device's time for a crew's stamps, the service's for
all else. The envelope `Recorded` adds the place in the log, when it was recorded and by whom.
A kind keeps its name and its fields for ever; what must change becomes a new kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from dispatch.changed import quickly_made
from dispatch.events.alarms import AlarmCleared, AlarmRaised
from dispatch.events.assignments import (
    AckRealerted,
    AssignmentAcked,
    AssignmentArrived,
    AssignmentCancelled,
    AssignmentCleared,
    AssignmentDeclined,
    AssignmentDeparted,
    AssignmentPreempted,
    AssignmentRechecked,
    AssignmentReleased,
    AssignmentTimedOut,
    FeedbackGiven,
    LateStampRecorded,
    StampCorrected,
    UnitDispatched,
)
from dispatch.events.field import (
    LoanEnded,
    RoadClosed,
    RoadReopened,
    SpeedFactorLifted,
    SpeedFactorSet,
    UnitLent,
    UnitStatusChanged,
    UnitStatusIgnored,
)
from dispatch.events.incidents import (
    IncidentAmended,
    IncidentCancelled,
    IncidentClosed,
    IncidentMerged,
    IncidentNudged,
    IncidentReceived,
    IncidentReopened,
    NoteAdded,
    OverdueFlagged,
    TargetMissed,
    UnitsChosen,
)
from dispatch.words import UnixMs

__all__ = [
    "EVENT_KINDS",
    "KIND_NAMES",
    "AckRealerted",
    "AlarmCleared",
    "AlarmRaised",
    "AssignmentAcked",
    "AssignmentArrived",
    "AssignmentCancelled",
    "AssignmentCleared",
    "AssignmentDeclined",
    "AssignmentDeparted",
    "AssignmentEnded",
    "AssignmentPreempted",
    "AssignmentRechecked",
    "AssignmentReleased",
    "AssignmentTimedOut",
    "CrewStamp",
    "Event",
    "FeedbackGiven",
    "IncidentAmended",
    "IncidentCancelled",
    "IncidentClosed",
    "IncidentEnded",
    "IncidentMerged",
    "IncidentNudged",
    "IncidentReceived",
    "IncidentReopened",
    "LateStampRecorded",
    "LoanEnded",
    "NoteAdded",
    "OverdueFlagged",
    "Recorded",
    "RoadClosed",
    "RoadReopened",
    "SpeedFactorLifted",
    "SpeedFactorSet",
    "StampCorrected",
    "TargetMissed",
    "UnitDispatched",
    "UnitLent",
    "UnitStatusChanged",
    "UnitStatusIgnored",
    "UnitsChosen",
]

AssignmentEnded: TypeAlias = (
    AssignmentDeclined
    | AssignmentTimedOut
    | AssignmentPreempted
    | AssignmentCancelled
    | AssignmentReleased
)
"""The ends of an assignment that leave its work undone."""

CrewStamp: TypeAlias = AssignmentAcked | AssignmentDeparted | AssignmentArrived
"""The steps that a later one implies."""

IncidentEnded: TypeAlias = IncidentClosed | IncidentCancelled | IncidentMerged
"""The events by which an incident leaves the board."""

Event: TypeAlias = (
    IncidentReceived
    | IncidentAmended
    | IncidentClosed
    | IncidentCancelled
    | IncidentReopened
    | IncidentNudged
    | IncidentMerged
    | NoteAdded
    | UnitsChosen
    | UnitDispatched
    | AssignmentAcked
    | AssignmentDeparted
    | AssignmentArrived
    | FeedbackGiven
    | AssignmentCleared
    | AssignmentDeclined
    | AssignmentTimedOut
    | AssignmentPreempted
    | AssignmentCancelled
    | AssignmentReleased
    | LateStampRecorded
    | StampCorrected
    | AckRealerted
    | OverdueFlagged
    | TargetMissed
    | AssignmentRechecked
    | UnitStatusChanged
    | UnitStatusIgnored
    | UnitLent
    | LoanEnded
    | RoadClosed
    | RoadReopened
    | SpeedFactorSet
    | SpeedFactorLifted
    | AlarmRaised
    | AlarmCleared
)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


EVENT_KINDS: Final[dict[str, type]] = {_snake(kind.__name__): kind for kind in get_args(Event)}
"""The name of each kind in log and feeds, as "unit_dispatched", and its class."""

KIND_NAMES: Final[dict[type, str]] = {kind: name for name, kind in EVENT_KINDS.items()}
"""The other way round."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event in the log.

    Attributes:
        seq: Its place, 1 for the first, without gaps.
        recorded_at_ms: When the service recorded it.
        actor: Who caused it: a token's id, or "system" for timers.
        event: What happened.
    """

    seq: int
    recorded_at_ms: UnixMs
    actor: str
    event: Event
