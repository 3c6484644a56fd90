"""What the service finds wrong by itself, and when it is right again."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.alarms import AlarmKind
from dispatch.words import UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised:
    """Something is wrong that must never be so, or not for so long.

    Attributes:
        kind: What is wrong.
        about: Id of the thing that it is wrong with, or `service`.
        why: One sentence for people, with the values.
    """

    at_ms: UnixMs
    kind: AlarmKind
    about: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared:
    """What an alarm was about is right again.

    Attributes:
        kind: What was wrong.
        about: Id of the thing, or `service`.
        lasted_s: Seconds since the alarm was raised.
    """

    at_ms: UnixMs
    kind: AlarmKind
    about: str
    lasted_s: float
