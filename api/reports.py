"""Figures over many incidents: how fast police were seen, how soon crews signed for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from api.errors import InvalidRequest
from dispatch.resources import Assignment, ClosedIncident, Incident
from dispatch.rules import Rules
from dispatch.runner import Runner
from dispatch.store import ClosedQuery
from dispatch.words import Overdue, Stamp, UnixMs

PAGE = 200
"""Incidents read from history at once, so that the event loop goes on in between."""

INCIDENTS_MAX = 200_000
"""Most incidents of one report: more than a year of the city."""

GROUPS = ("zone_class", "platform", "hour")


class Quantiles(Struct):
    """How long it took; None where nothing was measured."""

    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    p99_s: float | None


class ArrivalRow(Struct):
    """Arrivals of one group."""

    group: dict[str, str | int | None]
    incidents: int
    count: int
    with_target: int
    on_time: int
    on_time_rate: float | None
    from_dispatched: Quantiles
    from_received: Quantiles


class ClockRow(Struct):
    """One step of the crews and its band of practice."""

    step: str
    from_step: str
    band_s: float
    count: int
    inferred: int
    within_band: int
    within_band_rate: float | None
    overdue: int
    quantiles: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What an arrival report needs of one incident."""

    zone_class: str
    platform: str | None
    hour: int
    on_target: bool | None
    from_dispatched_s: float | None
    from_received_s: float | None


@dataclass(frozen=True, slots=True)
class _Band:
    """A step and how soon it should come after another; after the order where `start` is None."""

    stamp: Stamp
    start: Stamp | None
    band_s: float
    flag: Overdue

    def start_ms(self, assignment: Assignment) -> UnixMs | None:
        """When the band begins for an assignment."""
        if self.start is None:
            return assignment.dispatched_at_ms
        return assignment.stamp_ms(self.start)


async def incidents_between(
    runner: Runner, from_ms: UnixMs | None, until_ms: UnixMs | None
) -> AsyncIterator[tuple[Incident, tuple[Assignment, ...]]]:
    """All incidents received in a time, open and ended, with their assignments.

    Raises:
        InvalidRequest: There are more than a report may take.
    """
    board = runner.board
    seen = 0
    for incident in board.incidents.values():
        if (from_ms or 0) <= incident.received_at_ms < (until_ms or float("inf")):
            seen += 1
            yield incident, board.assignments_of(incident)
    before: tuple[UnixMs, str] | None = None
    while True:
        query = ClosedQuery(since_ms=from_ms, until_ms=until_ms, before=before, limit=PAGE)
        page: Sequence[ClosedIncident] = await runner.history.find(query)
        for closed in page:
            yield closed.incident, closed.assignments
        seen += len(page)
        if seen > INCIDENTS_MAX:
            raise InvalidRequest(
                f"the time asked for holds more than {INCIDENTS_MAX} incidents; make it shorter"
            )
        if len(page) < PAGE:
            return
        before = (page[-1].incident.received_at_ms, page[-1].incident.incident_id)


def arrival_of(incident: Incident, zone: ZoneInfo) -> Arrival:
    """An incident as the arrivals report sees it."""
    received = datetime.fromtimestamp(incident.received_at_ms / 1000, UTC).astimezone(zone)
    return Arrival(
        zone_class=incident.location.zone_class,
        platform=incident.location.platform_id,
        hour=received.hour,
        on_target=incident.on_target,
        from_dispatched_s=_seconds(incident.dispatched_at_ms, incident.arrived_at_ms),
        from_received_s=_seconds(incident.received_at_ms, incident.arrived_at_ms),
    )


def arrival_rows(arrivals: Iterable[Arrival], by: Sequence[str]) -> list[ArrivalRow]:
    """The whole first, then one row for each group, in the groups' order."""
    groups: dict[tuple[str | int | None, ...], list[Arrival]] = defaultdict(list)
    everything: list[Arrival] = []
    for arrival in arrivals:
        everything.append(arrival)
        groups[tuple(getattr(arrival, name) for name in by)].append(arrival)
    rows = [_arrival_row(everything, {})]
    if by:
        ordered = sorted(groups, key=_group_order)
        rows += [_arrival_row(groups[key], dict(zip(by, key, strict=True))) for key in ordered]
    return rows


def clock_rows(assignments: Iterable[Assignment], rules: Rules) -> list[ClockRow]:
    """Sign-for, departure and report against their bands.

    A step that a later one implied has no time of its own: it is counted apart.
    """
    known = list(assignments)
    bands = (
        _Band(Stamp.ACKED, None, rules.ack_band_s, Overdue.ACK),
        _Band(Stamp.DEPARTED, None, rules.departed_band_s, Overdue.DEPARTED),
        _Band(Stamp.FEEDBACK, Stamp.ARRIVED, rules.feedback_band_s, Overdue.FEEDBACK),
    )
    return [_clock_row(known, band) for band in bands]


def quantiles(seconds: Iterable[float]) -> Quantiles:
    """The usual quantiles, interpolated between neighbours."""
    ordered = sorted(seconds)
    return Quantiles(*(_quantile(ordered, share) for share in (0.5, 0.9, 0.95, 0.99)))


def _group_order(key: tuple[str | int | None, ...]) -> list[tuple[bool, str]]:
    """Numbers by size, words by letter, what has no group last."""
    return [(part is None, f"{part:02d}" if isinstance(part, int) else str(part)) for part in key]


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 3)


def _arrival_row(group: Sequence[Arrival], key: dict[str, str | int | None]) -> ArrivalRow:
    judged = [one.on_target for one in group if one.on_target is not None]
    on_time = sum(judged)
    return ArrivalRow(
        group=key,
        incidents=len(group),
        count=sum(one.from_received_s is not None for one in group),
        with_target=len(judged),
        on_time=on_time,
        on_time_rate=round(on_time / len(judged), 4) if judged else None,
        from_dispatched=quantiles(_there(one.from_dispatched_s for one in group)),
        from_received=quantiles(_there(one.from_received_s for one in group)),
    )


def _clock_row(assignments: Sequence[Assignment], band: _Band) -> ClockRow:
    done = [one for one in assignments if band.stamp in one.stamps]
    timed = [one for one in done if not one.stamps[band.stamp].inferred]
    seconds = _there(_seconds(band.start_ms(one), one.stamp_ms(band.stamp)) for one in timed)
    within = sum(took_s <= band.band_s for took_s in seconds)
    return ClockRow(
        step=band.stamp.value,
        from_step="dispatched" if band.start is None else band.start.value,
        band_s=band.band_s,
        count=len(seconds),
        inferred=len(done) - len(timed),
        within_band=within,
        within_band_rate=round(within / len(seconds), 4) if seconds else None,
        overdue=sum(band.flag in one.overdue for one in assignments),
        quantiles=quantiles(seconds),
    )


def _seconds(from_ms: int | None, to_ms: int | None) -> float | None:
    return None if from_ms is None or to_ms is None else (to_ms - from_ms) / 1000


def _there(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
