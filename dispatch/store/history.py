"""Incidents that left the board: kept in the same commit, found by id and by filter."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.codec import decode_closed, encode_closed
from dispatch.resources import ClosedIncident
from dispatch.store import ClosedQuery, ClosedRow, Store
from dispatch.words import AssignmentId, IncidentId


class History:
    """Closed incidents with their assignments, as values."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def incident(self, incident_id: IncidentId) -> ClosedIncident | None:
        """A closed, cancelled or merged incident; None where none has this id."""
        body = await self._store.closed(incident_id)
        return None if body is None else decode_closed(body)

    async def of_assignment(self, assignment_id: AssignmentId) -> ClosedIncident | None:
        """The closed incident that an assignment belonged to."""
        body = await self._store.closed_of_assignment(assignment_id)
        return None if body is None else decode_closed(body)

    async def find(self, query: ClosedQuery) -> Sequence[ClosedIncident]:
        """Closed incidents, newest received first.

        For the next page give `before=(incident.received_at_ms, incident.incident_id)` of the
        last one.
        """
        return [decode_closed(body) for body in await self._store.list_closed(query)]


def history_row(closed: ClosedIncident) -> ClosedRow:
    """A closed incident with the columns it is looked up by."""
    incident = closed.incident
    return ClosedRow(
        incident_id=incident.incident_id,
        received_at_ms=incident.received_at_ms,
        status=incident.status.value,
        category=incident.category_final or incident.category_initial,
        platform_id=incident.location.platform_id,
        assignment_ids=incident.assignment_ids,
        body=encode_closed(closed),
    )
