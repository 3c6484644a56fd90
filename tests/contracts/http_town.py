"""A small town served by a real uvicorn server on a free loopback port, and clients for it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from shapely import box

from api.clock import now_ms
from api.http.app import create_app
from api.http.connection import BoundedHttp
from api.opening import assemble
from api.service import Service
from api.settings import Settings
from api.tokens import Role, create_token
from api.watching import begin_watching, end_watching
from platforms.city import Area, City, Grid, KeySite, Place, Zone, ZoneClass
from routing.roads import Roads
from tests.road_graphs import point
from tests.shell_town import SPAN_M, make_city, make_roads

Json = dict[str, Any]
START_WITHIN_S = 30.0


def lon_lat(east_m: float, north_m: float) -> Json:
    """A point of the town as the API takes it."""
    lon, lat = point(east_m, north_m)
    return {"lon": lon, "lat": lat}


def town_city() -> City:
    """The chessboard with a promise: a key site in the south-west, core west, other east."""
    city = make_city()

    def area(west: float, south: float, east: float, north: float) -> Any:
        return box(*point(west, south), *point(east, north))

    zones = (
        Zone(
            zone_id="key-1",
            zone_class=ZoneClass.KEY_SITE,
            target_s=60,
            name="西湖桥",
            polygon=area(-50, -50, 250, 250),
            synthetic=True,
        ),
        Zone(
            zone_id="core-1",
            zone_class=ZoneClass.CORE,
            target_s=180,
            name="西城",
            polygon=area(-500, -500, SPAN_M / 2, SPAN_M + 500),
            synthetic=True,
        ),
    )
    grids = tuple(
        Grid(
            grid_id=platform.grid_id,
            name=platform.name,
            platform_id=platform.platform_id,
            area_id="city",
            polygon=box(
                platform.lon - 0.004,
                platform.lat - 0.004,
                platform.lon + 0.004,
                platform.lat + 0.004,
            ),
            synthetic=True,
        )
        for platform in city.platforms
    )
    lon, lat = point(100.0, 0.0)
    # Ten kilometres off, without streets: an area to lend units to.
    county = Area(
        area_id="county", name="县城", polygon=area(10_000, 0, 11_000, 1_000), synthetic=True
    )
    return replace(
        city,
        areas=(*city.areas, county),
        zones=zones,
        grids=grids,
        key_sites=(KeySite(site_id="K001", name="西湖桥", category="bridge", lon=lon, lat=lat),),
        places=(
            Place(
                name="西湖桥",
                kind="bridge",
                lon=lon,
                lat=lat,
                aliases=("西湖大桥",),
                pinyin="xihuqiao",
                initials="xhq",
            ),
        ),
    )


@dataclass
class HttpTown:
    """A running server and what is needed to talk to it."""

    url: str
    service: Service
    data_dir: Path
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server
    _clients: dict[tuple[str, str | None], httpx.Client] = field(default_factory=dict)

    def token(self, role: str, unit_id: str | None = None) -> str:
        """A fresh token."""
        return create_token(self.data_dir, Role(role), unit_id=unit_id, at_ms=now_ms())

    def client(self, role: str = "dispatcher", unit_id: str | None = None) -> httpx.Client:
        """A client with a token of its own, the same one for the same caller."""
        key = (role, unit_id)
        if key not in self._clients:
            self._clients[key] = self.client_with(self.token(role, unit_id))
        return self._clients[key]

    def client_with(self, token: str | None) -> httpx.Client:
        """A client with this token, to be closed by the caller."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30.0, trust_env=False)

    def report(self, east_m: float = 300.0, north_m: float = 0.0, **more: Any) -> Json:
        """Takes an incident in; the whole answer."""
        body = {"location": lon_lat(east_m, north_m), "category": "help", **more}
        reply = self.client().post("/v1/incidents", json=body)
        assert reply.status_code == 201, reply.text
        answer: Json = reply.json()
        return answer

    def quiet(self) -> None:
        """Ends all that is open."""
        client = self.client()
        for incident in client.get("/v1/incidents?limit=1000").json()["items"]:
            if incident["status"] not in {"closed", "cancelled", "merged"}:
                client.post(f"/v1/incidents/{incident['id']}/cancel", json={})
        for what in ("closures", "speeds"):
            for one in client.get(f"/v1/roads/{what}").json()["items"]:
                client.delete(f"/v1/roads/{what}/{one['id']}")
        for unit in client.get("/v1/units?limit=1000").json()["items"]:
            path = f"/v1/units/{unit['id']}"
            client.post(f"{path}/status", json={"status": "standby"})
            if unit["loan"] is not None:
                client.delete(f"{path}/loan", headers={"If-Match": "*"})

    def close_clients(self) -> None:
        """Lets go of all connections."""
        for client in self._clients.values():
            client.close()


@contextmanager
def served(
    data_dir: Path,
    settings: Settings | None = None,
    *,
    roads: Roads | None = None,
    watched: bool = False,
    behind_proxy: bool = False,
) -> Iterator[HttpTown]:
    """The town, served until the block ends; `watched` as `kuaijing serve` watches itself."""
    data_dir.mkdir(parents=True, exist_ok=True)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        service = await assemble(
            data_dir,
            settings=settings or Settings(),
            city=town_city(),
            roads=roads or make_roads(),
            synthetic_network=True,
            attribution="made up for tests",
        )
        service.behind_proxy = behind_proxy
        config = uvicorn.Config(
            create_app(service),
            http=BoundedHttp,
            lifespan="off",
            access_log=False,
            log_config=None,
            ws="none",
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        found.update(service=service, server=server, loop=asyncio.get_running_loop())
        watching = begin_watching(service) if watched else []
        ready.set()
        try:
            # Signals belong to the main thread; here the test says when it ends.
            await server.serve(sockets=[listener])
        finally:
            if watched:
                await end_watching(service, watching)
            await service.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="served-town")
    thread.start()
    assert ready.wait(START_WITHIN_S), "the town did not start"
    town = HttpTown(url=url, data_dir=data_dir, **found)
    try:
        yield town
    finally:
        town.close_clients()
        town.loop.call_soon_threadsafe(town.service.stopping.set)
        town.server.should_exit = True
        thread.join(timeout=20.0)
        listener.close()
        assert not thread.is_alive(), "the town did not stop"


def assert_problem(reply: httpx.Response, status: int, code: str) -> Json:
    """The answer is a problem document of this status and code."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-request-id"]
    problem: Json = reply.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:kuaijing:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    return problem


def fix(unit_id: str, east_m: float, north_m: float, at: str, **more: Any) -> Mapping[str, Any]:
    """A position as a device sends it."""
    return {"unit_id": unit_id, **lon_lat(east_m, north_m), "at": at, **more}
