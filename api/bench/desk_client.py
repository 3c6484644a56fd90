"""A dispatcher's calls on the running service: report incidents, tidy up, send positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from api.bench.children import KUAIJING, run_timed
from api.bench.errors import ServiceSilent
from api.bench.load_client import Connection, Reply, request_bytes
from api.bench.street_points import StreetPoint

_CATEGORY = "help"
CREATED = 201
_OK = 200


def dispatcher_token(data: Path, folder: Path) -> str:
    """A dispatcher's token, made by the command line."""
    command = (*KUAIJING, "token", "create", "--data", str(data), "--role", "dispatcher")
    return run_timed(command, folder).stdout.strip()


def incident_body(point: StreetPoint) -> dict[str, object]:
    """The body that both servers get."""
    return {
        "location": {"lon": round(point.lon, 7), "lat": round(point.lat, 7)},
        "category": _CATEGORY,
        "description": "现场求助，请速派警力",
    }


class DeskClient:
    """Calls that are not measured, over one connection."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = Connection.open(port)
        self._token = token
        self._sent = 0

    def send_positions(self, points: Mapping[str, StreetPoint]) -> None:
        """Every unit's fix of this moment.

        Raises:
            ServiceSilent: A fix was not taken.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        batch = [
            {
                "unit_id": unit_id,
                "lon": point.lon,
                "lat": point.lat,
                "at": at,
                "speed_mps": point.speed_mps,
                "heading": round(point.heading_deg, 1),
            }
            for unit_id, point in points.items()
        ]
        reply = self._ask("POST", "/v1/positions", batch)
        refused = [item for item in reply.data()["items"] if item["result"] == "rejected"]
        if refused:
            raise ServiceSilent(f"{len(refused)} positions were rejected, such as {refused[0]}")

    def set_patrolling(self, unit_ids: Iterable[str]) -> None:
        """Tell the service that the units are under way."""
        for unit_id in unit_ids:
            self._ask("POST", f"/v1/units/{quote(unit_id)}/status", {"status": "patrolling"})

    def cancel(self, replies: Sequence[Reply]) -> None:
        """Cancel reported incidents, so that their units are free again."""
        for reply in replies:
            incident_id = reply.data()["incident"]["id"]
            self._ask("POST", f"/v1/incidents/{incident_id}/cancel", {})

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: object = None) -> Reply:
        reply = self._connection.ask(request_bytes(method, path, token=self._token, body=body))
        if reply.status not in {_OK, CREATED}:
            text = reply.body.decode(errors="replace")[:500]
            raise ServiceSilent(f"{method} {path} was answered {reply.status}: {text}")
        return reply
