"""How the service is: ready or not, and the gauges that are read when they are asked for."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterable

from api.clock import now_ms
from api.errors import NotReady
from api.http.degraded import CAUSES
from api.service import Service
from dispatch.alarms import AlarmKind
from dispatch.derived import ENDED
from dispatch.errors import StoreUnavailable
from dispatch.whereabouts.positions import Link
from dispatch.words import IncidentStatus, UnitStatus, UnixMs

LAG_EVERY_S = 1.0

OPEN_STATUSES = tuple(one for one in IncidentStatus if one not in ENDED)

FIX_AGE_QUANTILES = (0.5, 0.9, 1.0)

NAMED_MAX = 10
"""Most ids named in one line for people."""


async def check_ready(service: Service) -> None:
    """Makes sure that the service can work.

    Raises:
        NotReady: It is stopping.
        StoreUnavailable: The log cannot be written.
    """
    if service.stopping.is_set():
        raise NotReady("the service is stopping")
    await service.runner.check_writable()


def role_of(service: Service) -> str:
    """What this process is: `alone`, or among several workers `leader` or `follower`."""
    if service.runner.following is None:
        return "alone"
    return "leader" if service.runner.leads else "follower"


def conditions_in_words(unfit: Iterable[str]) -> str:
    """Whether all closures and speed factors hold on the roads that they were made for."""
    ids = sorted(unfit)
    if not ids:
        return "in_force"
    more = f" and {len(ids) - NAMED_MAX} more" if len(ids) > NAMED_MAX else ""
    return (
        f"{', '.join(ids[:NAMED_MAX])}{more}: on no road of this network, or not on all;"
        " see their problem in GET /v1/roads/closures and /v1/roads/speeds"
    )


async def read_vitals(service: Service) -> None:
    """Brings gauges and counts up to date."""
    await service.event_counts.catch_up()
    metrics, runner = service.metrics, service.runner
    board, at_ms = runner.board, now_ms()
    pending = [one for one in board.incidents.values() if one.status is IncidentStatus.PENDING]
    metrics.log_seq.set(runner.durable_seq)
    metrics.in_flight.set(runner.in_flight)
    metrics.leads.set(int(runner.leads))
    metrics.log_behind.set(0 if runner.following is None else runner.following.behind)
    metrics.open_incidents.set(len(board.incidents))
    by_stage = Counter(one.status for one in board.incidents.values())
    for stage in OPEN_STATUSES:
        metrics.incidents_open.labels(stage.value).set(by_stage[stage])
    metrics.pending_incidents.set(len(pending))
    oldest_ms = min((one.received_at_ms for one in pending), default=at_ms)
    metrics.oldest_pending_s.set(max(0, at_ms - oldest_ms) / 1000)
    _read_units(service, at_ms)
    _read_alarms(service)
    metrics.unfit_conditions.set(len(runner.conditions.unfit))
    metrics.stream_clients.set(service.stream_clients)
    metrics.disk_free_bytes.set(shutil.disk_usage(service.data_dir).free)
    try:
        await check_ready(service)
    except (NotReady, StoreUnavailable):
        metrics.ready.set(0)
    else:
        metrics.ready.set(1)


def _read_units(service: Service, at_ms: UnixMs) -> None:
    metrics, board, positions = service.metrics, service.runner.board, service.runner.positions
    by_status = Counter(unit.status for unit in board.units.values())
    for status in UnitStatus:
        metrics.units.labels(status.value).set(by_status[status])
    by_link = Counter(positions.link(unit_id, at_ms) for unit_id in board.units)
    for link in Link:
        metrics.links.labels(link.value).set(by_link[link])
    on_duty = (unit.unit_id for unit in board.units.values() if unit.on_duty)
    ages_s = sorted(age_s for one in on_duty if (age_s := positions.age_s(one, at_ms)) is not None)
    for quantile in FIX_AGE_QUANTILES:
        place = min(len(ages_s) - 1, int(quantile * len(ages_s)))
        # Without any fix there is no age: the number of units by link says so.
        metrics.fix_age_s.labels(f"{quantile:g}").set(ages_s[place] if ages_s else 0.0)


def _read_alarms(service: Service) -> None:
    metrics, watch = service.metrics, service.alarm_watch
    by_kind = Counter(one.kind for one in watch.alarms.values())
    for kind in AlarmKind:
        metrics.alarms.labels(kind.value).set(by_kind[kind])
    causes = service.degraded.causes
    for cause in CAUSES:
        metrics.degraded.labels(cause).set(cause in causes)
    metrics.clock_jump_s.set(watch.clock_jump_s)


async def watch_loop_lag(service: Service) -> None:
    """Measures, until cancelled, how late the event loop wakes who slept."""
    while True:
        slept_from_s = time.perf_counter()
        await asyncio.sleep(LAG_EVERY_S)
        late_s = time.perf_counter() - slept_from_s - LAG_EVERY_S
        service.metrics.loop_lag_s.set(max(0.0, late_s))
