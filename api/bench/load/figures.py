"""What the sides did, in tables: side by side, and as times the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.bench.load.crews import LONG_POLL, STREAM
from api.bench.load.log_check import LogCheck
from api.bench.load.phases import BURST, CALM, FLOOD, QUIET
from api.bench.load.tally import Tally
from api.bench.report import Budget, Cell, Part, Table
from api.bench.samples import Samples

_DELAY_LIMIT_MS = 50.0
_FLOOD_LIMIT = 1.2
_SOAK_S = 120.0
_DRIFT_LIMIT = 1.2
_GROWTH_LIMIT = 1.05
_NOTE = (
    "The load and the servers share this machine. A delay runs from the decision to send a crew"
    " until the crew has its order: the commit is part of it, and so is the client's own turn."
    " Cores: processor seconds a second over the whole run."
)
_RATIO_NOTE = "Each figure divided by the first side's, measured in the same run."
_LOG_NOTE = (
    "Read back over the feed after each run. Lost: acknowledged and not in the log. Double: an"
    " order to a unit that was bound. Refused: answers of 400 and above."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one side did.

    Attributes:
        side: Its name.
        tally: What its clients saw.
        log: What its log says.
        consoles: Desks that followed the feed.
        calm_s: Seconds of the calm.
        burst_s: Seconds until all incidents of the burst were answered.
        service_cores: Processor time of the service and its workers, cores.
        redis_cores: The same of the Redis server; None without one.
        memory_mb: Resident memory of the service and its workers at the end.
    """

    side: str
    tally: Tally
    log: LogCheck
    consoles: int
    calm_s: float
    burst_s: float
    service_cores: float
    redis_cores: float | None
    memory_mb: float

    def posts(self, phase: str) -> Samples:
        """Times of incidents in a phase."""
        return self.tally.posts.get(phase, Samples())

    def delays(self, hears_by: str, *, in_burst: bool = False) -> Samples:
        """Delays of orders."""
        return self.tally.delays.get((hears_by, in_burst), Samples())

    @property
    def burst_per_s(self) -> float:
        """Incidents answered a second in the burst."""
        return self.posts(BURST).count / self.burst_s


def part_of(figures: Sequence[Figures]) -> Part:
    """Tables and required figures of a run."""
    part = Part("load")
    rows = [_row(one) for one in figures]
    part.tables.append(Table("Incidents, orders, processor and memory", rows, _NOTE))
    if len(figures) > 1:
        part.tables.append(Table("As times the first side", _ratios(rows), _RATIO_NOTE))
    part.tables.append(Table("What the logs say", [_log_row(one) for one in figures], _LOG_NOTE))
    for one in figures:
        part.mismatches += one.log.faults
        part.budgets += [
            Budget(f"{one.side}: order by {way} p99", one.delays(way).p99_ms, _DELAY_LIMIT_MS, "ms")
            for way in (LONG_POLL, STREAM)
        ]
        ratio = one.posts(FLOOD).p99_ms / one.posts(QUIET).p99_ms
        name = f"{one.side}: POST p99 with 1,000 fixes/s, as times that without"
        part.budgets.append(Budget(name, ratio, _FLOOD_LIMIT, ""))
        part.budgets += _soak(one)
    return part


def _soak(one: Figures) -> list[Budget]:
    """Whether anything drifts or grows; nothing of a calm that is too short to tell."""
    times_ms = one.posts(CALM).values_ms
    if one.calm_s < _SOAK_S or not times_ms:
        return []
    third = len(times_ms) // 3
    first, last = Samples(times_ms[:third]), Samples(times_ms[-third:])
    first_mb, *_, last_mb = one.tally.memory_mb
    return [
        Budget(
            f"{one.side}: POST p99 of the last third, as times the first",
            last.p99_ms / first.p99_ms,
            _DRIFT_LIMIT,
            "",
        ),
        Budget(
            f"{one.side}: memory after the last third, as times the first",
            last_mb / first_mb,
            _GROWTH_LIMIT,
            "",
        ),
    ]


def _row(one: Figures) -> dict[str, Cell]:
    row: dict[str, Cell] = {"side": one.side}
    for phase in (CALM, QUIET, FLOOD, BURST):
        row[f"{phase} p50 ms"] = round(one.posts(phase).p50_ms, 2)
        row[f"{phase} p99 ms"] = round(one.posts(phase).p99_ms, 2)
    row["burst/s"] = round(one.burst_per_s, 1)
    for way in (LONG_POLL, STREAM):
        row[f"{way} p50 ms"] = round(one.delays(way).p50_ms, 2)
        row[f"{way} p99 ms"] = round(one.delays(way).p99_ms, 2)
    both = Samples()
    for way in (LONG_POLL, STREAM):
        both.extend_ms(one.delays(way, in_burst=True).values_ms)
    row["burst order p99 ms"] = round(both.p99_ms, 1)
    row["cores"] = round(one.service_cores, 3)
    row["Redis cores"] = None if one.redis_cores is None else round(one.redis_cores, 3)
    row["MB"] = round(one.memory_mb)
    return row


def _ratios(rows: Sequence[dict[str, Cell]]) -> list[dict[str, Cell]]:
    first, *others = rows
    return [
        {name: cell if name == "side" else _ratio(cell, first[name]) for name, cell in row.items()}
        for row in others
    ]


def _ratio(cell: Cell, base: Cell) -> float | None:
    if not isinstance(cell, int | float) or not isinstance(base, int | float) or not base:
        return None
    return round(cell / base, 2)


def _log_row(one: Figures) -> dict[str, Cell]:
    seen = [one.tally.events[nth] for nth in range(one.consoles)]
    return {
        "side": one.side,
        "events": one.log.events,
        "incidents": len(one.tally.incidents),
        "orders heard": len(one.tally.heard),
        "lost": one.log.lost,
        "doubled": one.log.doubled,
        "gaps": one.log.gaps,
        "double": one.log.double_assignments,
        "incidents refused": one.tally.refused("incident"),
        "steps refused": one.tally.refused("step"),
        "fixes refused": one.tally.refused("fix") + one.tally.refused("flood"),
        "events at consoles, min": min(seen, default=0),
        "max": max(seen, default=0),
    }
