"""Counts what happened from the events themselves, once they are durable.

A decision whose commit fails is taken back: counted when it was made, it would be counted for ever.
"""

from __future__ import annotations

import asyncio

import structlog

from api.metrics import Metrics
from dispatch.errors import CursorExpired, DispatchError
from dispatch.events import AssignmentArrived, Event, IncidentReceived, TargetMissed
from dispatch.runner import Runner
from dispatch.words import IncidentId

FOLLOW_S = 1.0
"""How often the counts are brought up to date while nobody asks for them."""


class EventCounts:
    """Follows the log from where it stood when the service was opened."""

    def __init__(self, runner: Runner, metrics: Metrics) -> None:
        self._runner = runner
        self._metrics = metrics
        self._seq = runner.durable_seq
        self._lock = asyncio.Lock()
        # Said once, not at each try.
        self._failing = False
        self._log = structlog.get_logger("event_counts")

    async def catch_up(self) -> None:
        """Counts all that became durable since the last call.

        While the log cannot be read, or is damaged there, the counts stay behind; the next call
        goes on from there. What is farther back than a feed may begin is left out for ever.
        """
        async with self._lock:
            try:
                await self._rest()
                self._failing = False
            except CursorExpired as error:
                self._log.error("events_not_counted", first=self._seq + 1, last=error.oldest - 1)
                self._seq = max(self._seq, error.oldest - 1)
            except DispatchError as error:
                if not self._failing:
                    self._log.error("counts_stay_behind", after=self._seq, why=str(error))
                self._failing = True

    async def follow(self) -> None:
        """Keeps up until cancelled, so that little is left to do when the counts are read."""
        while True:
            await self.catch_up()
            await asyncio.sleep(FOLLOW_S)

    async def _rest(self) -> None:
        while self._seq < self._runner.durable_seq:
            for one in await self._runner.read_events(self._seq):
                await self._count(one.recorded.event)
                self._seq = one.seq

    async def _count(self, event: Event) -> None:
        if isinstance(event, IncidentReceived):
            self._metrics.incidents.labels(event.category).inc()
        elif isinstance(event, AssignmentArrived):
            zone_class = await self._zone_class(event.incident_id)
            self._metrics.arrivals.labels(zone_class, str(event.on_target).lower()).inc()

        elif isinstance(event, TargetMissed):
            zone_class = await self._zone_class(event.incident_id)
            self._metrics.targets_missed.labels(zone_class).inc()

    async def _zone_class(self, incident_id: IncidentId) -> str:
        incident = self._runner.board.incidents.get(incident_id)
        if incident is None:
            closed = await self._runner.history.incident(incident_id)
            incident = None if closed is None else closed.incident
        return "" if incident is None else incident.location.zone_class
