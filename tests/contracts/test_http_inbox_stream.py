"""A unit's inbox as a stream: the whole of it at once, again at each change, nothing twice."""

from __future__ import annotations

import json

from tests.contracts.http_town import HttpTown, assert_problem
from tests.contracts.sse import messages

UNIT = "P01-C1"
PATH = f"/v1/units/{UNIT}/inbox/stream"


def test_an_order_comes_without_being_asked_for(town: HttpTown) -> None:
    crew = town.client("vehicle", UNIT)
    with crew.stream("GET", PATH) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        heard = messages(reply)
        assert next(heard) == {"retry": "2000"}
        first = next(heard)
        assert (first["event"], json.loads(first["data"])["assignments"]) == ("inbox", [])
        incident = town.report(100, 0, required={"response_car": 1})
        [sent] = incident["assignments"]
        assert sent["unit_id"] == UNIT
        ordered = json.loads(next(heard)["data"])
        [order] = ordered["assignments"]
        assert (order["id"], order["incident"]["id"]) == (sent["id"], incident["incident"]["id"])
        assert order["route"]["steps"]
    polled = crew.get(f"/v1/units/{UNIT}/inbox").json()
    assert polled == ordered, "stream and long-poll tell the same"


def test_what_a_client_has_is_not_sent_again(town: HttpTown) -> None:
    crew = town.client("vehicle", UNIT)
    with crew.stream("GET", PATH) as reply:
        heard = messages(reply)
        next(heard)
        known = next(heard)["id"]
    with crew.stream("GET", PATH, headers={"Last-Event-ID": known}) as reply:
        heard = messages(reply)
        assert next(heard) == {"retry": "2000"}
        town.report(100, 0, required={"response_car": 1})
        changed = next(heard)
    assert changed["id"] != known
    assert json.loads(changed["data"])["assignments"]


def test_another_crews_inbox_is_not_given(town: HttpTown) -> None:
    other = town.client("vehicle", "P02-C1")
    assert_problem(other.get(PATH), 403, "forbidden")
    assert_problem(town.client().get("/v1/units/X/inbox/stream"), 404, "unit_unknown")
