"""18:00, somebody is about to jump at 西湖桥: the patrol of 北塔1号 is there in a minute."""

from __future__ import annotations

import pytest

from tests.scenarios.http.client import Json, now, parse_time
from tests.scenarios.http.town import FREE, Town

BRIDGE = "西湖桥"
PLATFORM = "北塔1号"
BEFORE_THE_BRIDGE_M = 150.0
PATROL_MPS = 20 / 3.6


def patrol_near_the_bridge(town: Town) -> Json:
    """Put the first car of 北塔1号 on patrol, on its way to the bridge, a little before it."""
    platform = next(one for one in town.platforms.values() if one["name"] == PLATFORM)
    cars = town.units_of(town.city_area, kind="response_car")
    car = next(one for one in cars if one["platform_id"] == platform["id"])
    crew = town.crew(car["id"])
    crew.post(f"/v1/units/{car['id']}/status", {"status": "patrolling"}, expect=200)
    way = {"from": platform["location"], "to": town.place(BRIDGE), "profile": "patrol"}
    route = crew.post("/v1/routes", way, expect=200).json()
    lon, lat, heading = point_before_end(route["geometry"]["coordinates"], BEFORE_THE_BRIDGE_M)
    town.fix(car["id"], lon, lat, heading=heading, speed_mps=PATROL_MPS)
    return car


def point_before_end(line: list[list[float]], before_m: float) -> tuple[float, float, float]:
    """Point and heading on a line, so many metres before its end (or at its start)."""
    from api.demo.track import distance_m, heading_deg  # noqa: PLC0415

    points = [(one[0], one[1]) for one in line]
    for a, b in zip(points[-2::-1], points[:0:-1], strict=True):
        leg_m = distance_m(a, b)
        if before_m <= leg_m:
            share = before_m / leg_m
            lon, lat = (b[i] + (a[i] - b[i]) * share for i in (0, 1))
            return lon, lat, heading_deg(a, b)
        before_m -= leg_m
    return *points[0], heading_deg(points[0], points[1])


