"""What one side saw under load: times, delays, refusals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from api.bench.samples import Samples

CREATED = 201
_REFUSED = 400
_MS_PER_S = 1000


@dataclass(slots=True)
class Tally:
    """Figures of one side, kept while it is under load.

    Attributes:
        posts: Times of `POST /v1/incidents` by phase.
        delays: From the decision to send a crew until the crew has its order, by how it hears and
            whether it was in the burst; the commit is part of it.
        statuses: Answers by call and status.
        incidents: Ids of the incidents that were acknowledged.
        heard: Orders that crews have heard of.
        events: Events that each console was sent.
        memory_mb: Memory of the service after each third of the calm.
        in_burst: Set from the beginning of the burst on; its delays are kept apart.
    """

    posts: dict[str, Samples] = field(default_factory=dict)
    delays: dict[tuple[str, bool], Samples] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    incidents: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    events: Counter[int] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)
    in_burst: bool = False

    def posted(self, phase: str, took_s: float, status: int, answer: Any) -> None:
        """An incident was answered at the desk."""
        self.posts.setdefault(phase, Samples()).extend_ms([took_s * _MS_PER_S])
        self.statuses["incident", status] += 1
        if status == CREATED:
            self.incidents.append(answer["incident"]["id"])

    def ordered(self, order: dict[str, Any], hears_by: str) -> None:
        """A crew has an order that it did not have before."""
        self.heard.add(order["id"])
        since = datetime.now(UTC) - datetime.fromisoformat(order["dispatched_at"])
        delay_ms = since.total_seconds() * _MS_PER_S
        self.delays.setdefault((hears_by, self.in_burst), Samples()).extend_ms([delay_ms])

    def refused(self, call: str) -> int:
        """Answers of a call that were no success."""
        counted = self.statuses.items()
        return sum(n for (name, status), n in counted if name == call and status >= _REFUSED)
