"""One log, two feeds, one snapshot: nothing missing, nothing twice, resumed where it broke off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.scenarios.http.client import Json, now, parse_time
from tests.scenarios.http.town import Town

AT_ONCE_S = 1.0


def test_snapshot_and_events_are_one_story(town: Town) -> None:
    snapshot = town.snapshot()
    answer = town.report(town.home(town.county(0)))
    events = town.events(snapshot["seq"])
    assert [one["seq"] for one in events] == [
        snapshot["seq"] + n for n in range(1, len(events) + 1)
    ]
    assert town.seq() == events[-1]["seq"]
    for event in events:
        assert {"seq", "type", "at", "recorded_at", "actor"} <= event.keys()
        assert parse_time(event["at"]) <= parse_time(event["recorded_at"])
    assert "incident_received" in [one["type"] for one in events]
    after = town.snapshot()
    assert answer["incident"]["id"] in [one["id"] for one in after["incidents"]]
    assert answer["assignments"][0]["id"] in [one["id"] for one in after["assignments"]]


def test_a_long_poll_waits_and_answers_at_once(town: Town) -> None:
    seq = town.seq()
    with ThreadPoolExecutor(1) as reader:
        polled = reader.submit(
            lambda: (
                town.client("analyst").get("/v1/events", after=seq, wait=20).json(),
                time.monotonic(),
            )
        )
        time.sleep(0.3)
        assert not polled.done(), "nothing has happened yet"
        town.report(town.home(town.county(1)))
        reported_s = time.monotonic()
        page, answered_s = polled.result(timeout=20)
    assert page["items"][0]["seq"] == seq + 1
    assert answered_s - reported_s < AT_ONCE_S


def test_a_long_poll_without_news_ends_empty(town: Town) -> None:
    seq = town.seq()
    began_s = time.monotonic()
    page = town.desk.get("/v1/events", after=seq, wait=1).json()
    assert page["items"] == []
    assert 0.9 <= time.monotonic() - began_s < 3.0


def messages(lines: Iterator[str]) -> Iterator[Json]:
    """Server-sent events; comments come as {"comment": text}."""
    message: Json = {}
    for line in lines:
        if line.startswith(":"):
            yield {"comment": line[1:].strip()}
        elif line:
            name, _, value = line.partition(":")
            message[name] = message.get(name, "") + value.removeprefix(" ")
        elif message:
            yield message
            message = {}


def read_log(stream: Iterator[Json], count: int) -> list[Json]:
    """The next events of the log on a stream, positions left out."""
    found: list[Json] = []
    for message in stream:
        if "data" in message and message.get("event") != "positions":
            event = json.loads(message["data"])
            assert message["id"] == str(event["seq"])
            found.append(event)
            if len(found) == count:
                break
    return found


def test_a_stream_gives_the_same_events_and_resumes_where_it_broke_off(town: Town) -> None:
    seq = town.seq()
    home = town.home(town.county(2))
    town.report(home)
    first = town.events(seq)
    stream = town.client("analyst").http

    with stream.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": str(seq)}) as reply:
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        assert read_log(messages(reply.iter_lines()), len(first)) == first

    # The line breaks; the world goes on; the reader comes back with the last id it saw.
    town.report(home)
    both = town.events(seq)
    last = str(first[-2]["seq"])
    with stream.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": last}) as reply:
        heard = messages(reply.iter_lines())
        assert read_log(heard, len(both) - len(first) + 1) == both[len(first) - 1 :]
        # And live: what happens now comes now.
        town.report(home)
        reported_s = time.monotonic()
        assert read_log(heard, 1)[0]["seq"] == both[-1]["seq"] + 1
        assert time.monotonic() - reported_s < AT_ONCE_S


def test_positions_come_on_the_stream_and_not_in_the_log(town: Town) -> None:
    unit = town.units_of(town.county(3))[0]["id"]
    home = town.home(town.county(3))
    seq = town.seq()
    headers = {"Last-Event-ID": str(seq)}
    with town.client("analyst").http.stream("GET", "/v1/events/stream", headers=headers) as reply:
        town.fix(unit, **home)
        for message in messages(reply.iter_lines()):
            if message.get("event") == "positions" and unit in message["data"]:
                break
        assert "id" not in message, "positions have no place in the log"
    assert town.seq() == seq


def test_a_silent_stream_has_a_heartbeat_within_10_s(town: Town) -> None:
    seq = town.seq()
    headers = {"Last-Event-ID": str(seq)}
    began_s = time.monotonic()
    with town.client("analyst").http.stream("GET", "/v1/events/stream", headers=headers) as reply:
        heard = next(one for one in messages(reply.iter_lines()) if "comment" in one)
    assert heard is not None
    assert time.monotonic() - began_s < 11.0


def test_an_inbox_answers_304_without_news_and_at_once_with_an_order(town: Town) -> None:
    area = town.county(4)
    car = town.units_of(area, kind="response_car")[0]["id"]
    town.only_on_duty(area, [car])
    crew, path = town.crew(car), f"/v1/units/{car}/inbox"
    empty = crew.get(path, wait=0)
    assert empty.json()["assignments"] == []
    assert empty.json()["poll_after_ms"] >= 0
    unchanged = {"If-None-Match": empty.headers["ETag"]}
    began_s = time.monotonic()
    crew.get(path, wait=1, headers=unchanged, expect=304)
    assert 0.9 <= time.monotonic() - began_s < 3.0

    with ThreadPoolExecutor(1) as vehicle:
        polled = vehicle.submit(
            lambda: (crew.get(path, wait=20, headers=unchanged).json(), time.monotonic())
        )
        time.sleep(0.3)
        (order,) = town.report(town.home(area))["assignments"]
        reported_s = time.monotonic()
        inbox, answered_s = polled.result(timeout=20)
    assert [one["id"] for one in inbox["assignments"]] == [order["id"]]
    assert answered_s - reported_s < AT_ONCE_S


def test_a_cursor_ahead_of_the_log_is_not_taken_for_an_old_one(town: Town) -> None:
    reply = town.desk.http.get("/v1/events", params={"after": -1})
    assert reply.status_code in (410, 422), reply.text


def test_vehicles_of_the_traccar_kind_are_heard(town: Town) -> None:
    """OsmAnd's form: a query with the speed in knots, the unit by its id and token."""
    unit = town.units_of(town.county(5))[0]["id"]
    home = town.home(town.county(5))
    at = now()
    reply = town.crew(unit).http.get(
        "/osmand",
        params={"id": unit, **home, "timestamp": at, "speed": 10, "bearing": 90, "hdop": 1},
    )
    assert reply.status_code == 200, reply.text
    position = town.unit(unit)["position"]
    assert abs(position["speed_mps"] - 5.144) < 0.01
    assert parse_time(position["at"]) == parse_time(at)
    assert position["link"] == "live"