def test_the_patrol_by_the_bridge_is_sent_and_followed_to_the_end(town: Town) -> None:
    car = patrol_near_the_bridge(town)
    seq = town.seq()

    # A call comes in, with the place's name alone.
    answer = town.report(
        BRIDGE, category="help", priority=1, description="有人要跳桥", source="110"
    )
    incident, recommendation = answer["incident"], answer["recommendation"]
    (order,) = answer["assignments"]

    # The patrol by the bridge goes, and is predicted within the minute promised at a key site.
    assert order["unit_id"] == car["id"]
    assert order["state"] == "dispatched"
    assert incident["status"] == "dispatched"
    assert (incident["zone_class"], incident["target_s"]) == ("key_site", 60)
    assert order["target_s"] == 60
    assert 0 < order["travel_s"] <= order["eta_s"] <= 60
    assert order["on_target_predicted"] is True
    assert order["on_target"] is None
    assert order["margin_s"] == pytest.approx(60 - order["eta_s"], abs=0.01)
    assert incident["on_target"] is None
    assert incident["assignments"] == [order["id"]]
    assert incident["snapped"]["road"]
    assert incident["address"]

    # The receipt says who was weighed and why.
    assert recommendation["incident_id"] == incident["id"]
    assert recommendation["chosen"] == [car["id"]]
    assert recommendation["clock"] == "dispatched"
    assert recommendation["why"]
    assert recommendation["road_version"]
    assert recommendation["decision_s"] < 1.0
    etas = [one["eta_s"] for one in recommendation["candidates"]]
    assert len(etas) >= 2
    assert etas == sorted(etas)
    best = recommendation["candidates"][0]
    assert (best["unit_id"], best["status"]) == (car["id"], "patrolling")
    assert best["travel_s"] == pytest.approx(order["travel_s"], abs=0.001)
    assert best["eta_s"] == pytest.approx(best["travel_s"] + best["turnout_s"], abs=0.002)
    assert best["distance_m"] >= best["straight_line_m"] - 1.0
    assert 0 <= best["position_age_s"] < 30
    assert best["on_target"] is True

    # The crew reads its order, with the way to go, from its own inbox.
    crew = town.crew(car["id"])
    inbox = crew.get(f"/v1/units/{car['id']}/inbox", wait=0).json()
    (listed,) = inbox["assignments"]
    assert listed["id"] == order["id"]
    assert listed["route"]["geometry"]["type"] == "LineString"
    assert len(listed["route"]["geometry"]["coordinates"]) >= 2
    assert sum(step["travel_s"] for step in listed["route"]["steps"]) == pytest.approx(
        listed["travel_s"], abs=0.1
    )

    # Ack, depart, arrive, feedback, clear: by the unit's own token, stamped by its own clock.
    stamps: dict[str, str] = {}
    for stamp, state, incident_status, unit_status in [
        ("ack", "acked", "acked", None),
        ("depart", "en_route", "en_route", "en_route"),
        ("arrive", "on_scene", "on_scene", "on_scene"),
        ("feedback", "on_scene", "fed_back", "on_scene"),
        ("clear", "cleared", "fed_back", None),
    ]:
        stamps[stamp] = now()
        report = {"category_final": "help", "valid": True, "text": "已劝下"}
        body = report if stamp == "feedback" else {}
        answered = town.stamp(order, stamp, at=stamps[stamp], **body)
        assert answered["applied"] is True
        assert answered["state"] == state, stamp
        assert town.incident(incident["id"])["status"] == incident_status, stamp
        if unit_status:
            assert town.unit(car["id"])["status"] == unit_status

    # On target is recorded: measured, not predicted.
    done = town.assignment(order["id"])
    assert done["on_target"] is True
    for stamp, field in [
        ("ack", "acked_at"),
        ("depart", "departed_at"),
        ("arrive", "arrived_at"),
        ("feedback", "feedback_at"),
        ("clear", "cleared_at"),
    ]:
        assert parse_time(done[field]) == parse_time(stamps[stamp]), field
    told = town.incident(incident["id"])
    assert told["on_target"] is True
    assert told["overdue"] == []
    assert (told["category_initial"], told["category_final"], told["valid"]) == (
        "help",
        "help",
        True,
    )

    # The crew is free again and the incident can be closed.
    unit = town.unit(car["id"])
    assert unit["status"] in FREE
    assert unit["assignment_id"] is None
    assert crew.get(f"/v1/units/{car['id']}/inbox", wait=0).json()["assignments"] == []
    closed = town.close_incident(incident["id"])
    assert closed["status"] == "closed"
    assert closed["closed_at"]

    # And the log tells the same story, once.
    story = [one["type"] for one in town.events(seq) if one.get("incident_id") == incident["id"]]
    assert [kind for kind in story if kind != "units_chosen"] == [
        "incident_received",
        "unit_dispatched",
        "assignment_acked",
        "assignment_departed",
        "assignment_arrived",
        "feedback_given",
        "assignment_cleared",
        "incident_closed",
    ]


def test_a_crew_that_comes_late_is_recorded_late(town: Town) -> None:
    """The promise is measured at arrival by the device's clock, not believed."""
    area = town.county(0)
    answer = town.report(town.home(area), category="help")
    (order,) = answer["assignments"]
    target_s = answer["incident"]["target_s"]
    assert target_s in (60, 180, 300)
    town.stamp(order, "ack")
    incident = town.incident(answer["incident"]["id"])
    assert incident["on_target"] is None
    begun = parse_time(incident["target_deadline"])
    assert (begun - parse_time(incident["dispatched_at"])).total_seconds() == pytest.approx(
        target_s, abs=0.01
    )


def test_a_later_step_implies_the_earlier_ones(town: Town) -> None:
    (order,) = town.report(town.home(town.county(1)))["assignments"]
    town.stamp(order, "arrive")
    seen = town.assignment(order["id"])
    assert seen["state"] == "on_scene"
    assert seen["acked_at"]
    assert seen["departed_at"]
    assert seen["arrived_at"]


def test_a_late_or_repeated_step_is_recorded_and_changes_nothing(town: Town) -> None:
    (order,) = town.report(town.home(town.county(2)))["assignments"]
    town.stamp(order, "arrive")
    before = town.assignment(order["id"])
    for stamp in ("depart", "arrive", "ack"):
        assert town.stamp(order, stamp)["applied"] is False
    after = town.assignment(order["id"])
    for field in ("state", "acked_at", "departed_at", "arrived_at"):
        assert after[field] == before[field], field


def test_a_device_clock_far_off_is_refused(town: Town) -> None:
    (order,) = town.report(town.home(town.county(3)))["assignments"]
    path = f"/v1/assignments/{order['id']}/ack"
    crew = town.crew(order["unit_id"])
    for ago_s in (-3600.0, 2 * 86400.0):
        crew.post(path, {"at": now(ago_s=ago_s)}, expect=422)
    assert town.assignment(order["id"])["state"] == "dispatched"
