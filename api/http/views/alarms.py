"""How an alarm is shown."""

from __future__ import annotations

from msgspec import Struct

from api.http.views.plain import Instant, rfc3339
from dispatch.alarms import Alarm


class AlarmView(Struct):
    """Something that is wrong now."""

    kind: str
    about: str
    why: str
    raised_at: Instant


class AlarmList(Struct):
    """All that is wrong now, the oldest first."""

    items: list[AlarmView]
    next_cursor: None
    degraded: list[str]
    synthetic: bool


def alarm_view(alarm: Alarm) -> AlarmView:
    """An alarm as the API shows it."""
    return AlarmView(
        kind=alarm.kind,
        about=alarm.about,
        why=alarm.why,
        raised_at=rfc3339(alarm.raised_at_ms),
    )
