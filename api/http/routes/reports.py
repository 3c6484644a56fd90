"""Reports: arrivals against the promise, crews' clocks against their bands; JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from api.clock import rfc3339_or_none
from api.errors import InvalidRequest
from api.http.operation import operation
from api.http.permissions import READERS, GuardedRoute, allow
from api.http.query import InstantQuery, as_ms
from api.http.responding import answer
from api.http.views.plain import Instant
from api.reports import (
    GROUPS,
    ArrivalRow,
    ClockRow,
    Quantiles,
    arrival_of,
    arrival_rows,
    clock_rows,
    incidents_between,
)
from api.service import service_of
from dispatch.words import UnixMs

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

router = APIRouter(route_class=GuardedRoute, tags=["reports"])

CSV = "text/csv"


class ArrivalsReport(Struct, rename={"from_": "from"}):
    """How fast police were seen, the whole first."""

    from_: Instant | None
    until: Instant | None
    by: list[str]
    clock: str
    items: list[ArrivalRow]
    synthetic: bool


class ClocksReport(Struct, rename={"from_": "from"}):
    """Sign-for, departure and report against their bands."""

    from_: Instant | None
    until: Instant | None
    items: list[ClockRow]
    synthetic: bool


FromQuery = Annotated[InstantQuery, Query(alias="from")]


@router.get(
    "/v1/reports/arrivals",
    **operation(
        "reportArrivals",
        "Arrivals against the promise, from dispatched and from received; CSV by Accept",
        reply=ArrivalsReport,
        more={},
    ),
)
@allow(READERS)
async def report_arrivals(
    request: Request,
    from_: FromQuery = None,
    until: InstantQuery = None,
    by: Annotated[
        str, Query(max_length=60, description="Any of zone_class, platform, hour")
    ] = "zone_class",
) -> Response:
    """Incidents received from `from` to before `until`."""
    service = service_of(request)
    names = _names(by)
    from_ms, until_ms = _period(as_ms(from_), as_ms(until))
    zone = ZoneInfo(service.city.timezone)
    found = incidents_between(service.runner, from_ms, until_ms)
    rows = arrival_rows([arrival_of(incident, zone) async for incident, _ in found], names)
    if wants_csv(request):
        table = [_arrival_cells(row, names, synthetic=service.is_synthetic) for row in rows]
        return csv_answer(table, "arrivals.csv", service.marks)
    report = ArrivalsReport(
        from_=rfc3339_or_none(from_ms),
        until=rfc3339_or_none(until_ms),
        by=names,
        clock=service.settings.rules.clock,
        items=rows,
        synthetic=service.is_synthetic,
    )
    return answer(report, headers={**service.marks, "vary": "Accept"})


@router.get(
    "/v1/reports/clocks",
    **operation(
        "reportClocks",
        "Sign-for, departed and feedback against their bands; CSV by Accept",
        reply=ClocksReport,
    ),
)
@allow(READERS)
async def report_clocks(
    request: Request, from_: FromQuery = None, until: InstantQuery = None
) -> Response:
    """Assignments of incidents received from `from` to before `until`."""
    service = service_of(request)
    from_ms, until_ms = _period(as_ms(from_), as_ms(until))
    found = incidents_between(service.runner, from_ms, until_ms)
    assignments = [one async for _, theirs in found for one in theirs]
    rows = clock_rows(assignments, service.settings.rules)
    if wants_csv(request):
        table = [_clock_cells(row, synthetic=service.is_synthetic) for row in rows]
        return csv_answer(table, "clocks.csv", service.marks)
    report = ClocksReport(
        from_=rfc3339_or_none(from_ms),
        until=rfc3339_or_none(until_ms),
        items=rows,
        synthetic=service.is_synthetic,
    )
    return answer(report, headers={**service.marks, "vary": "Accept"})


def wants_csv(request: Request) -> bool:
    """Whether the client prefers CSV: it names text/csv before, or without, JSON."""
    parts = request.headers.get("accept", "").split(",")
    kinds = [part.partition(";")[0].strip() for part in parts]
    if CSV not in kinds:
        return False
    others = [kinds.index(kind) for kind in ("application/json", "*/*") if kind in kinds]
    return all(kinds.index(CSV) < place for place in others)


def _names(by: str) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in by.split(",") if part.strip()))
    for name in names:
        if name not in GROUPS:
            raise InvalidRequest(
                f"by={by[:60]!r}: there is no group {name!r}; known are {', '.join(GROUPS)}",
                errors=[{"loc": ["query", "by"], "msg": "unknown group", "type": "enum"}],
            )
    return names


def _period(from_ms: UnixMs | None, until_ms: UnixMs | None) -> tuple[UnixMs | None, UnixMs | None]:
    if from_ms is not None and until_ms is not None and until_ms <= from_ms:
        raise InvalidRequest(
            "until must come after from",
            errors=[{"loc": ["query", "until"], "msg": "before from", "type": "range"}],
        )
    return from_ms, until_ms


def _arrival_cells(row: ArrivalRow, by: Sequence[str], *, synthetic: bool) -> dict[str, Any]:
    return {
        **{name: row.group.get(name, "all") for name in by},
        "incidents": row.incidents,
        "count": row.count,
        "with_target": row.with_target,
        "on_time": row.on_time,
        "on_time_rate": row.on_time_rate,
        **_quantile_cells("dispatched", row.from_dispatched),
        **_quantile_cells("received", row.from_received),
        "synthetic": str(synthetic).lower(),
    }


def _clock_cells(row: ClockRow, *, synthetic: bool) -> dict[str, Any]:
    return {
        "step": row.step,
        "from_step": row.from_step,
        "band_s": row.band_s,
        "count": row.count,
        "inferred": row.inferred,
        "within_band": row.within_band,
        "within_band_rate": row.within_band_rate,
        "overdue": row.overdue,
        **_quantile_cells(row.from_step, row.quantiles),
        "synthetic": str(synthetic).lower(),
    }


def _quantile_cells(clock: str, quantiles: Quantiles) -> dict[str, float | None]:
    return {
        f"from_{clock}_p50_s": quantiles.p50_s,
        f"from_{clock}_p90_s": quantiles.p90_s,
        f"from_{clock}_p95_s": quantiles.p95_s,
        f"from_{clock}_p99_s": quantiles.p99_s,
    }


def _as_text(cell: Any) -> Any:
    """A cell that a spreadsheet does not take for a formula: what was typed may begin like one."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def csv_answer(table: Sequence[dict[str, Any]], name: str, marks: dict[str, str]) -> Response:
    """Rows as a CSV file to keep; columns in the order in which rows name them."""
    text = io.StringIO()
    columns = list(dict.fromkeys(column for row in table for column in row))
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _as_text(cell) for name, cell in row.items()} for row in table)
    headers = {**marks, "content-disposition": f'attachment; filename="{name}"', "vary": "Accept"}
    return Response(text.getvalue(), 200, headers, f"{CSV}; charset=utf-8; header=present")
