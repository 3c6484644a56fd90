"""The sheet of open incidents, to print, for a spreadsheet, or as data."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.operation import operation
from api.http.permissions import DISPATCHERS, GuardedRoute, allow
from api.http.responding import JSON, answer
from api.http.routes.reports import CSV, csv_answer
from api.service import service_of
from api.sheet.contents import OpenIncidentsSheet
from api.sheet.keeping import sheet_now
from api.sheet.page import content_policy, page_of
from api.sheet.table import rows_of

router = APIRouter(route_class=GuardedRoute, tags=["reports"])

HTML = "text/html"


@router.get(
    "/v1/reports/open-incidents",
    **operation(
        "reportOpenIncidents",
        "The sheet for paper: open incidents, their units, free units; a page or CSV by Accept",
        reply=OpenIncidentsSheet,
    ),
)
@allow(DISPATCHERS)
async def report_open_incidents(request: Request) -> Response:
    """`Accept: text/html` gives a page to print, `text/csv` a table, else JSON."""
    service = service_of(request)
    sheet = await sheet_now(service)
    headers = {**service.marks, "vary": "Accept", "cache-control": "no-store"}
    wanted = preferred(request)
    if wanted == HTML:
        headers["content-security-policy"] = content_policy(sheet)
        page = await asyncio.to_thread(page_of, sheet)
        return Response(page, 200, headers, f"{HTML}; charset=utf-8")
    if wanted == CSV:
        rows = await asyncio.to_thread(rows_of, sheet)
        return csv_answer(rows, "open-incidents.csv", headers)
    return answer(sheet, headers=headers)


def preferred(request: Request) -> str:
    """The first kind in Accept that can be given; JSON where none is named."""
    for part in request.headers.get("accept", "").split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in (HTML, CSV, JSON):
            return kind
    return JSON
