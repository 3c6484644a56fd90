"""The town under test: who is on duty where, and the few steps that many stories share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.scenarios.http.client import Client, Json, now
from tests.scenarios.http.process import ServiceProcess

FREE = frozenset({"standby", "patrolling", "posted", "returning"})
CITY_PREFIX = "北塔"
"""A platform of the main urban area is called so."""


class Town:
    """A running service, seen by its people. Close it to close all their connections."""

    def __init__(self, service: ServiceProcess) -> None:
        self.service = service
        self._clients: dict[tuple[str, str | None, int], Client] = {}
        self.desk = self.client("dispatcher")
        self.platforms = {one["id"]: one for one in self.desk.items("/v1/platforms")}

    # --- people ---

    def client(self, role: str, *, unit: str | None = None, nth: int = 1) -> Client:
        """The nth holder of a role; a vehicle by its unit."""
        key = (role, unit, nth)
        if key not in self._clients:
            token = self.service.token(role, unit=unit, nth=nth)
            self._clients[key] = Client(self.service.url, token)
        return self._clients[key]

    def crew(self, unit_id: str) -> Client:
        """The crew of a unit, with its own token."""
        return self.client("vehicle", unit=unit_id)

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # --- places and units ---

    @property
    def city_area(self) -> str:
        """The main urban area."""
        areas = {
            str(one["area_id"])
            for one in self.platforms.values()
            if one["name"].startswith(CITY_PREFIX)
        }
        return areas.pop()

    def county(self, nth: int) -> str:
        """The nth county seat: far from the others, with units of its own."""
        areas = {str(one["area_id"]) for one in self.platforms.values()} - {self.city_area}
        return sorted(areas)[nth]

    def platforms_of(self, area_id: str) -> list[Json]:
        """The area's platforms, by id."""
        return sorted(
            (one for one in self.platforms.values() if one["area_id"] == area_id),
            key=lambda one: str(one["id"]),
        )

    def home(self, area_id: str) -> Json:
        """The point of the area's first platform, as a location."""
        location = self.platforms_of(area_id)[0]["location"]
        return {"lon": location["lon"], "lat": location["lat"]}

    def units_of(self, area_id: str, *, kind: str | None = None) -> list[Json]:
        """The area's units as they are now, by id."""
        ids = {one["id"] for one in self.platforms_of(area_id)}
        units = [one for one in self.desk.items("/v1/units") if one["platform_id"] in ids]
        return sorted(
            (one for one in units if kind in (None, one["kind"])), key=lambda one: str(one["id"])
        )

    def unit(self, unit_id: str) -> Json:
        """A unit as it is now."""
        unit: Json = self.desk.get(f"/v1/units/{unit_id}").json()
        return unit

    def place(self, name: str) -> Json:
        """A place of the gazetteer by its exact name."""
        found = [one for one in self.desk.items("/v1/places", q=name) if one["name"] == name]
        assert found, f"the gazetteer has no {name}"
        location = found[0]["location"]
        return {"lon": location["lon"], "lat": location["lat"]}

    def set_status(self, unit_id: str, status: str) -> Json:
        """A unit's status, set at the desk."""
        body = {"status": status}
        unit: Json = self.desk.post(f"/v1/units/{unit_id}/status", body, expect=200).json()
        return unit

    def only_on_duty(self, area_id: str, unit_ids: Collection[str]) -> None:
        """Send everybody else of the area home; those named are on standby."""
        for unit in self.units_of(area_id):
            wanted = "standby" if unit["id"] in unit_ids else "off_duty"
            if unit["status"] != wanted:
                self.set_status(unit["id"], wanted)

    def fix(self, unit_id: str, lon: float, lat: float, **more: Any) -> Json:
        """A position of a unit, sent by its own crew; must be accepted."""
        item = {"unit_id": unit_id, "lon": lon, "lat": lat, "at": now(), **more}
        reply = self.crew(unit_id).post("/v1/positions", [item], expect=200).json()
        (result,) = reply["items"]
        assert result["result"] == "accepted", result
        return item

    # --- incidents ---

    def report(self, location: Json | str, *, category: str = "dispute", **more: Any) -> Json:
        """Report an incident at a point or a place; returns the whole answer."""
        where = {"place": location} if isinstance(location, str) else {"location": location}
        body = {**where, "category": category, **more}
        answer: Json = self.desk.post("/v1/incidents", body, expect=201).json()
        return answer

    def incident(self, incident_id: str) -> Json:
        """An incident as it is now."""
        incident: Json = self.desk.get(f"/v1/incidents/{incident_id}").json()
        return incident

    def assignment(self, assignment_id: str) -> Json:
        """An assignment as it is now, with its route."""
        assignment: Json = self.desk.get(f"/v1/assignments/{assignment_id}").json()
        return assignment

    def stamp(self, assignment: Json, stamp: str, **body: Any) -> Json:
        """A crew's step, by the token of the unit."""
        path = f"/v1/assignments/{assignment['id']}/{stamp}"
        stamped = {"at": now(), **body}
        answer: Json = self.crew(assignment["unit_id"]).post(path, stamped, expect=200).json()
        return answer

    def close_incident(self, incident_id: str, *, release_units: bool = False) -> Json:
        """Close an incident as it is now."""
        version = self.incident(incident_id)["version"]
        path = f"/v1/incidents/{incident_id}/close"
        body = {"release_units": release_units}
        closed: Json = self.desk.post(path, body, expect=200, if_match=version).json()
        return closed

    def snapshot(self) -> Json:
        """The whole state and its seq."""
        snapshot: Json = self.desk.get("/v1/snapshot").json()
        return snapshot

    def seq(self) -> int:
        """Where the log ends now."""
        return int(self.snapshot()["seq"])

    def events(self, after: int) -> list[Json]:
        """All events after a seq."""
        found: list[Json] = []
        while page := self.desk.get("/v1/events", after=after, wait=0).json()["items"]:
            found += page
            after = page[-1]["seq"]
        return found

    # --- between stories ---

    def quiet(self) -> None:
        """Close whatever is open, lift closures, and put everybody back on standby."""
        for incident in self.desk.items("/v1/incidents"):
            if incident["status"] not in ("closed", "cancelled", "merged"):
                self.close_incident(incident["id"], release_units=True)
        for closure in self.snapshot()["closures"]:
            self.desk.delete(f"/v1/roads/closures/{closure['id']}", expect=200)
        for unit in self.desk.items("/v1/units"):
            if unit["status"] != "standby":
                self.set_status(unit["id"], "standby")
