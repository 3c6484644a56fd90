"""Who waits, in which order, who goes when somebody comes free, and what if nobody answers."""

from __future__ import annotations

import time

from tests.scenarios.http.client import Json, eventually, parse_time
from tests.scenarios.http.town import Town


def only_one_car(town: Town, area_id: str) -> str:
    """Leave one car of the area on duty."""
    car: str = town.units_of(area_id, kind="response_car")[0]["id"]
    town.only_on_duty(area_id, [car])
    return car


def waiting(town: Town) -> list[str]:
    """Ids of the queue, in its own order."""
    return [one["id"] for one in town.desk.items("/v1/incidents", status="pending")]


def test_the_queue_is_by_priority_then_time_left_and_a_freed_unit_takes_its_head(
    town: Town,
) -> None:
    area = town.county(0)
    car, home = only_one_car(town, area), town.home(area)
    (busy,) = town.report(home)["assignments"]
    assert busy["unit_id"] == car
    reported = {
        name: town.report(home, priority=priority)
        for name, priority in [("third", 3), ("second", 2), ("first", 1), ("fourth", 3)]
    }
    for answer in reported.values():
        assert answer["assignments"] == []
        assert answer["incident"]["status"] == "pending"
        (lack,) = answer["recommendation"]["shortfall"]
        assert lack["found"] == 0
        assert lack["wanted"] == 1
        assert lack["why"]
    ids = {name: answer["incident"]["id"] for name, answer in reported.items()}
    order = ["first", "second", "third", "fourth"]
    assert waiting(town) == [ids[name] for name in order]

    for stamp in ("ack", "depart", "arrive", "feedback"):
        town.stamp(busy, stamp)
    for name in order:
        # Served in the same decision: no look later, no timer.
        town.stamp(busy, "clear")
        served = town.incident(ids[name])
        assert served["status"] == "dispatched", name
        busy = town.assignment(served["assignments"][-1])
        assert busy["unit_id"] == car
        town.stamp(busy, "arrive")
    assert waiting(town) == []


def test_a_declining_crew_is_replaced_at_once_and_not_asked_again(town: Town) -> None:
    area = town.county(1)
    cars = [one["id"] for one in town.units_of(area, kind="response_car")][:2]
    town.only_on_duty(area, cars)
    answer = town.report(town.home(area))
    (first,) = answer["assignments"]
    town.crew(first["unit_id"]).post(f"/v1/assignments/{first['id']}/decline", {}, expect=422)
    declined = town.stamp(first, "decline", reason="车辆故障")
    assert declined["state"] == "declined"
    incident = town.incident(answer["incident"]["id"])
    second = town.assignment(incident["assignments"][-1])
    assert second["unit_id"] == ({*cars} - {first["unit_id"]}).pop()
    assert town.stamp(second, "decline", reason="车辆故障")["state"] == "declined"
    waiting_now = town.incident(incident["id"])
    assert waiting_now["status"] == "pending", "a crew that declined is not asked again"


def test_several_units_go_and_what_is_missing_is_named_and_follows_later(town: Town) -> None:
    area = town.county(2)
    cars = [one["id"] for one in town.units_of(area, kind="response_car")][:2]
    town.only_on_duty(area, cars)
    town.set_status(cars[1], "off_duty")
    answer = town.report(town.home(area), required={"response_car": 2, "motorcycle": 1})
    assert [one["unit_id"] for one in answer["assignments"]] == [cars[0]]
    lacking = {
        one["kind"]: one["wanted"] - one["found"] for one in answer["recommendation"]["shortfall"]
    }
    assert lacking == {"response_car": 1, "motorcycle": 1}

    town.set_status(cars[1], "standby")
    incident = town.incident(answer["incident"]["id"])
    sent = [town.assignment(one)["unit_id"] for one in incident["assignments"]]
    assert sorted(sent) == sorted(cars), "the queue is served when a unit comes on duty"


def test_only_free_units_of_the_area_and_the_kind_are_sent(town: Town) -> None:
    area = town.county(3)
    bikes = [one["id"] for one in town.units_of(area, kind="motorcycle")]
    answer = town.report(town.home(area), required={"motorcycle": 2})
    sent = [one["unit_id"] for one in answer["assignments"]]
    assert len(set(sent)) == 2
    assert set(sent) <= set(bikes)
    more = town.report(town.home(area), required={"motorcycle": 2})
    assert not {one["unit_id"] for one in more["assignments"]} & set(sent)


def test_a_command_vehicle_goes_only_when_nobody_else_can(town: Town) -> None:
    area = town.county(4)
    command = town.units_of(area, kind="command_vehicle")[0]["id"]
    car = only_one_car(town, area)
    town.set_status(command, "standby")
    (first,) = town.report(town.home(area))["assignments"]
    assert first["unit_id"] == car
    (last,) = town.report(town.home(area))["assignments"]
    assert last["unit_id"] == command


