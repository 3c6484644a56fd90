"""What the log says after a run: nothing acknowledged is missing, nobody was sent twice at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from api.bench.load.consoles import Console
from api.bench.load.tally import Tally

_ENDS = frozenset(
    {
        "assignment_cleared",
        "assignment_declined",
        "assignment_timed_out",
        "assignment_preempted",
        "assignment_cancelled",
        "assignment_released",
    }
)


@dataclass(frozen=True, slots=True)
class LogCheck:
    """Faults that a log shows.

    Attributes:
        events: How many it holds.
        lost: Acknowledged incidents that are not in it.
        doubled: Incidents that are in it more than once.
        gaps: Numbers that are missing.
        double_assignments: Orders to a unit that was bound at the time.
    """

    events: int
    lost: int
    doubled: int
    gaps: int
    double_assignments: int

    @property
    def faults(self) -> int:
        """All of them together."""
        return self.lost + self.doubled + self.gaps + self.double_assignments


async def check_log(desk: Console, tally: Tally) -> LogCheck:
    """Read the whole log over the feed and look for faults."""
    return checked(await desk.whole_log(), tally.incidents)


def checked(events: list[dict[str, Any]], acknowledged: list[str]) -> LogCheck:
    """Faults of a log, given the incidents whose reports were acknowledged."""
    received = Counter(one["incident_id"] for one in events if one["type"] == "incident_received")
    bound: dict[str, str] = {}
    double = 0
    for event in events:
        if event["type"] == "unit_dispatched":
            double += event["unit_id"] in bound
            bound[event["unit_id"]] = event["assignment_id"]
        elif event["type"] in _ENDS and bound.get(event["unit_id"]) == event["assignment_id"]:
            del bound[event["unit_id"]]
    return LogCheck(
        events=len(events),
        lost=sum(one not in received for one in acknowledged),
        doubled=sum(count > 1 for count in received.values()),
        gaps=sum(event["seq"] != nth for nth, event in enumerate(events, start=1)),
        double_assignments=double,
    )
