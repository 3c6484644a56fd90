"""Another town in three commands: Porto's real streets, a sketched city, the whole flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.http.process import ServiceProcess, kuaijing
from tests.scenarios.http.town import Town

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def porto(porto_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Porto imported, sketched and served."""
    folder = tmp_path_factory.mktemp("porto")
    network, city = folder / "porto.roads", folder / "city"
    for command in (
        ("roads", "import", porto_pbf, "--out", network),
        ("city", "sketch", "--network", network, "--platforms", 33, "--out", city),
        ("city", "check", city, "--network", network),
    ):
        done = kuaijing(*command)
        assert done.returncode == 0, (command, done.stderr)
    process = ServiceProcess(folder / "data", "--network", network, "--city", city)
    try:
        process.start()
        yield process
    finally:
        process.stop()


def test_the_whole_flow_on_real_streets(porto: ServiceProcess) -> None:
    town = Town(porto)
    try:
        assert len(town.platforms) == 33
        assert all(one["synthetic"] for one in town.platforms.values())
        platform = next(iter(town.platforms.values()))
        lon, lat = platform["location"]["lon"], platform["location"]["lat"]

        answer = town.report({"lon": lon, "lat": lat}, category="help", priority=2)
        (order,) = answer["assignments"]
        candidates = answer["recommendation"]["candidates"]
        assert len(candidates) >= 5
        assert order["travel_s"] == pytest.approx(candidates[0]["travel_s"], abs=0.001)
        for stamp, state in [
            ("ack", "acked"),
            ("depart", "en_route"),
            ("arrive", "on_scene"),
            ("feedback", "on_scene"),
            ("clear", "cleared"),
        ]:
            assert town.stamp(order, stamp)["state"] == state
        assert town.assignment(order["id"])["on_target"] is True
        assert town.close_incident(answer["incident"]["id"])["status"] == "closed"

        # A key site by its name, sent by hand; a way with real street names.
        site = town.desk.get("/v1/key-sites").json()["features"][0]
        by_name = town.report(site["properties"]["name"], dispatch="manual")
        assert by_name["incident"]["zone_class"] == "key_site"
        unit = by_name["recommendation"]["candidates"][0]["unit_id"]
        town.desk.post(
            f"/v1/incidents/{by_name['incident']['id']}/assignments",
            {"unit_id": unit},
            expect=201,
            if_match=by_name["incident"]["version"],
        )
        far = max(town.platforms.values(), key=lambda one: abs(one["location"]["lon"] - lon))
        body = {"from": platform["location"], "to": far["location"], "profile": "response_car"}
        route = town.desk.post("/v1/routes", body, expect=200).json()
        assert any(step["road"] for step in route["steps"])
        report = town.client("analyst").get("/v1/reports/arrivals", by="zone_class").json()
        assert report["items"][0]["count"] == 1
    finally:
        town.close()