def test_a_dispatcher_sends_by_hand_when_the_incident_is_manual(town: Town) -> None:
    area = town.county(5)
    answer = town.report(town.home(area), dispatch="manual")
    incident = answer["incident"]
    assert answer["assignments"] == []
    assert incident["status"] == "pending"
    candidates = answer["recommendation"]["candidates"]
    assert len(candidates) >= 2

    path = f"/v1/incidents/{incident['id']}/assignments"
    by_hand = candidates[1]["unit_id"]
    town.desk.post(path, {"unit_id": by_hand}, expect=428)
    town.desk.post(path, {"unit_id": by_hand}, expect=201, if_match=incident["version"])
    now = town.incident(incident["id"])
    assert town.assignment(now["assignments"][0])["unit_id"] == by_hand
    town.desk.post(path, {}, expect=201, if_match=now["version"])
    backup = town.assignment(town.incident(incident["id"])["assignments"][1])
    assert backup["unit_id"] == candidates[0]["unit_id"]


def test_a_unit_under_orders_cannot_go_off_duty(town: Town) -> None:
    (order,) = town.report(town.home(town.county(6)))["assignments"]
    path = f"/v1/units/{order['unit_id']}/status"
    town.crew(order["unit_id"]).post(path, {"status": "off_duty"}, expect=409)
    assert town.unit(order["unit_id"])["assignment_id"] == order["id"]


def test_closing_is_refused_while_a_unit_is_bound_unless_it_is_released(town: Town) -> None:
    answer = town.report(town.home(town.county(7)))
    (order,) = answer["assignments"]
    incident = town.incident(answer["incident"]["id"])
    path = f"/v1/incidents/{incident['id']}/close"
    town.desk.post(path, {}, expect=409, if_match=incident["version"])
    town.close_incident(incident["id"], release_units=True)
    assert town.assignment(order["id"])["state"] == "released"
    assert town.unit(order["unit_id"])["assignment_id"] is None


def test_reopening_cancelling_merging_nudging_and_notes(town: Town) -> None:
    home = town.home(town.county(8))

    def act(incident_id: str, what: str, body: Json | None = None) -> Json:
        version = town.incident(incident_id)["version"]
        path = f"/v1/incidents/{incident_id}/{what}"
        reply = town.desk.send("POST", path, body or {}, if_match=version)
        assert reply.status_code in (200, 201), reply.text
        return town.incident(incident_id)

    first = town.report(home)["incident"]["id"]
    second = town.report(home)["incident"]["id"]
    assert act(first, "nudge")["status"] == "dispatched"
    act(first, "notes", {"text": "报警人称事态升级"})
    merged = act(second, "merge", {"into": first})
    assert (merged["status"], merged["linked_to"]) == ("merged", first)
    assert act(first, "cancel", {"reason": "误报"})["status"] == "cancelled"
    assert act(first, "reopen")["status"] not in ("closed", "cancelled", "merged")
    for unit in town.units_of(town.county(8)):
        if unit["assignment_id"]:
            assert town.assignment(unit["assignment_id"])["incident_id"] == first


def test_no_answer_is_alerted_again_at_10_s_and_replaced_at_20_s(town: Town) -> None:
    """Priority 1: re-alert, substitute, and the first withdrawn when the second signs."""
    area = town.county(0)
    cars = [one["id"] for one in town.units_of(area, kind="response_car")][:3]
    town.only_on_duty(area, cars)
    seq = town.seq()
    answer = town.report(town.home(area), priority=1)
    incident_id = answer["incident"]["id"]
    (first,) = answer["assignments"]

    def first_of(kind: str, of: str = first["id"]) -> Json | None:
        found = [
            one
            for one in town.events(seq)
            if one["type"] == kind and of in (one.get("assignment_id"), one.get("replaces"))
        ]
        return found[0] if found else None

    def since_order_s(event: Json) -> float:
        ordered = parse_time(first["dispatched_at"])
        return (parse_time(event["recorded_at"]) - ordered).total_seconds()

    time.sleep(8.0)  # nothing can be due before 10 s: no use looking
    again = eventually(lambda: first_of("ack_realerted"), within_s=4.0, what="the second alert")
    assert 10.0 <= since_order_s(again) <= 10.75
    time.sleep(8.0)
    sent = [
        eventually(
            lambda: next(
                (
                    one
                    for one in town.events(seq)
                    if one["type"] == "unit_dispatched" and one["assignment_id"] != first["id"]
                ),
                None,
            ),
            within_s=4.0,
            what="the substitute",
        ),
    ]
    assert 20.0 <= since_order_s(sent[0]) <= 20.75
    second = town.assignment(sent[0]["assignment_id"])
    assert second["unit_id"] in cars
    assert second["unit_id"] != first["unit_id"]
    assert town.assignment(first["id"])["state"] == "dispatched", "not yet withdrawn"

    town.stamp(second, "ack")
    withdrawn = town.assignment(first["id"])
    assert withdrawn["state"] == "timed_out"
    assert withdrawn["ended_reason"]
    assert town.unit(first["unit_id"])["assignment_id"] is None
    assert town.incident(incident_id)["status"] == "acked"
    # The first crew's late tap is kept, and moves nothing.
    assert town.stamp(first, "ack")["applied"] is False
    assert town.assignment(first["id"])["state"] == "timed_out"
