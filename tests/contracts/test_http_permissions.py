"""Every route, every role: what is not written here is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.http.app import ROUTERS, check_permissions
from api.http.direct_routes import HEAD_TOO
from api.http.permissions import RouteWithoutPermission
from api.tokens import revoke_token
from tests.contracts.http_town import HttpTown, assert_problem

ROLES = ("dispatcher", "commander", "vehicle", "analyst", "admin")
DESK = {"dispatcher", "commander", "admin"}
READ = DESK | {"analyst"}
CREW = DESK | {"vehicle"}
ALL = set(ROLES)
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/docs"),
    ("GET", "/docs/start.js"),
    ("GET", "/docs/{name}"),
    ("GET", "/openapi.json"),
    # They check the token themselves: their clients cannot send a header.
    ("GET", "/osmand"),
    ("POST", "/osmand"),
    # It takes a token in its body, and gives a cookie.
    ("POST", "/v1/session"),
}
ADMITTED: dict[tuple[str, str], set[str]] = {
    ("POST", "/v1/incidents"): DESK,
    ("GET", "/v1/incidents"): READ,
    ("GET", "/v1/incidents/{incident_id}"): ALL,
    ("PATCH", "/v1/incidents/{incident_id}"): DESK,
    ("GET", "/v1/incidents/{incident_id}/caller"): CREW,
    ("POST", "/v1/incidents/{incident_id}/assignments"): DESK,
    ("POST", "/v1/incidents/{incident_id}/close"): DESK,
    ("POST", "/v1/incidents/{incident_id}/cancel"): DESK,
    ("POST", "/v1/incidents/{incident_id}/reopen"): DESK,
    ("POST", "/v1/incidents/{incident_id}/nudge"): DESK,
    ("POST", "/v1/incidents/{incident_id}/merge"): DESK,
    ("POST", "/v1/incidents/{incident_id}/notes"): DESK,
    ("POST", "/v1/recommendations"): READ,
    ("GET", "/v1/assignments/{assignment_id}"): ALL,
    ("POST", "/v1/assignments/{assignment_id}/ack"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/depart"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/arrive"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/feedback"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/clear"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/decline"): CREW,
    ("POST", "/v1/assignments/{assignment_id}/corrections"): DESK,
    ("GET", "/v1/units"): READ,
    ("GET", "/v1/units/{unit_id}"): ALL,
    ("POST", "/v1/units/{unit_id}/status"): CREW,
    ("GET", "/v1/units/{unit_id}/inbox"): CREW,
    ("GET", "/v1/units/{unit_id}/inbox/stream"): CREW,
    ("POST", "/v1/units/{unit_id}/loan"): DESK,
    ("DELETE", "/v1/units/{unit_id}/loan"): DESK,
    ("POST", "/v1/positions"): CREW,
    ("GET", "/v1/platforms"): ALL,
    ("GET", "/v1/zones"): ALL,
    ("GET", "/v1/key-sites"): ALL,
    ("GET", "/v1/places"): ALL,
    ("GET", "/v1/roads"): ALL,
    ("GET", "/v1/roads/{road_version}"): ALL,
    ("POST", "/v1/routes"): ALL,
    ("GET", "/v1/isochrones"): ALL,
    ("GET", "/v1/roads/closures"): ALL,
    ("POST", "/v1/roads/closures"): DESK,
    ("DELETE", "/v1/roads/closures/{closure_id}"): DESK,
    ("GET", "/v1/roads/speeds"): ALL,
    ("POST", "/v1/roads/speeds"): DESK,
    ("DELETE", "/v1/roads/speeds/{factor_id}"): DESK,
    ("GET", "/v1/events"): READ,
    ("GET", "/v1/events/stream"): READ,
    ("GET", "/v1/snapshot"): READ,
    ("GET", "/v1/reports/arrivals"): READ,
    ("GET", "/v1/reports/clocks"): READ,
    ("GET", "/v1/reports/open-incidents"): DESK,
    ("GET", "/v1/alarms"): READ,
    ("GET", "/v1/session"): ALL,
    ("DELETE", "/v1/session"): ALL,
    ("GET", "/metrics"): READ,
}
ROUTES = sorted(
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)


FIXED = sorted((method, path) for method, path in ADMITTED if "{" not in path)


def ask(client: httpx.Client, method: str, path: str, **headers: str) -> httpx.Response:
    """A call with nothing sensible in it; a stream is left at its first line."""
    filled = re.sub(r"\{(\w+)\}", lambda found: "none", path)
    body = {} if method != "GET" else None
    with client.stream(method, filled, json=body, headers=headers) as reply:
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            reply.read()
        return reply


def test_every_route_is_judged_here() -> None:
    assert set(ROUTES) == OPEN | ADMITTED.keys()


@pytest.mark.parametrize(("method", "path"), sorted(ADMITTED))
def test_a_route_admits_its_roles_and_nobody_else(
    open_town: HttpTown, method: str, path: str
) -> None:
    for role in ROLES:
        own = "none" if role == "vehicle" else None
        reply = ask(open_town.client(role, own), method, path)
        if role in ADMITTED[method, path]:
            assert reply.status_code not in (401, 403), (role, reply.status_code)
        else:
            # Before anything is looked up or read: no id and no field of a body is given away.
            assert_problem(reply, 403, "forbidden")


@pytest.fixture(scope="module")
def nobody(open_town: HttpTown) -> Iterator[httpx.Client]:
    """A client without a token."""
    with open_town.client_with(None) as client:
        yield client


@pytest.fixture(scope="module")
def good(open_town: HttpTown) -> str:
    """A token that would be let in everywhere."""
    return open_town.token("admin")


@pytest.fixture(scope="module")
def refused(open_town: HttpTown, good: str) -> dict[str, dict[str, str]]:
    """Headers that let nobody in, by what is wrong with them."""
    revoked = open_town.token("admin")
    revoke_token(open_town.data_dir, revoked, at_ms=1)
    prefix, _, token_id, secret = good.split("_")
    return {
        "none": {},
        "empty": {"Authorization": ""},
        "no token": {"Authorization": "Bearer"},
        "no scheme": {"Authorization": good},
        "wrong scheme": {"Authorization": f"Token {good}"},
        "basic": {"Authorization": f"Basic {good}"},
        "unknown": {"Authorization": f"Bearer {prefix}_admin_00000000_{secret}"},
        "other role": {"Authorization": f"Bearer {prefix}_commander_{token_id}_{secret}"},
        "cut off": {"Authorization": f"Bearer {good[:-1]}"},
        "two in one": {"Authorization": f"Bearer {good} {good}"},
        "revoked": {"Authorization": f"Bearer {revoked}"},
        "cookie": {"Cookie": f"token={good}; Authorization=Bearer {good}"},
        "unknown session": {"Cookie": f"kuaijing_session={secret}; token={good}"},
        "token as session": {"Cookie": f"kuaijing_session={good}"},
        "other header": {"X-Authorization": f"Bearer {good}", "Proxy-Authorization": good},
    }


@pytest.mark.parametrize(("method", "path"), sorted(ADMITTED))
def test_nobody_comes_in_without_a_token_that_holds(
    nobody: httpx.Client, good: str, refused: dict[str, dict[str, str]], method: str, path: str
) -> None:
    for why, headers in refused.items():
        reply = ask(nobody, method, path, **headers)
        assert reply.status_code == 401, (why, reply.status_code)
        assert_problem(reply, 401, "unauthorized")
        assert reply.headers["www-authenticate"] == "Bearer", why
    for name in ("token", "access_token", "authorization"):
        reply = ask(nobody, method, f"{path}?{name}={good}")
        assert reply.status_code == 401, f"a token in the address, as {name}"


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_open_routes_need_no_token_at_the_door(
    nobody: httpx.Client, method: str, path: str
) -> None:
    assert ask(nobody, method, path).status_code in {200, 404, 422}


@pytest.mark.parametrize(("method", "path"), FIXED)
def test_a_fixed_path_written_otherwise_is_no_way_round_the_guard(
    open_town: HttpTown, nobody: httpx.Client, method: str, path: str
) -> None:
    spellings = (
        f"{path}/",
        f"/{path}",
        f"/.{path}",
        f"{path}%00",
        f"{path};x=1",
        path.upper(),
        f"{path[:-1]}%{ord(path[-1]):02x}",
        f"/healthz/..{path}",
        f"/docs/%2e%2e{path}",
    )
    for spelling in spellings:
        url = httpx.URL(open_town.url).copy_with(raw_path=spelling.encode())
        reply = nobody.request(method, url)
        assert reply.status_code in {401, 404, 405}, spelling


def test_a_method_that_no_route_has_is_refused(nobody: httpx.Client) -> None:
    for path in sorted({path for _, path in ROUTES}):
        known = {method for method, one in ROUTES if one == path}
        known |= {"HEAD"} if path in HEAD_TOO else set()
        for method in {"HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - known:
            filled = re.sub(r"\{\w+\}", "none", path)
            reply = nobody.request(method, filled, headers={"X-HTTP-Method-Override": "GET"})
            assert reply.status_code == 405, (method, path, reply.status_code)


def test_a_route_that_came_in_past_the_guard_keeps_the_service_from_starting() -> None:
    async def forgotten(_request: Request) -> Response:
        return Response()

    for add in (
        lambda app: app.add_route("/x", forgotten),
        lambda app: app.add_api_route("/x", forgotten),
        lambda app: app.mount("/x", FastAPI()),
    ):
        app = FastAPI(openapi_url=None)
        add(app)
        with pytest.raises(RouteWithoutPermission, match=r"/x|nobody guards it"):
            check_permissions(app)


def test_a_token_works_at_once_and_not_a_request_after_it_was_revoked(town: HttpTown) -> None:
    token = town.token("analyst")
    with town.client_with(token) as client:
        assert client.get("/v1/units").status_code == 200
        revoke_token(town.data_dir, token, at_ms=1)
        assert_problem(client.get("/v1/units"), 401, "unauthorized")
