"""The town is served with another network: what was shut stays shut, or is named."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatch.questions import CloseRoad, SetSpeedFactor
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from tests.contracts.http_town import HttpTown, Json, lon_lat, served
from tests.contracts.test_http_roads import edge_between, route
from tests.road_graphs import point
from tests.shell_town import make_roads

LINE = [list(point(210, 3)), list(point(390, -2))]


def as_logged_before(town: HttpTown, question: CloseRoad | SetSpeedFactor) -> None:
    """Ask as an earlier version did, which kept no more than the numbers of edges."""

    def answer(_: Outcome) -> StoredReply:
        return StoredReply(status=200, body=b"")

    asked = town.service.runner.ask(question, actor="t", answer=answer)
    asyncio.run_coroutine_threadsafe(asked, town.loop).result(timeout=10)


def readiness(town: HttpTown) -> Json:
    reply = httpx.get(f"{town.url}/readyz", trust_env=False)
    assert reply.status_code == 200
    answer: Json = reply.json()
    return answer


def unfit_metric(town: HttpTown) -> float:
    text = town.client("analyst").get("/metrics").text
    [line] = [one for one in text.splitlines() if one.startswith("kuaijing_road_conditions_unfit ")]
    return float(line.split()[1])


def test_conditions_are_shown_as_they_stand_on_the_network_of_today(tmp_path: Path) -> None:
    # Through the street and not along it: whoever stands on a closed road may leave it.
    way = (lon_lat(0, 20), lon_lat(200, 20))
    with served(tmp_path) as town:
        free_s = route(town, *way)["travel_s"]
        edge = edge_between(town, (0, 0), (200, 0))
        post: Any = town.client().post
        post("/v1/roads/closures", json={"edge_ids": [edge], "direction": "forward"})
        by_line = {"geometry": {"type": "LineString", "coordinates": LINE}, "direction": "backward"}
        post("/v1/roads/closures", json=by_line)
        slow = edge_between(town, (0, 200), (0, 400))
        post("/v1/roads/speeds", json={"edge_ids": [slow], "factor": 0.5})
        for listed in ("closures", "speeds"):
            for one in town.client().get(f"/v1/roads/{listed}").json()["items"]:
                assert one["problem"] is None
                assert one["road_version"] == town.service.roads.road_version
        assert readiness(town)["road_conditions"] == "in_force"
        shut_s = route(town, *way)["travel_s"]
        assert shut_s > free_s
    with served(tmp_path, roads=make_roads(renumbered=True)) as town:
        by_edge, by_line = town.client().get("/v1/roads/closures").json()["items"]
        assert by_edge["edge_ids"] == [edge_between(town, (0, 0), (200, 0))] != [edge]
        assert by_line["edge_ids"] == [edge_between(town, (400, 0), (200, 0))]
        [slowed] = town.client().get("/v1/roads/speeds").json()["items"]
        assert slowed["edge_ids"] == [edge_between(town, (0, 200), (0, 400))]
        for one in (by_edge, by_line, slowed):
            assert one["road_version"] == town.service.roads.road_version == "1" * 16
            assert one["problem"] is None
        assert town.client().get("/v1/snapshot").json()["closures"] == [by_edge, by_line]
        assert route(town, *way)["travel_s"] == pytest.approx(shut_s)
        assert readiness(town)["road_conditions"] == "in_force"
        assert unfit_metric(town) == 0
        lifted = town.client().delete(f"/v1/roads/closures/{by_edge['id']}").json()
        assert lifted["edge_ids"] == by_edge["edge_ids"]
        assert route(town, *way)["travel_s"] == pytest.approx(free_s)


def test_what_has_no_road_there_is_named_in_lists_readiness_and_metrics(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        as_logged_before(town, CloseRoad(arcs=(0, 1)))
        as_logged_before(town, SetSpeedFactor(factor=0.5, arcs=(2,)))
        as_logged_before(town, SetSpeedFactor(factor=0.9, area_id="a village that was given up"))
    with served(tmp_path, roads=make_roads(renumbered=True)) as town:
        [closure] = town.client().get("/v1/roads/closures").json()["items"]
        assert closure["edge_ids"] == []
        assert "made on road version 0000000000000000" in closure["problem"]
        assert "lift it and set it again" in closure["problem"]
        by_edge, by_area = town.client().get("/v1/roads/speeds").json()["items"]
        assert "only edge ids" in by_edge["problem"]
        assert "a village that was given up" in by_area["problem"]
        ready = readiness(town)
        assert ready["status"] == "ready"
        assert ready["road_conditions"].startswith("C000001, F000001, F000002: on no road")
        assert unfit_metric(town) == 3
        town.quiet()
        assert readiness(town)["road_conditions"] == "in_force"
        assert unfit_metric(town) == 0
