"""Reports against figures counted by hand from the events."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.contracts.http_town import HttpTown, Json, assert_problem, served

PLACES = [(0, 0), (400, 0), (1_400, 0), (1_400, 1_400), (0, 1_400), (600, 600)]


@pytest.fixture(scope="module")
def busy_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpTown]:
    """Six incidents worked to their end; two are still open."""
    with served(tmp_path_factory.mktemp("busy") / "data") as town:
        for number, (east_m, north_m) in enumerate(PLACES):
            reported = town.report(east_m, north_m)
            order = reported["assignments"][0]
            path = f"/v1/assignments/{order['id']}"
            # The fourth crew forgets to sign: its departure implies it.
            steps = ["ack", "depart", "arrive"] if number != 3 else ["depart", "arrive"]
            for step in steps:
                done = town.client().post(f"{path}/{step}", json={})
                assert done.status_code == 200, done.text
            if number < 4:
                for step in ("feedback", "clear"):
                    town.client().post(f"{path}/{step}", json={})
                town.client().post(f"/v1/incidents/{reported['incident']['id']}/close", json={})
        yield town


def seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def events(town: HttpTown, kind: str) -> list[Json]:
    page = town.client().get("/v1/events?after=0&limit=1000").json()
    return [event for event in page["items"] if event["type"] == kind]


def test_arrivals_agree_with_the_events(busy_town: HttpTown) -> None:
    report = busy_town.client("analyst").get("/v1/reports/arrivals?by=zone_class").json()
    whole, *groups = report["items"]
    arrived = events(busy_town, "assignment_arrived")
    assert whole["incidents"] == whole["count"] == len(arrived) == len(PLACES)
    for clock, field in (
        ("from_dispatched", "from_dispatch_s"),
        ("from_received", "from_received_s"),
    ):
        took_s = [event[field] for event in arrived]
        for name, share in (("p50_s", 50), ("p90_s", 90), ("p95_s", 95), ("p99_s", 99)):
            assert whole[clock][name] == pytest.approx(np.percentile(took_s, share), abs=0.002)
    judged = [event["on_target"] for event in arrived if event["on_target"] is not None]
    assert (whole["with_target"], whole["on_time"]) == (len(judged), sum(judged))
    assert whole["on_time_rate"] == pytest.approx(sum(judged) / len(judged), abs=1e-4)
    assert {one["group"]["zone_class"] for one in groups} == {"key_site", "core", "outside"}
    assert sum(one["count"] for one in groups) == whole["count"]
    outside = next(one for one in groups if one["group"]["zone_class"] == "outside")
    assert outside["on_time_rate"] is None
    assert report["synthetic"] is True


def test_groups_may_be_crossed(busy_town: HttpTown) -> None:
    report = busy_town.client().get("/v1/reports/arrivals?by=zone_class,platform,hour").json()
    assert report["by"] == ["zone_class", "platform", "hour"]
    for one in report["items"][1:]:
        assert set(one["group"]) == {"zone_class", "platform", "hour"}
        assert 0 <= one["group"]["hour"] < 24


def test_csv_comes_by_accept_and_says_the_same(busy_town: HttpTown) -> None:
    report = busy_town.client().get("/v1/reports/arrivals?by=zone_class").json()
    reply = busy_town.client().get(
        "/v1/reports/arrivals?by=zone_class", headers={"Accept": "text/csv"}
    )
    assert reply.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert len(rows) == len(report["items"])
    assert rows[0]["zone_class"] == "all"
    for row, item in zip(rows, report["items"], strict=True):
        assert int(row["count"]) == item["count"]
        assert float(row["from_received_p90_s"]) == item["from_received"]["p90_s"]
        assert row["synthetic"] == "true"
    both = busy_town.client().get(
        "/v1/reports/arrivals", headers={"Accept": "application/json, text/csv"}
    )
    assert both.headers["content-type"] == "application/json"


def test_clocks_count_bands_and_leave_inferred_steps_apart(busy_town: HttpTown) -> None:
    report = busy_town.client().get("/v1/reports/clocks").json()
    ack, departed, feedback = report["items"]
    assert (ack["step"], ack["band_s"], ack["count"], ack["inferred"]) == ("acked", 30, 5, 1)
    assert ack["within_band_rate"] == 1.0
    ordered = {one["assignment_id"]: one["at"] for one in events(busy_town, "unit_dispatched")}
    took_s = [
        seconds_between(ordered[one["assignment_id"]], one["at"])
        for one in events(busy_town, "assignment_acked")
        if not one["inferred"]
    ]
    assert ack["quantiles"]["p90_s"] == pytest.approx(np.percentile(took_s, 90), abs=0.002)
    assert (departed["step"], departed["band_s"], departed["count"]) == ("departed", 300, 6)
    assert (feedback["step"], feedback["band_s"], feedback["count"]) == ("feedback", 1800, 4)
    assert feedback["from_step"] == "arrived"
    text = busy_town.client().get("/v1/reports/clocks", headers={"Accept": "text/csv"}).text
    assert text.splitlines()[0].startswith("step,from_step,band_s,count")


def test_a_time_may_be_chosen(busy_town: HttpTown) -> None:
    now = datetime.now(UTC)
    past = {
        "from": (now - timedelta(days=2)).isoformat(),
        "until": (now - timedelta(days=1)).isoformat(),
    }
    none = busy_town.client().get("/v1/reports/arrivals", params=past).json()
    assert none["items"][0]["incidents"] == 0
    assert none["items"][0]["from_received"]["p50_s"] is None
    recent = {"from": (now - timedelta(hours=1)).isoformat()}
    some = busy_town.client().get("/v1/reports/arrivals", params=recent).json()
    assert some["items"][0]["incidents"] == len(PLACES)


@pytest.mark.parametrize(
    "query",
    [
        "by=colour",
        "from=2026-01-01T00:00:00",
        "from=1767225600",
        "from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
    ],
)
def test_questions_that_make_no_sense(busy_town: HttpTown, query: str) -> None:
    reply = busy_town.client().get(f"/v1/reports/arrivals?{query}")
    assert_problem(reply, 422, "invalid_request")


def test_history_pages_hold_every_incident_once(busy_town: HttpTown) -> None:
    seen, path = [], "/v1/incidents?limit=1"
    while True:
        page = busy_town.client().get(path).json()
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/v1/incidents?limit=1&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == len(PLACES)
    closed = busy_town.client().get("/v1/incidents?status=closed").json()["items"]
    assert len(closed) == 4
    assert [one["id"] for one in closed] == sorted((one["id"] for one in closed), reverse=True)
    query = {"status": "closed", "platform": closed[0]["platform_id"]}
    found = busy_town.client().get("/v1/incidents", params=query)
    assert closed[0]["id"] in {one["id"] for one in found.json()["items"]}


def test_ended_incidents_and_their_assignments_stay_readable(busy_town: HttpTown) -> None:
    closed = busy_town.client().get("/v1/incidents?status=closed").json()["items"][0]
    read = busy_town.client().get(f"/v1/incidents/{closed['id']}")
    assert read.json() == closed
    order = busy_town.client().get(f"/v1/assignments/{closed['assignments'][0]}").json()
    assert order["state"] == "cleared"
    assert order["route"]["geometry"]["coordinates"]


def test_metrics_tell_the_same_story(busy_town: HttpTown, tmp_path: Path) -> None:
    text = busy_town.client("admin").get("/metrics").text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures['kuaijing_incidents_total{category="help"}']) == len(PLACES)
    assert float(figures["kuaijing_ready"]) == 1
    assert float(figures["kuaijing_open_incidents"]) == 2
    seq = busy_town.client().get("/v1/snapshot").json()["seq"]
    assert float(figures["kuaijing_log_seq"]) == seq
    assert float(figures["kuaijing_commit_seconds_count"]) > 0
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[0] != "#"}
    assert all(name.startswith("kuaijing_") for name in names)
