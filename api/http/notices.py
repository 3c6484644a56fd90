"""What a crew has to be told although its order does not say it (any more).

An order that was withdrawn is gone from the inbox; without a word its crew would see it vanish.
The words come from the newest durable events, so that nothing else has to be kept for them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from api.http.views.plain import rfc3339
from dispatch.errors import StoreUnavailable
from dispatch.events import (
    AssignmentCancelled,
    AssignmentPreempted,
    AssignmentRechecked,
    AssignmentReleased,
    AssignmentTimedOut,
    Recorded,
)
from dispatch.resources import Assignment, UnitOnBoard
from dispatch.runner import Runner
from dispatch.running.event_reading import READ_AT_ONCE
from dispatch.running.tail import TAIL_EVENTS
from dispatch.words import AssignmentId, UnitId, UnixMs
from platforms.city import City

NOTICE_MS = 10 * 60_000
"""How long a crew is told of what happened."""

NOTICES_A_UNIT = 8
"""Notices kept for a unit, the newest."""

RECALLED, TIMED_OUT, MOVED = "recalled", "timed_out", "incident_moved"

_Told: TypeAlias = (
    AssignmentReleased
    | AssignmentCancelled
    | AssignmentPreempted
    | AssignmentTimedOut
    | AssignmentRechecked
)

_TEXTS: dict[type[_Told], tuple[str, str]] = {
    AssignmentReleased: (RECALLED, "任务已撤回，无需前往"),
    AssignmentCancelled: (RECALLED, "警情已取消，无需前往"),
    AssignmentPreempted: (RECALLED, "已改派更紧急警情，原任务撤回"),
    AssignmentTimedOut: (TIMED_OUT, "超时未签收，任务已撤回"),
    AssignmentRechecked: (MOVED, "警情位置已变更，请按新路线前往"),
}


@dataclass(frozen=True, slots=True)
class _Notice:
    assignment_id: AssignmentId
    recorded_at_ms: UnixMs
    kind: str
    body: dict[str, Any]


class Notices:
    """The newest notices of each unit; used from the event loop only."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._seq = runner.durable_seq
        self._of_unit: dict[UnitId, deque[_Notice]] = {}

    async def recall(self) -> None:
        """Reads the end of the log once, at the opening: a restart takes no notice away."""
        seq = max(0, self._seq - TAIL_EVENTS)
        try:
            while seq < self._seq:
                for one in await self._runner.read_events(seq):
                    self._note(one.recorded)
                    seq = one.seq
        except StoreUnavailable:
            # The log can be read or written later; crews are told of what comes from now on.
            return

    def of(
        self, unit_id: UnitId, active: AssignmentId | None, now_ms: UnixMs
    ) -> list[dict[str, Any]]:
        """What the unit has to be told now, oldest first.

        Args:
            unit_id: The unit.
            active: Its order now; that another order's incident moved does not concern it.
            now_ms: The service's clock.
        """
        self._catch_up()
        return [
            notice.body
            for notice in self._of_unit.get(unit_id, ())
            if now_ms - notice.recorded_at_ms < NOTICE_MS
            and (notice.kind != MOVED or notice.assignment_id == active)
        ]

    def _catch_up(self) -> None:
        tail = self._runner.tail
        while self._seq < tail.head:
            events = tail.since(self._seq, READ_AT_ONCE)
            if events is None:
                # Nobody asked for that many events; start where memory does.
                self._seq = max(self._seq, tail.head - TAIL_EVENTS)
                events = tail.since(self._seq, READ_AT_ONCE)
            for one in events or ():
                self._note(one.recorded)
            self._seq = events[-1].seq if events else tail.head

    def _note(self, recorded: Recorded) -> None:
        event = recorded.event
        if not isinstance(event, _Told):
            return
        if isinstance(event, AssignmentRechecked) and event.cause != MOVED:
            return
        kind, text = _TEXTS[type(event)]
        body = {
            "type": kind,
            "assignment_id": event.assignment_id,
            "incident_id": event.incident_id,
            "since": rfc3339(event.at_ms),
            "text": text,
        }
        kept = self._of_unit.setdefault(event.unit_id, deque(maxlen=NOTICES_A_UNIT))
        kept.append(_Notice(event.assignment_id, recorded.recorded_at_ms, kind, body))


def on_loan(unit: UnitOnBoard, city: City) -> list[dict[str, Any]]:
    """That the crew serves another area, and until when, as long as it does."""
    if unit.loan is None:
        return []
    named = {area.area_id: area.name for area in city.areas}
    until_ms = unit.loan.until_ms
    until = "" if until_ms is None else f"，至 {_clock(until_ms, city.timezone)}"
    reason = f"（{unit.loan.reason}）" if unit.loan.reason else ""
    return [
        {
            "type": "on_loan",
            "assignment_id": None,
            "incident_id": None,
            "since": rfc3339(unit.loan.since_ms),
            "text": f"已借调至{named.get(unit.area_id, unit.area_id)}{until}{reason}",
        }
    ]


def _clock(at_ms: UnixMs, timezone: str) -> str:
    """A moment by the city's clock, as "11-27 08:00"."""
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)):%m-%d %H:%M}"


def realerted(assignment: Assignment) -> list[dict[str, Any]]:
    """That the crew was alerted again, as long as it has not signed."""
    if not assignment.realerted or assignment.stamps:
        return []
    return [
        {
            "type": "ack_realerted",
            "assignment_id": assignment.assignment_id,
            "incident_id": assignment.incident_id,
            "since": rfc3339(assignment.dispatched_at_ms),
            "text": "请立即签收",
        }
    ]
