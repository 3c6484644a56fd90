"""How an incident is shown."""

from __future__ import annotations

from msgspec import Struct

from api.http.views.plain import Instant, PlainPoint, rfc3339, rfc3339_or_none
from dispatch.facts import Location
from dispatch.resources import Incident


class GivenPoint(Struct):
    """The point as it came, before conversion."""

    lon: float
    lat: float
    crs: str


class IncidentPoint(PlainPoint):
    """Where an incident is, WGS-84, with the point as it was given."""

    given: GivenPoint | None = None


class Snapped(Struct):
    """The nearest point on a usable road."""

    lon: float
    lat: float
    road: str
    offset_m: float


class NoteView(Struct):
    """A remark."""

    at: Instant
    author: str
    text: str


class IncidentView(Struct):
    """An incident (警情)."""

    id: str
    incident_no: str
    status: str
    version: int
    location: IncidentPoint
    snapped: Snapped
    address: str
    zone_class: str
    target_s: int | None
    area_id: str | None
    platform_id: str | None
    category_initial: str
    category_final: str | None
    priority: int
    description: str
    source: str
    valid: bool | None
    dispatch: str
    required: dict[str, int]
    clock: str
    occurred_at: Instant | None
    reported_at: Instant | None
    received_at: Instant
    received_recorded_at: Instant
    dispatched_at: Instant | None
    acked_at: Instant | None
    departed_at: Instant | None
    arrived_at: Instant | None
    feedback_at: Instant | None
    closed_at: Instant | None
    closed_recorded_at: Instant | None
    closed_reason: str
    target_deadline: Instant | None
    target_missed: bool
    on_target: bool | None
    overdue: list[str]
    assignments: list[str]
    linked_to: str | None
    duplicates: list[str]
    nudges: int
    nudged_at: Instant | None
    notes: list[NoteView]


def incident_view(incident: Incident) -> IncidentView:
    """An incident as the API shows it."""
    location = incident.location
    return IncidentView(
        id=incident.incident_id,
        incident_no=incident.incident_no,
        status=incident.status,
        version=incident.version,
        location=_point(location),
        snapped=Snapped(
            lon=location.snapped_lon,
            lat=location.snapped_lat,
            road=location.road,
            offset_m=round(location.offset_m, 2),
        ),
        address=location.address,
        zone_class=location.zone_class,
        target_s=location.target_s,
        area_id=location.area_id,
        platform_id=location.platform_id,
        category_initial=incident.category_initial,
        category_final=incident.category_final,
        priority=incident.priority,
        description=incident.description,
        source=incident.source,
        valid=incident.valid,
        dispatch=incident.mode,
        required=dict(incident.required),
        clock=incident.clock,
        occurred_at=rfc3339_or_none(incident.occurred_at_ms),
        reported_at=rfc3339_or_none(incident.reported_at_ms),
        received_at=rfc3339(incident.received_at_ms),
        received_recorded_at=rfc3339(incident.received_recorded_ms),
        dispatched_at=rfc3339_or_none(incident.dispatched_at_ms),
        acked_at=rfc3339_or_none(incident.acked_at_ms),
        departed_at=rfc3339_or_none(incident.departed_at_ms),
        arrived_at=rfc3339_or_none(incident.arrived_at_ms),
        feedback_at=rfc3339_or_none(incident.feedback_at_ms),
        closed_at=rfc3339_or_none(incident.closed_at_ms),
        closed_recorded_at=rfc3339_or_none(incident.closed_recorded_ms),
        closed_reason=incident.closed_reason,
        target_deadline=rfc3339_or_none(incident.deadline_ms),
        target_missed=incident.target_missed,
        on_target=incident.on_target,
        overdue=list(incident.overdue),
        assignments=list(incident.assignment_ids),
        linked_to=incident.linked_to,
        duplicates=list(incident.duplicates),
        nudges=incident.nudges,
        nudged_at=rfc3339_or_none(incident.nudged_at_ms),
        notes=[
            NoteView(at=rfc3339(note.at_ms), author=note.author, text=note.text)
            for note in incident.notes
        ],
    )


def _point(location: Location) -> IncidentPoint:
    return IncidentPoint(
        lon=location.lon,
        lat=location.lat,
        given=GivenPoint(lon=location.given_lon, lat=location.given_lat, crs=location.crs),
    )
