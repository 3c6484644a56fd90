"""西湖桥 as its sign has it: no way south for motor vehicles in some hours of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.scenarios.http.client import Json
from tests.scenarios.http.conftest import SHAOYANG_TIME
from tests.scenarios.http.process import ServiceProcess
from tests.scenarios.http.town import Town

BRIDGE = "西湖桥"
NORTH_END, SOUTH_END = [111.451557, 27.247479], [111.451511, 27.245426]
# Beyond both ends: whoever stands on the closed bridge itself may leave it.
HERE, THERE = {"lon": 111.4516, "lat": 27.2485}, {"lon": 111.4515, "lat": 27.2444}


def hours_from(ahead_min: int) -> Json:
    """An hour that begins so many minutes from now, by Shaoyang's clock."""
    begin = datetime.now(UTC).astimezone(SHAOYANG_TIME) + timedelta(minutes=ahead_min)
    return {"from": f"{begin:%H:%M}", "until": f"{begin + timedelta(hours=1):%H:%M}"}


def over_the_bridge(town: Town, start: Json, end: Json) -> bool:
    """Whether the way leads over the bridge from end to end, not round it."""
    body = {"from": start, "to": end, "profile": "response_car"}
    route = town.desk.post("/v1/routes", body, expect=200).json()
    return BRIDGE in [step["road"] for step in route["steps"]] and route["distance_m"] < 600


def test_the_way_south_is_shut_in_its_hours_and_the_way_north_is_not(
    own_service: ServiceProcess,
) -> None:
    own_service.start()
    town = Town(own_service)
    assert over_the_bridge(town, HERE, THERE)
    ban = {
        "geometry": {"type": "LineString", "coordinates": [NORTH_END, SOUTH_END]},
        "direction": "forward",
        "daily": [hours_from(240)],
        "reason": "早晚高峰禁行",
    }
    later = town.desk.post("/v1/roads/closures", ban, expect=201).json()
    assert later["daily"] == ban["daily"]
    assert over_the_bridge(town, HERE, THERE), "its hours have not come"

    town.desk.delete(f"/v1/roads/closures/{later['id']}", expect=200)
    ban["daily"] = [hours_from(240), hours_from(-30)]
    made = town.desk.post("/v1/roads/closures", ban, expect=201).json()
    for _ in range(2):
        assert not over_the_bridge(town, HERE, THERE)
        assert over_the_bridge(town, THERE, HERE)
        (listed,) = town.desk.items("/v1/roads/closures")
        assert listed == made
        # and after a restart all is as it was
        town.close()
        own_service.kill()
        own_service.start()
        town = Town(own_service)
    town.close()
