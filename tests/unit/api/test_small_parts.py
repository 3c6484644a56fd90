"""Cursors, rates, clocks, quantiles, permissions and problems, each by itself."""

from __future__ import annotations

import asyncio
import inspect
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from api import errors as api_errors
from api.clock import milliseconds, rfc3339
from api.errors import BadCursor, NotReady, RateLimited
from api.http import idempotency
from api.http.cursors import read_cursor, write_cursor
from api.http.permissions import GuardedRoute, RouteWithoutPermission, open_to_all
from api.http.problem_table import TABLE, row_of
from api.http.problems import problem_response
from api.http.rate_limit import RateLimiter
from api.reports import quantiles
from api.tokens import Caller, Role
from dispatch import errors as dispatch_errors
from platforms import errors as city_errors
from routing import conditions as road_conditions
from routing import errors as road_errors


@given(st.lists(st.integers(-(2**60), 2**60) | st.text(max_size=20), max_size=5))
def test_a_cursor_comes_back_as_it_went(position: list[int | str]) -> None:
    assert read_cursor(write_cursor("x", position), "x", list[int | str]) == position


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "=" * 600])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(cursor, "x", str)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(BadCursor):
        read_cursor(write_cursor("units", "P01"), "places", str)


def test_a_bucket_empties_and_fills() -> None:
    now_s = [0.0]
    limiter = RateLimiter(2.0, 3, monotonic_s=lambda: now_s[0])
    for _ in range(3):
        limiter.spend("a")
    with pytest.raises(RateLimited) as refused:
        limiter.spend("a")
    assert refused.value.retry_after_s == 1
    limiter.spend("b")
    now_s[0] = 0.5
    limiter.spend("a")
    now_s[0] = 1_000.0
    for _ in range(3):
        limiter.spend("a")
    with pytest.raises(RateLimited):
        limiter.spend("a")


@given(st.integers(0, 4_102_444_799_999))
def test_times_are_written_to_the_millisecond_and_read_back(at_ms: int) -> None:
    text = rfc3339(at_ms)
    assert text.endswith("Z")
    assert milliseconds(datetime.fromisoformat(text)) == at_ms


def test_times_are_those_of_the_library() -> None:
    at = datetime(2026, 2, 28, 23, 59, 59, 7_000, tzinfo=UTC) + timedelta(seconds=1)
    assert rfc3339(milliseconds(at)) == "2026-03-01T00:00:00.007Z"


@pytest.mark.parametrize("count", [1, 2, 3, 10, 101])
def test_quantiles_are_those_of_numpy(count: int) -> None:
    chance = random.Random(count)
    values = [chance.lognormvariate(4, 1) for _ in range(count)]
    found = quantiles(values)
    expected = np.percentile(values, [50, 90, 95, 99])
    assert [found.p50_s, found.p90_s, found.p95_s, found.p99_s] == pytest.approx(expected, abs=1e-3)


def test_quantiles_of_nothing_are_none() -> None:
    assert quantiles([]).p50_s is None


def test_an_endpoint_without_a_permission_does_not_start() -> None:
    async def forgotten(request: Request) -> Response:
        return Response()

    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(RouteWithoutPermission, match="forgotten"):
        router.get("/x")(forgotten)
    router.get("/x")(open_to_all(forgotten))


TREES = (
    (api_errors, api_errors.ApiError),
    (dispatch_errors, dispatch_errors.DispatchError),
    (road_errors, road_errors.RoadError),
    (road_conditions, road_errors.RoadError),
    (city_errors, city_errors.CityError),
)
KINDS = sorted(
    {
        kind
        for module, root in TREES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, root)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_its_row(kind: type[Exception]) -> None:
    assert kind in TABLE, f"add {kind.__name__} to api.http.problems.TABLE"


def test_every_error_of_the_trees_is_known_here() -> None:
    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = {
        kind
        for _, root in TREES
        for kind in below(root)
        if kind.__module__.split(".")[0] in {"api", "dispatch", "platforms", "routing"}
    }
    assert ours - set(TABLE) == set()


def test_codes_are_told_apart() -> None:
    by_code: dict[str, set[int]] = {}
    for row in TABLE.values():
        by_code.setdefault(row.code, set()).add(row.status)
    assert all(len(statuses) == 1 for statuses in by_code.values())


def test_an_error_of_nobody_is_ours_and_says_nothing() -> None:
    response = problem_response(RuntimeError("inside"), {"type": "http", "request_id": "r1"})
    assert response.status_code == 500
    assert b"inside" not in bytes(response.body)
    assert b"r1" in bytes(response.body)
    assert row_of(KeyError).status == 500


def test_a_reply_that_made_room_for_another_is_dropped_without_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "KEPT_MAX", 1)
    keeper = idempotency.ReplyKeeper(lambda: 0)

    def keyed(key: str) -> Request:
        caller = Caller(token_id="t", role=Role.ADMIN, unit_id=None, actor="admin:t")
        headers = [(b"idempotency-key", key.encode())]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        return Request(
            {**scope, "server": ("t", 1), "caller": caller, "query_string": b""}, receive
        )

    async def quick() -> Response:
        return Response(b"second")

    async def slow() -> Response:
        # Another request comes in meanwhile and needs the only room.
        await keeper.once(keyed("b"), quick)
        raise NotReady("for the test")

    async def scenario() -> Response:
        with pytest.raises(NotReady):
            await keeper.once(keyed("a"), slow)
        return await keeper.once(keyed("b"), slow)

    again = asyncio.run(scenario())
    assert again.body == b"second"
    assert again.headers["idempotency-replayed"] == "true"
