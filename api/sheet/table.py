"""The sheet as rows for a spreadsheet: one for each unit of an incident, then the free units."""

from __future__ import annotations

from typing import Any

from api.sheet.contents import OpenIncidentsSheet, SheetOrder
from api.sheet.words import wanted_in_words


def rows_of(sheet: OpenIncidentsSheet) -> list[dict[str, Any]]:
    """All rows; an incident without any unit has one too, and a free unit has no incident."""
    synthetic = str(bool(sheet.synthetic)).lower()
    rows: list[dict[str, Any]] = []
    for one in sheet.incidents:
        incident = {
            "incident_no": one.incident_no,
            "status": one.status,
            "priority": one.priority,
            "category": one.category,
            "place": one.place,
            "lon": one.lon,
            "lat": one.lat,
            "zone_class": one.zone_class,
            "target_s": one.target_s,
            "received_at": one.received_at,
            "deadline_at": one.deadline_at,
            "description": one.description,
            "wanted": wanted_in_words(one.unmet),
        }
        orders: list[SheetOrder | None] = [*one.units] or [None]
        rows.extend(
            {**incident, **_order_cells(order), "platform": "", "as_of": sheet.at}
            for order in orders
        )
    rows.extend(
        {"call_sign": one, "unit_state": "free", "platform": platform.name, "as_of": sheet.at}
        for platform in sheet.platforms
        for one in platform.free
    )
    columns = dict.fromkeys((name for row in rows for name in row), "")
    return [{**columns, **row, "synthetic": synthetic} for row in rows]


def _order_cells(order: SheetOrder | None) -> dict[str, Any]:
    if order is None:
        return {"call_sign": "", "unit_state": "", "dispatched_at": "", "eta_at": ""}
    return {
        "call_sign": order.call_sign,
        "unit_state": order.state,
        "dispatched_at": order.dispatched_at,
        "eta_at": order.eta_at,
    }
