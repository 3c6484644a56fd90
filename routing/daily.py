"""Hours of the day at which something holds, by the local clock and to the minute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from routing.errors import ConditionInvalid

DAY_MINUTES = 1_440


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class DailyHours:
    """From one time of the day until another, every day.

    Attributes:
        from_minute: First minute of the local day when it holds, 0 to 1439: 7 o'clock is 420.
        until_minute: First minute when it no longer does, 0 to 1439; one before `from_minute` is
            that of the next day, so that 22:00 to 06:00 goes over midnight.
    """

    from_minute: int
    until_minute: int

    def __post_init__(self) -> None:
        minutes = (self.from_minute, self.until_minute)
        if not all(0 <= minute < DAY_MINUTES for minute in minutes):
            raise ConditionInvalid(f"daily hours need minutes from 0 to 1439, not {minutes}")
        if self.from_minute == self.until_minute:
            raise ConditionInvalid(
                f"daily hours begin and end at minute {self.from_minute}; leave them out to hold"
                " all day"
            )

    def hold_at(self, minute: int) -> bool:
        """Whether they hold in this minute of the local day."""
        since_begin = (minute - self.from_minute) % DAY_MINUTES
        return since_begin < (self.until_minute - self.from_minute) % DAY_MINUTES


def minutes_to_next_edge(daily: Iterable[DailyHours], minute: int) -> int | None:
    """Minutes from the beginning of a minute of the local day until hours next begin or end.

    Returns:
        1 to 1440; None where there are no daily hours.
    """
    edges = (edge for hours in daily for edge in (hours.from_minute, hours.until_minute))
    return min(((edge - minute - 1) % DAY_MINUTES + 1 for edge in edges), default=None)
