"""The feed by long-poll and as a stream: the same events, resumable, ended when it must."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http import catching_up
from api.settings import Limits, Settings
from api.tokens import revoke_token
from dispatch.running.tail import FeedEvent
from tests.contracts.http_town import HttpTown, assert_problem, fix, served
from tests.contracts.sse import Message, messages


def take_events(heard: Iterator[Message], count: int) -> list[dict[str, Any]]:
    """So many events of the log."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = next(heard)
        if "id" in message:
            event = json.loads(message["data"])
            assert message["id"] == str(event["seq"])
            found.append(event)
    return found


def head(town: HttpTown) -> int:
    seq: int = town.client().get("/v1/snapshot").json()["seq"]
    return seq


def test_both_feeds_give_the_same_events(town: HttpTown) -> None:
    after = head(town)
    town.report(0, 0)
    polled = town.client().get(f"/v1/events?after={after}").json()
    assert [event["type"] for event in polled["items"]] == [
        "incident_received",
        "units_chosen",
        "unit_dispatched",
    ]
    assert polled["last_seq"] == after + 3
    for event in polled["items"]:
        assert {"seq", "type", "at", "recorded_at", "actor"} <= event.keys()
        assert event["at"].endswith("Z")
        assert not any(name.endswith("_ms") or name == "arcs" for name in event)
    headers = {"Last-Event-ID": str(after)}
    with town.client().stream("GET", "/v1/events/stream", headers=headers) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert take_events(messages(reply), 3) == polled["items"]


def test_pages_of_the_feed_have_no_gap(town: HttpTown) -> None:
    after = start = head(town)
    for east_m in (0, 400, 800):
        town.report(east_m, 0)
    seqs: list[int] = []
    while True:
        page = town.client().get(f"/v1/events?after={after}&limit=2").json()
        if not page["items"]:
            break
        seqs += [event["seq"] for event in page["items"]]
        after = page["last_seq"]
    assert seqs == list(range(start + 1, start + 10))


def test_a_long_poll_wakes_at_once(town: HttpTown) -> None:
    after = head(town)
    timer = threading.Timer(0.5, town.report, (0, 0))
    timer.start()
    began_s = time.monotonic()
    page = town.client("analyst").get(f"/v1/events?after={after}&wait=20").json()
    took_s = time.monotonic() - began_s
    timer.join()
    assert page["items"][0]["seq"] == after + 1
    assert 0.3 < took_s < 10


def test_a_long_poll_without_news_is_empty(town: HttpTown) -> None:
    after = head(town)
    page = town.client().get(f"/v1/events?after={after}&wait=0.3").json()
    assert page == {"items": [], "last_seq": after}


@pytest.mark.parametrize("after", [10**6, 2**53])
def test_a_cursor_of_another_log_is_expired(town: HttpTown, after: int) -> None:
    problem = assert_problem(town.client().get(f"/v1/events?after={after}"), 410, "cursor_expired")
    assert "snapshot" in problem["detail"]
    stream = town.client().get("/v1/events/stream", headers={"Last-Event-ID": str(after)})
    assert_problem(stream, 410, "cursor_expired")


def test_a_last_event_id_that_is_no_number(town: HttpTown) -> None:
    stream = town.client().get("/v1/events/stream", headers={"Last-Event-ID": "x"})
    assert_problem(stream, 422, "bad_cursor")


def test_positions_come_on_the_stream_changed_units_only(town: HttpTown) -> None:
    now = datetime.now(UTC)
    batch = [fix("P01-C1", 0, 0, now.isoformat()), fix("P02-C1", 1_400, 0, now.isoformat())]
    with town.client().stream("GET", "/v1/events/stream") as reply:
        heard = messages(reply)
        assert next(heard) == {"retry": "2000"}
        with town.client_with(town.token("dispatcher")) as sender:
            sender.post("/v1/positions", json=batch)
            first = next(one for one in heard if one.get("event") == "positions")
            later = (now + timedelta(seconds=2)).isoformat()
            sender.post("/v1/positions", json=[fix("P01-C1", 5, 0, later)])
            second = next(one for one in heard if one.get("event") == "positions")
    units = [one["unit_id"] for one in json.loads(first["data"])["items"]]
    assert sorted(units) == ["P01-C1", "P02-C1"]
    moved = json.loads(second["data"])["items"]
    assert [one["unit_id"] for one in moved] == ["P01-C1"]
    assert moved[0]["position"]["link"] == "live"
    assert "id" not in first


