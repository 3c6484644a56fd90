"""From the hours of the day in a request to those the core takes, by the city's local clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from api.clock import milliseconds
from api.errors import InvalidRequest
from api.http.schemas.roads import ClosureRequest
from dispatch.facts import DailyHours
from dispatch.words import UnixMs
from routing.daily import DAY_MINUTES
from routing.daily import DailyHours as HoursOnRoads

MINUTE_MS = 60_000


def daily_hours(asked: ClosureRequest, *, timezone: str, now_ms: UnixMs) -> tuple[DailyHours, ...]:
    """The hours of every day when a closure holds; empty is all day.

    Args:
        asked: What was asked for.
        timezone: IANA name of the city's.
        now_ms: The present moment.

    Raises:
        InvalidRequest: None of the hours falls between its beginning and its end.
    """
    daily = [one.hours for one in asked.daily or ()]
    if daily and asked.until is not None:
        from_ms = now_ms if asked.from_ is None else max(now_ms, milliseconds(asked.from_))
        if not _ever_hold(daily, from_ms, milliseconds(asked.until), ZoneInfo(timezone)):
            why = f"none of the daily hours ({timezone}) falls between from and until"
            raise InvalidRequest(
                f"body.daily: {why}, so that it would never hold: mend the hours or the period",
                errors=[{"loc": ["body", "daily"], "msg": why, "type": "never_hold"}],
            )
    return tuple(
        DailyHours(from_minute=one.from_minute, until_minute=one.until_minute) for one in daily
    )


def _ever_hold(daily: Sequence[HoursOnRoads], from_ms: int, until_ms: int, zone: ZoneInfo) -> bool:
    """Whether the hours hold in any minute that the period touches."""
    minutes = range(from_ms // MINUTE_MS, -(-until_ms // MINUTE_MS))
    if not minutes or len(minutes) >= DAY_MINUTES:
        # An empty period is refused by the core, which says by how much it is over.
        return True
    for since_1970 in minutes:
        local = datetime.fromtimestamp(since_1970 * 60, zone)
        if any(hours.hold_at(local.hour * 60 + local.minute) for hours in daily):
            return True
    return False
