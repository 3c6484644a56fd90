"""What can go wrong with dispatch.

DispatchError
├── Unknown                 an id that nothing answers to
│   ├── IncidentUnknown
│   ├── AssignmentUnknown
│   ├── UnitUnknown
│   ├── ClosureUnknown
│   └── SpeedFactorUnknown
├── Conflict                the state of things forbids it now
│   ├── VersionStale        somebody changed the resource since it was read
│   ├── UnitTaken           the unit is bound to an incident; says to which, and who else could go
│   ├── UnitBusy            a unit with an active assignment cannot go off duty
│   ├── UnitOffDuty         the unit has no crew on duty
│   ├── NoUnitFree          nobody is left who could go
│   ├── NoWay               the unit cannot reach the place by road
│   └── StateConflict       the resource is in a state that forbids it
├── Refused                 the question itself is not sound
│   ├── BadStamp            a corrected time that breaks the order of steps
│   ├── ClockSkew           a device's time too far from the service's
│   ├── BadPeriod           a closure or speed that would be over before it begins
│   ├── BadLoan             a unit lent to the area that it belongs to
│   ├── BadRequirement      a kind or a number of units that cannot be asked for
│   └── BadUnitStatus       a status that nobody may set by hand
├── QueueFull               more incidents or closures than the service is set up to hold
├── CommandReused           a command key used again for another body
├── CommandInProgress       the same command is still being worked on
├── CursorExpired           a place in the log that is no longer kept
└── StoreError
    ├── StoreUnavailable    the log cannot be written now; try again
    │   └── OutcomeUnknown  whether it was recorded could not be found out
    ├── StoreUnsafe         the server of the log would lose what it has acknowledged
    ├── StoreLocked         another service owns the folder
    ├── LogDamaged          the log does not follow from itself
    ├── RowDamaged          a row beside the events is not as it was written
    ├── LogFormatUnknown    a log or snapshot laid out by another version
    ├── AppendRefused       the log takes no append of this writer, or not this one
    │   ├── LogMoved        the log has moved on since the decision
    │   ├── StaleEpoch      a newer writer has taken over
    │   └── CommandKnown    the command was carried out before
    └── EventKindUnknown    an event of a kind that this version does not know
"""

from __future__ import annotations

from dispatch.errors.decisions import (
    AssignmentUnknown,
    BadLoan,
    BadPeriod,
    BadRequirement,
    BadStamp,
    BadUnitStatus,
    ClockSkew,
    ClosureUnknown,
    Conflict,
    IncidentUnknown,
    NoUnitFree,
    NoWay,
    QueueFull,
    Refused,
    SpeedFactorUnknown,
    StateConflict,
    UnitBusy,
    UnitOffDuty,
    UnitTaken,
    UnitUnknown,
    Unknown,
    VersionStale,
)
from dispatch.errors.root import DispatchError
from dispatch.errors.store import (
    AppendRefused,
    CommandInProgress,
    CommandKnown,
    CommandReused,
    CursorExpired,
    EventKindUnknown,
    LogDamaged,
    LogFormatUnknown,
    LogMoved,
    OutcomeUnknown,
    RowDamaged,
    StaleEpoch,
    StoreError,
    StoreLocked,
    StoreUnavailable,
    StoreUnsafe,
)

__all__ = [
    "AppendRefused",
    "AssignmentUnknown",
    "BadLoan",
    "BadPeriod",
    "BadRequirement",
    "BadStamp",
    "BadUnitStatus",
    "ClockSkew",
    "ClosureUnknown",
    "CommandInProgress",
    "CommandKnown",
    "CommandReused",
    "Conflict",
    "CursorExpired",
    "DispatchError",
    "EventKindUnknown",
    "IncidentUnknown",
    "LogDamaged",
    "LogFormatUnknown",
    "LogMoved",
    "NoUnitFree",
    "NoWay",
    "OutcomeUnknown",
    "QueueFull",
    "Refused",
    "RowDamaged",
    "SpeedFactorUnknown",
    "StaleEpoch",
    "StateConflict",
    "StoreError",
    "StoreLocked",
    "StoreUnavailable",
    "StoreUnsafe",
    "UnitBusy",
    "UnitOffDuty",
    "UnitTaken",
    "UnitUnknown",
    "Unknown",
    "VersionStale",
]