def test_a_stream_ends_when_its_token_is_revoked(town: HttpTown) -> None:
    token = town.token("analyst")
    with (
        town.client_with(token) as client,
        client.stream("GET", "/v1/events/stream") as reply,
    ):
        heard = messages(reply)
        assert next(heard) == {"retry": "2000"}
        revoke_token(town.data_dir, token, at_ms=1)
        began_s = time.monotonic()
        assert list(heard) == []
        assert time.monotonic() - began_s < 3


def test_a_stop_ends_streams_and_long_polls_at_once(tmp_path: Path) -> None:
    ended: list[str] = []

    def follow(client: httpx.Client) -> None:
        with client.stream("GET", "/v1/events/stream") as reply:
            list(messages(reply))
        ended.append("stream")

    def poll(client: httpx.Client) -> None:
        assert client.get("/v1/events?after=0&wait=25").status_code == 200
        ended.append("poll")

    with served(tmp_path / "data") as town:
        first, second = town.client("analyst"), town.client("dispatcher")
        threads = [
            threading.Thread(target=follow, args=(first,)),
            threading.Thread(target=poll, args=(second,)),
        ]
        for thread in threads:
            thread.start()
        deadline_s = time.monotonic() + 10
        while town.service.stream_clients < 2 and time.monotonic() < deadline_s:
            time.sleep(0.02)
        began_s = time.monotonic()
        town.loop.call_soon_threadsafe(town.service.stopping.set)
        town.server.should_exit = True
        for thread in threads:
            thread.join(10)
        assert time.monotonic() - began_s < 5
    assert sorted(ended) == ["poll", "stream"]


def test_places_for_waiters_are_counted_and_bounded(tmp_path: Path) -> None:
    settings = Settings(limits=Limits(stream_clients=1))
    with served(tmp_path / "data", settings) as town:
        poll, client = f"/v1/events?after={head(town)}&wait=0.1", town.client()
        with town.client("analyst").stream("GET", "/v1/events/stream") as reply:
            # Held: a generator that is dropped closes its connection.
            heard = messages(reply)
            next(heard)
            assert town.service.stream_clients == 1
            inbox = "/v1/units/P01-C1/inbox"
            known = {"If-None-Match": client.get(inbox).headers["etag"]}
            for path in (poll, "/v1/events/stream", f"{inbox}?wait=1"):
                refused = client.get(path, headers=known)
                assert_problem(refused, 503, "not_ready")
                assert refused.headers["retry-after"] == "5"
            # Who does not wait is always answered.
            assert client.get(poll.partition("&")[0]).status_code == 200
            assert client.get(f"{inbox}?wait=1").status_code == 200
            assert client.get(inbox, headers=known).status_code == 304
        deadline_s = time.monotonic() + 10
        while town.service.stream_clients and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert client.get(poll).status_code == 200


def test_a_snapshot_and_the_feed_after_it_are_the_whole_truth(town: HttpTown) -> None:
    held = town.report(0, 0)
    snapshot = town.client().get("/v1/snapshot").json()
    assert held["incident"]["id"] in {one["id"] for one in snapshot["incidents"]}
    assert held["assignments"][0]["id"] in {one["id"] for one in snapshot["assignments"]}
    assert len(snapshot["units"]) == 12
    assert snapshot["synthetic"] is True
    town.report(600, 600)
    after = town.client().get(f"/v1/events?after={snapshot['seq']}").json()["items"]
    assert after[0]["type"] == "incident_received"
    assert after[0]["seq"] == snapshot["seq"] + 1


def test_events_out_of_the_store_are_the_same_and_read_in_small_turns(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = head(town)
    for _ in range(12):
        town.report(0, 0)
    kept = town.client().get(f"/v1/events?after={after}&limit=1000").json()
    count = len(kept["items"])
    assert count > catching_up.TURN_EVENTS
    turns: list[int] = []
    read_events = town.service.runner.read_events

    async def counted(after: int, limit: int) -> Sequence[FeedEvent]:
        turns.append(limit)
        return await read_events(after, limit)

    monkeypatch.setattr(town.service.runner, "read_events", counted)
    town.service.runner.tail._kept.clear()
    assert town.client().get(f"/v1/events?after={after}&limit=1000").json() == kept
    # The last look finds nothing more, in memory.
    assert all(limit <= catching_up.TURN_EVENTS for limit in turns[:-1])
    url = f"/v1/events/stream?after={after}"
    with town.client().stream("GET", url) as reply:
        assert take_events(messages(reply), count) == kept["items"]
