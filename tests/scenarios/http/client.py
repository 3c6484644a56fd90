"""A strict client of the HTTP API: every answer is checked against what all answers promise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

Json = dict[str, Any]
Value = TypeVar("Value")

POLL_EVERY_S = 0.05


def now(*, ago_s: float = 0.0) -> str:
    """A time as the API wants it."""
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A time as the API writes it: RFC 3339, UTC, with Z."""
    assert text.endswith("Z"), f"{text} is not UTC with Z"
    return datetime.fromisoformat(text)


def eventually(look: Callable[[], Value | None], *, within_s: float, what: str) -> Value:
    """Look until there is something true to see, or fail when the time is over."""
    deadline_s = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}"
        time.sleep(POLL_EVERY_S)
    return seen


class Client:
    """One caller with one token (or none)."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=40.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def get(
        self,
        path: str,
        *,
        expect: int = 200,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        """GET, with the status that must come."""
        params = {name.rstrip("_"): value for name, value in query.items()}
        return checked(self.http.get(path, params=params, headers=headers), expect)

    def items(self, path: str, **query: Any) -> list[Json]:
        """All items of a list over all its pages."""
        found: list[Json] = []
        query.setdefault("limit", 1000)
        while True:
            page = self.get(path, **query).json()
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        if_match: int | str | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """A change, whatever comes of it."""
        headers = {"Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        if if_match is not None:
            headers["If-Match"] = if_match if isinstance(if_match, str) else f'"{if_match}"'
        if content is not None:
            return self.http.request(method, path, content=content, headers=headers)
        return self.http.request(method, path, json=body, headers=headers)

    def post(self, path: str, body: Any = None, *, expect: int, **options: Any) -> httpx.Response:
        """POST, with the status that must come."""
        return checked(self.send("POST", path, {} if body is None else body, **options), expect)

    def patch(self, path: str, body: Any, *, expect: int, **options: Any) -> httpx.Response:
        """PATCH, with the status that must come."""
        return checked(self.send("PATCH", path, body, **options), expect)

    def delete(self, path: str, *, expect: int, **options: Any) -> httpx.Response:
        """DELETE, with the status that must come."""
        return checked(self.send("DELETE", path, **options), expect)


def checked(reply: httpx.Response, expect: int) -> httpx.Response:
    """The reply, when it has the expected status and what every reply has."""
    said = f"{reply.request.method} {reply.request.url}: {reply.status_code} {reply.text[:1500]}"
    assert reply.status_code == expect, f"expected {expect}; {said}"
    assert reply.headers.get("X-Request-Id"), f"no X-Request-Id; {said}"
    if reply.status_code >= 400:
        check_problem(reply)
    return reply


def check_problem(reply: httpx.Response) -> Json:
    """The body of an error, when it is a whole RFC 9457 problem."""
    kind = reply.headers["Content-Type"].partition(";")[0]
    assert kind == "application/problem+json", f"{kind}: {reply.text[:500]}"
    problem: Json = reply.json()
    for name in ("type", "title", "detail", "code"):
        assert isinstance(problem.get(name), str), f"no {name}: {problem}"
        assert problem[name], f"{name} is empty: {problem}"
    assert problem["status"] == reply.status_code
    return problem
