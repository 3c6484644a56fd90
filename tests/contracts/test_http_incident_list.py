"""The list of incidents in pages, while incidents come and go."""

from __future__ import annotations

import pytest

from api.http.cursors import write_cursor
from tests.contracts.http_town import HttpTown, assert_problem


def test_no_page_skips_an_incident_because_one_before_it_ended(town: HttpTown) -> None:
    ids = [town.report(east, dispatch="manual")["incident"]["id"] for east in (300, 350, 400, 450)]
    query = "/v1/incidents?status=pending&limit=2"
    first = town.client().get(query).json()
    shown = [one["id"] for one in first["items"]]
    town.client().post(f"/v1/incidents/{shown[0]}/cancel", json={})
    second = town.client().get(f"{query}&cursor={first['next_cursor']}").json()
    assert sorted(shown + [one["id"] for one in second["items"]]) == sorted(ids)
    assert second["next_cursor"] is None


def test_incidents_without_a_target_come_last_over_pages_too(town: HttpTown) -> None:
    outside = [town.report(east, dispatch="manual")["incident"] for east in (1_100, 1_000)]
    assert [one["target_s"] for one in outside] == [None, None]
    inside = town.report(300, dispatch="manual")["incident"]
    seen, query = [], "/v1/incidents?status=pending&limit=1"
    page = town.client().get(query).json()
    seen += page["items"]
    while page["next_cursor"] is not None:
        page = town.client().get(f"{query}&cursor={page['next_cursor']}").json()
        seen += page["items"]
    assert [one["id"] for one in seen] == [inside["id"], *sorted(one["id"] for one in outside)]


@pytest.mark.parametrize("position", [["open"], ["open", 1, 2], ["history", 1], ["elsewhere"], []])
def test_a_cursor_of_another_shape_is_refused(town: HttpTown, position: list[str | int]) -> None:
    cursor = write_cursor("incidents", position)
    assert_problem(town.client().get(f"/v1/incidents?cursor={cursor}"), 422, "bad_cursor")
