"""Two dispatchers want one car for two incidents in the same moment: exactly one gets it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx

from tests.scenarios.http.client import Client, Json, check_problem
from tests.scenarios.http.town import Town

WITHIN_S = 0.05


def test_exactly_one_of_two_dispatchers_gets_the_car(town: Town, long_form: bool) -> None:
    area = town.county(0)
    cars = [one["id"] for one in town.units_of(area, kind="response_car")][:2]
    town.only_on_duty(area, cars)
    desks = [town.client("dispatcher", nth=nth) for nth in (1, 2)]
    won = [0, 0]
    with ThreadPoolExecutor(2) as both:
        for _ in range(1000 if long_form else 100):
            winner = one_race(town, area, cars[0], desks, both, next_best=cars[1])
            won[winner] += 1
    assert sum(won) == (1000 if long_form else 100)
    assert min(won) > 0, f"a race that one side always wins is none: {won}"


def one_race(
    town: Town,
    area: str,
    car: str,
    desks: list[Client],
    both: ThreadPoolExecutor,
    *,
    next_best: str,
) -> int:
    """Run one race, check it, put the car back; returns who won."""
    home = town.home(area)
    incidents = [town.report(home, dispatch="manual")["incident"] for _ in desks]
    line = threading.Barrier(2)

    def assign(nth: int) -> tuple[float, httpx.Response]:
        path = f"/v1/incidents/{incidents[nth]['id']}/assignments"
        line.wait(timeout=10)
        sent_s = time.monotonic()
        return sent_s, desks[nth].send(
            "POST", path, {"unit_id": car}, if_match=incidents[nth]["version"]
        )

    (sent_a, a), (sent_b, b) = both.map(assign, range(2))
    assert abs(sent_a - sent_b) < WITHIN_S
    statuses = [a.status_code, b.status_code]
    assert sorted(statuses) == [201, 409], (a.text, b.text)
    winner = statuses.index(201)
    problem = check_problem((a, b)[1 - winner])

    # The loser learns who holds the car, and who could go instead.
    held = town.unit(car)["assignment_id"]
    assert town.assignment(held)["incident_id"] == incidents[winner]["id"]
    assert incidents[winner]["id"] in str(problem["holder"])
    assert problem["candidates"][0]["unit_id"] == next_best
    assert all(one["unit_id"] != car for one in problem["candidates"])
    loser: Json = town.incident(incidents[1 - winner]["id"])
    assert (loser["status"], loser["assignments"]) == ("pending", [])

    for incident in incidents:
        town.close_incident(incident["id"], release_units=True)
    assert town.unit(car)["assignment_id"] is None
    return winner


def test_many_incidents_at_once_never_share_a_unit(town: Town) -> None:
    """32 callers, more than there are units: nobody is sent twice, the rest wait."""
    area = town.county(1)
    home = town.home(area)
    able = [one for one in town.units_of(area) if one["kind"] != "assault_team"]
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: town.report(home, required={"any": 1}), range(32)))
    sent = [one["unit_id"] for answer in answers for one in answer["assignments"]]
    assert len(sent) == len(set(sent)) == min(32, len(able))
    pending = [one for one in answers if not one["assignments"]]
    queue = [one["id"] for one in town.desk.items("/v1/incidents", status="pending")]
    assert sorted(queue) == sorted(one["incident"]["id"] for one in pending)


def test_one_key_sent_by_many_at_once_makes_one_incident(town: Town) -> None:
    home, key = town.home(town.county(2)), str(uuid4())
    body = {"location": home, "category": "dispute"}
    with ThreadPoolExecutor(8) as callers:
        replies = list(
            callers.map(lambda _: town.desk.send("POST", "/v1/incidents", body, key=key), range(8))
        )
    created = {reply.json()["incident"]["id"] for reply in replies if reply.status_code == 201}
    assert len(created) == 1
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert len(list(town.desk.items("/v1/incidents", status="dispatched"))) == 1
