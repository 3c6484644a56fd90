"""The end of the log in memory, and waiting for more."""

from __future__ import annotations

import asyncio

from dispatch.events import IncidentNudged, Recorded
from dispatch.running.tail import Tail
from dispatch.words import IncidentId, UnixMs
from tests.shell_town import run


def event(seq: int) -> Recorded:
    nudge = IncidentNudged(at_ms=UnixMs(seq), incident_id=IncidentId("I000001"), text="")
    return Recorded(seq=seq, recorded_at_ms=UnixMs(seq), actor="t", event=nudge)


def tail(*, head: int = 0, size: int = 100) -> tuple[Tail, list[int]]:
    rendered: list[int] = []

    def render(recorded: Recorded) -> bytes:
        rendered.append(recorded.seq)
        return b"%d" % recorded.seq

    return Tail(head=head, render=render, size=size), rendered


def test_each_event_is_rendered_once_for_all_clients_and_only_when_wanted() -> None:
    end, rendered = tail()
    end.publish([event(1), event(2)])
    assert rendered == []
    first, second = end.since(0, 10) or []
    assert (first.body, first.body, second.body) == (b"1", b"1", b"2")
    assert rendered == [1, 2]


def test_what_is_no_longer_in_memory_is_said_to_be_missing() -> None:
    end, _ = tail(head=10, size=3)
    assert end.since(10, 5) == []
    assert end.since(9, 5) is None
    end.publish([event(seq) for seq in range(11, 16)])
    assert end.since(11, 5) is None
    kept = end.since(12, 2)
    assert kept is not None
    assert [one.seq for one in kept] == [13, 14]


def test_all_who_wait_are_woken_by_what_they_wait_for() -> None:
    async def scenario() -> None:
        end, _ = tail()
        waits = [asyncio.create_task(end.wait_after(after, 5)) for after in (0, 0, 2)]
        await asyncio.sleep(0)
        end.publish([event(1), event(2)])
        await asyncio.sleep(0.01)
        assert [wait.done() for wait in waits] == [True, True, False]
        end.publish([event(3)])
        assert await asyncio.gather(*waits) == [True, True, True]
        assert not end._waiting

    run(scenario)


def test_waiting_ends_with_its_time_and_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        end, _ = tail(head=4)
        assert not await end.wait_after(4, 0.01)
        assert await end.wait_after(3, 0.01)
        waiting = asyncio.create_task(end.wait_after(4, 5))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert not end._waiting

    run(scenario)
