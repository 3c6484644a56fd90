"""How a unit and its position are shown."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from api.http.views.assignments import AssignmentView
from api.http.views.incidents import IncidentView
from api.http.views.plain import Instant, rfc3339


class PositionView(Struct):
    """Where a unit was last seen; `link` tells by the fix's own time how far to trust it."""

    lon: float
    lat: float
    at: Instant
    speed_mps: float | None
    heading: float | None
    accuracy_m: float | None
    link: str


class LoanView(Struct):
    """Why a unit serves another area than its own."""

    home_area_id: str
    since: Instant
    until: Instant | None
    reason: str


class UnitView(Struct):
    """A unit (警力). `status` is `offline` where its position is lost while it is on duty.

    `area_id` is the area it is sent within; where that is not its own, `loan` says why.
    """

    id: str
    call_sign: str
    kind: str
    platform_id: str
    area_id: str
    status: str
    on_duty: bool
    position: PositionView | None
    assignment_id: str | None
    beat_id: str | None
    version: int
    loan: LoanView | None = None


class UnitStatusView(UnitView):
    """A unit after its status command; `applied` is false where it came too late."""

    applied: bool = True


class InboxAssignmentView(AssignmentView):
    """An active assignment with its incident: all that a crew needs."""

    incident: IncidentView | None = None


class InboxView(Struct):
    """What a vehicle has to know now.

    A notice has `type`, `assignment_id`, `incident_id`, `since` and `text`. The types are
    `ack_realerted` (sign at last), `recalled`, `timed_out` (the order is withdrawn) and
    `incident_moved`, which are shown for ten minutes, and `on_loan`, which has no ids: the unit
    serves another area.
    """

    unit_id: str
    status: str
    assignments: list[InboxAssignmentView]
    patrol_task: dict[str, Any] | None
    notices: list[dict[str, Any]]
    poll_after_ms: int
    degraded: list[str]


class FixResult(Struct):
    """What became of one fix of a batch."""

    unit_id: str | None
    result: str
    reason: str | None = None


class FixResults(Struct):
    """One result for each fix, in the order of the batch."""

    items: list[FixResult]


def position_view(
    lon: float,
    lat: float,
    at_ms: int,
    *,
    speed_mps: float | None,
    heading_deg: float | None,
    accuracy_m: float | None,
    link: str,
) -> PositionView:
    """A fix as the API shows it."""
    return PositionView(
        lon=round(lon, 7),
        lat=round(lat, 7),
        at=rfc3339(at_ms),
        speed_mps=speed_mps,
        heading=heading_deg,
        accuracy_m=accuracy_m,
        link=link,
    )
