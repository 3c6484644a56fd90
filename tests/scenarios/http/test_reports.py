"""The promise, measured: arrivals from both clocks, and the bands of practice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.http.client import now
from tests.scenarios.http.town import Town


def test_an_arrival_is_counted_by_class_of_place_and_by_both_clocks(town: Town) -> None:
    since = now()
    area = town.county(0)
    answer = town.report(town.home(area), category="help")
    (order,) = answer["assignments"]
    for stamp in ("ack", "depart", "arrive", "feedback", "clear"):
        town.stamp(order, stamp)
    town.close_incident(answer["incident"]["id"])

    report = (
        town.client("analyst")
        .get("/v1/reports/arrivals", from_=since, by="zone_class,platform")
        .json()
    )
    whole, *rows = report["items"]
    assert whole["group"] == {}
    incident = answer["incident"]
    (row,) = [
        one
        for one in rows
        if one["group"]
        == {"zone_class": incident["zone_class"], "platform": incident["platform_id"]}
    ]
    assert (row["incidents"], row["count"], row["on_time"]) == (1, 1, 1)
    assert row["on_time_rate"] == 1.0
    for clock in ("from_dispatched", "from_received"):
        quantiles = [row[clock][f"p{q}_s"] for q in (50, 90, 95, 99)]
        assert quantiles == sorted(quantiles)
        assert 0 <= quantiles[0] < 30
    assert row["from_received"]["p50_s"] >= row["from_dispatched"]["p50_s"]


def test_the_same_report_as_csv(town: Town) -> None:
    reply = town.client("analyst").get(
        "/v1/reports/arrivals", by="zone_class", headers={"Accept": "text/csv"}
    )
    assert reply.headers["Content-Type"].startswith("text/csv")
    assert "zone_class" in reply.text.splitlines()[0]


def test_the_bands_of_practice_are_reported(town: Town) -> None:
    since = now()
    (order,) = town.report(town.home(town.county(1)))["assignments"]
    for stamp in ("ack", "depart", "arrive", "feedback", "clear"):
        town.stamp(order, stamp)
    report = town.client("analyst").get("/v1/reports/clocks", from_=since).json()
    steps = {one["step"]: one for one in report["items"]}
    bands = {step: one["band_s"] for step, one in steps.items()}
    assert bands == {"acked": 30, "departed": 300, "feedback": 1800}
    for row in steps.values():
        assert (row["count"], row["within_band"], row["overdue"]) == (1, 1, 0)
        assert row["within_band_rate"] == 1.0


@pytest.mark.parametrize("query", [{"by": "colour"}, {"from_": "2026-01-01T00:00:00"}], ids=str)
def test_reports_refuse_what_they_do_not_know(town: Town, query: dict[str, Any]) -> None:
    town.desk.get("/v1/reports/arrivals", expect=422, **query)
