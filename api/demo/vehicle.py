"""One simulated vehicle: patrols, follows its inbox, works its orders. Knows its own unit only.

Two tasks: one long-polls the inbox and keeps the current order; one does what there is to do, and
is woken when the order changes. Where the vehicle is follows from its track at any moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from itertools import count
from random import Random
from typing import Any

from api.demo.habits import CrewHabits, OrderPlan
from api.demo.service import LONG_POLL_S, Service, timestamp
from api.demo.tally import Tally
from api.demo.town import FEWEST_POINTS, random_point
from api.demo.track import LonLat, Track, Whereabouts, rest_of

STANDS_AT_PLATFORM = "command_vehicle"
"""The kind that waits at its platform instead of patrolling."""

SET_OUT_WITHIN_S = 10.0
REST_AFTER_REFUSAL_S = 5.0
SHORTEST_POLL_GAP_S = 0.2

Order = dict[str, Any]


class Vehicle:
    """A crewed vehicle as a client of the service, with its own token."""

    def __init__(
        self,
        unit: dict[str, Any],
        *,
        token: str,
        service: Service,
        routes_at_once: asyncio.Semaphore,
        home: LonLat,
        points: Sequence[LonLat],
        habits: CrewHabits,
        chance: Random,
        speedup: float,
        tally: Tally,
    ) -> None:
        self.unit_id: str = unit["id"]
        self._kind: str = unit["kind"]
        self._status: str = unit["status"]
        self._token = token
        self._service = service
        self._routes_at_once = routes_at_once
        self._habits = habits
        self._chance = chance
        self._speedup = speedup
        self._tally = tally
        self._home = home
        self._points = points
        # Goes on where it was last seen: a vehicle does not leap when its program restarts.
        seen = unit.get("position")
        point = (seen["lon"], seen["lat"]) if seen else self._home
        self._track = Track.stay(point, start_s=time.monotonic())
        self._order: Order | None = None
        # An inbox written just before the end of an order may still list it.
        self._ended_id: str | None = None
        self._order_changed = asyncio.Event()
        # Device sequence numbers go on growing over restarts of the program.
        self._seq = count(int(time.time() * 1000))

    @property
    def has_order(self) -> bool:
        """True while the crew is bound to an incident."""
        return self._order is not None

    def whereabouts(self) -> Whereabouts:
        """Where the vehicle is now."""
        return self._track.at(time.monotonic())

    async def run(self) -> None:
        """Follow the inbox and work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_inbox())
            group.create_task(self._work())

    # --- inbox ---

    async def _follow_inbox(self) -> None:
        etag: str | None = None
        while True:
            reply = await self._service.get(
                f"/v1/units/{self.unit_id}/inbox",
                self._token,
                params={"wait": LONG_POLL_S},
                etag=etag,
                wait_s=LONG_POLL_S,
            )
            if reply.status_code == HTTPStatus.OK:
                etag = reply.headers.get("ETag")
                self._take(reply.json()["assignments"])
                await asyncio.sleep(SHORTEST_POLL_GAP_S)
            elif reply.status_code != HTTPStatus.NOT_MODIFIED:
                self._tally.add("refused")
                etag = None
                await asyncio.sleep(REST_AFTER_REFUSAL_S)

    def _take(self, orders: list[Order]) -> None:
        """Keep the order that goes on, or the oldest new one; wake the crew when it changed."""
        listed = {order["id"]: order for order in orders if order["id"] != self._ended_id}
        mine = listed.get(self._order["id"]) if self._order else None
        if mine and self._order and mine["version"] < self._order["version"]:
            return  # written before the crew's last stamp was
        if mine is None and listed:
            mine = min(listed.values(), key=lambda order: str(order["dispatched_at"]))
        self._order = mine
        self._order_changed.set()

    # --- what the crew does ---

    async def _work(self) -> None:
        # A shift does not set out in one second.
        await self._until_order_changes(timeout_s=self._chance.uniform(0.0, SET_OUT_WITHIN_S))
        while True:
            if self._order is not None:
                await self._work_order(self._order["id"])
            elif self._kind == STANDS_AT_PLATFORM:
                await self._report_status("standby")
                await self._until_order_changes(timeout_s=None)
            else:
                await self._report_status("patrolling")
                await self._patrol_leg()

    async def _patrol_leg(self) -> None:
        """Drive to a point drawn near the platform, and stay there a little."""
        reply = await self._ask_route(self._patrol_target())
        if reply is None:
            await self._until_order_changes(timeout_s=REST_AFTER_REFUSAL_S)
            return
        line = _line(reply)
        self._drive(line, travel_s=float(reply["travel_s"]))
        stay_s = self._habits.stay_s(self._chance)
        while self._order is None and (left_s := self._drive_left_s() + stay_s) > 0.0:
            await self._until_order_changes(timeout_s=left_s)

    async def _work_order(self, order_id: str) -> None:
        # The crew stops to read; the route it is given starts here.
        self._halt()
        plan = self._habits.plan(self._chance, speedup=self._speedup)
        while (order := self._order) is not None and order["id"] == order_id:
            match order["state"]:
                case "dispatched":
                    await self._after(plan.ack_s, order_id, "ack")
                case "acked":
                    await self._after(plan.turnout_s, order_id, "depart")
                case "en_route":
                    await self._drive_order(order_id)
                case "on_scene":
                    await self._handle(order_id, plan)
                case _:
                    self._order = None
        self._halt()

    async def _drive_order(self, order_id: str) -> None:
        """Drive the order's route, the new one when it is changed under way, and arrive."""
        driven: list[LonLat] | None = None
        while (order := self._order) is not None and order["id"] == order_id:
            line = _line(order.get("route"))
            if not line:
                # No open road leads there now; a lifted closure would make the order new.
                await self._until_order_changes(timeout_s=None)
                continue
            if line != driven:
                here = self.whereabouts()
                ahead, share = rest_of(line, (here.lon, here.lat))
                self._drive(ahead, travel_s=float(order["travel_s"]) * share)
                driven = line
            if (left_s := self._drive_left_s()) <= 0.0:
                await self._stamp(order_id, "arrive")
                return
            await self._until_order_changes(timeout_s=left_s)

    async def _handle(self, order_id: str, plan: OrderPlan) -> None:
        report = {
            "category_final": (self._order or {}).get("incident", {}).get("category_initial"),
            "valid": plan.valid,
            "text": "模拟：现场已处置",
        }
        body = {name: value for name, value in report.items() if value is not None}
        await self._after(plan.report_s, order_id, "feedback", body)
        await self._after(plan.clear_s, order_id, "clear")

    async def _after(
        self, delay_s: float, order_id: str, stamp: str, body: dict[str, Any] | None = None
    ) -> None:
        """Wait like a person would, then stamp, unless the order was taken away meanwhile."""
        until_s = time.monotonic() + delay_s
        while (left_s := until_s - time.monotonic()) > 0.0:
            if self._order is None or self._order["id"] != order_id:
                return
            await self._until_order_changes(timeout_s=left_s)
        if self._order is not None and self._order["id"] == order_id:
            await self._stamp(order_id, stamp, body)

    # --- talking to the service ---

    async def _stamp(self, order_id: str, stamp: str, body: dict[str, Any] | None = None) -> None:
        stamped = {**(body or {}), "at": timestamp(), "seq": next(self._seq)}
        reply = await self._service.post(
            f"/v1/assignments/{order_id}/{stamp}", self._token, stamped
        )
        if not reply.is_success:
            # Withdrawn in the same moment, as a rule: the inbox says what comes next.
            self._tally.add("refused")
        if self._order is None or self._order["id"] != order_id:
            return
        if reply.is_success and stamp != "clear":
            self._order = {**self._order, **reply.json()}
        else:
            self._order, self._ended_id, self._status = None, order_id, ""

    async def _report_status(self, status: str) -> None:
        if self._status == status:
            return
        reply = await self._service.post(
            f"/v1/units/{self.unit_id}/status", self._token, {"status": status}
        )
        if reply.is_success:
            self._status = status
        else:
            self._tally.add("refused")

    async def _ask_route(self, target: LonLat) -> dict[str, Any] | None:
        here = self.whereabouts()
        body = {
            "from": {"lon": here.lon, "lat": here.lat},
            "to": {"lon": target[0], "lat": target[1]},
            "profile": "patrol",
        }
        async with self._routes_at_once:
            reply = await self._service.post("/v1/routes", self._token, body)
        if reply.is_success:
            route: dict[str, Any] = reply.json()
            return route
        # A random point may lie in a river: nothing to count, the next one is drawn.
        return None

    # --- moving ---

    def _patrol_target(self) -> LonLat:
        known = len(self._points)
        # Where few places are known the vehicle looks around as well.
        if known >= FEWEST_POINTS or (known and self._chance.random() < 0.5):
            return self._chance.choice(self._points)
        return random_point(self._chance, self._home, spread_m=self._habits.patrol_radius_m / 3.0)

    def _drive(self, line: list[LonLat], *, travel_s: float) -> None:
        self._track = Track(line, start_s=time.monotonic(), duration_s=travel_s)

    def _halt(self) -> None:
        here = self.whereabouts()
        self._track = Track.stay((here.lon, here.lat), start_s=time.monotonic())

    def _drive_left_s(self) -> float:
        return self._track.end_s - time.monotonic()

    async def _until_order_changes(self, *, timeout_s: float | None) -> None:
        """Wait for news of the order; may wake without any, so callers look again."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._order_changed.wait()
        except TimeoutError:
            return
        # Cleared only after waking: news that came while the crew was busy wakes it at once.
        self._order_changed.clear()


def _line(route: dict[str, Any] | None) -> list[LonLat]:
    """The points of a route; none where there is no way."""
    geometry = route.get("geometry") if route else None
    return [(point[0], point[1]) for point in geometry["coordinates"]] if geometry else []
