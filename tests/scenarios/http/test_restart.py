"""A restart, gentle or not, keeps everything: state, answers, timers."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from tests.scenarios.http.client import Json, eventually, parse_time
from tests.scenarios.http.process import ServiceProcess
from tests.scenarios.http.town import Town


def lasting(item: Json) -> Json:
    """What must outlive a restart: all but the count of road changes since the start."""
    return {name: value for name, value in item.items() if name != "conditions_version"}


def test_a_gentle_restart_keeps_state_and_answers(own_service: ServiceProcess) -> None:
    own_service.start()
    town = Town(own_service)
    home = town.home(town.county(0))
    key, body = str(uuid4()), {"location": home, "category": "dispute"}
    first = town.desk.post("/v1/incidents", body, expect=201, key=key)
    (order,) = first.json()["assignments"]
    town.stamp(order, "arrive")
    closed = town.report(home)["incident"]["id"]
    town.close_incident(closed, release_units=True)
    town.fix(order["unit_id"], **home)
    town.desk.post("/v1/roads/closures", {"edge_ids": [0], "reason": "施工"}, expect=201)
    before = town.snapshot()
    position = town.unit(order["unit_id"])["position"]
    town.close()

    began_s = time.monotonic()
    assert own_service.stop() == 0
    assert time.monotonic() - began_s < 5.0
    own_service.start()

    town = Town(own_service)
    after = town.snapshot()
    assert after["seq"] == before["seq"]
    for part in ("incidents", "assignments", "closures"):
        assert [lasting(one) for one in after[part]] == [lasting(one) for one in before[part]]
    assert town.incident(closed)["status"] == "closed"
    seen = town.unit(order["unit_id"])["position"]
    assert [seen[name] for name in ("lon", "lat", "at")] == [
        position[name] for name in ("lon", "lat", "at")
    ]
    # The answer to a known key is known for 24 hours, whoever answers.
    again = town.desk.post("/v1/incidents", body, expect=201, key=key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    # Ids and numbers go on where they stood.
    new = town.report(home)["incident"]
    assert new["id"] > closed
    town.close()


def test_a_killed_service_comes_back_with_its_timers_running(own_service: ServiceProcess) -> None:
    """The order given before the crash is still replaced when nobody signs for it."""
    own_service.start()
    town = Town(own_service)
    answer = town.report(town.home(town.county(0)), priority=1)
    (order,) = answer["assignments"]
    seq = answer["seq"] if "seq" in answer else town.seq()
    town.close()
    own_service.kill()
    own_service.start()

    town = Town(own_service)
    assert town.assignment(order["id"])["state"] == "dispatched"

    def substitute() -> Json | None:
        return next(
            (
                one
                for one in town.events(seq)
                if one["type"] == "unit_dispatched" and one["incident_id"] == order["incident_id"]
            ),
            None,
        )

    sent = eventually(substitute, within_s=25.0, what="the substitute, 20 s after the order")
    waited = parse_time(sent["recorded_at"]) - parse_time(order["dispatched_at"])
    assert 20.0 <= waited.total_seconds() < 21.0
    assert sent["unit_id"] != order["unit_id"]
    town.stamp(town.assignment(sent["assignment_id"]), "ack")
    assert town.assignment(order["id"])["state"] == "timed_out"
    town.close()


def test_a_second_service_on_the_same_folder_is_refused(own_service: ServiceProcess) -> None:
    own_service.start()
    second = ServiceProcess(own_service.data)
    try:
        with pytest.raises(AssertionError, match="ended at start"):
            second.start(ready_within_s=20.0)
    finally:
        second.stop()
    assert str(own_service.data) in second.log_text
