"""Incidents: taking them in, finding them, changing what is known."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds, now_ms, rfc3339
from api.errors import Forbidden, InvalidRequest
from api.http.caller_keeping import CallerOutcome, carry_out_and_keep
from api.http.commanding import carry_out, stored
from api.http.conditional import required_if_match
from api.http.operation import IF_NONE_MATCH, operation
from api.http.permissions import ALL_ROLES, DISPATCHERS, GuardedRoute, allow, caller_of
from api.http.responding import answer_if_changed
from api.http.schemas.gate import read_body
from api.http.schemas.incidents import IncidentChange, IncidentReport
from api.http.views.assignments import AssignmentView
from api.http.views.incidents import IncidentView, incident_view
from api.http.views.recommendations import RecommendationView, recommendation_view
from api.service import Service, service_of
from api.tokens import Caller, Role
from dispatch.errors import IncidentUnknown
from dispatch.questions import AmendIncident, ReportIncident
from dispatch.resources import Assignment, Incident
from dispatch.rules import required_for
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import IncidentId, UnixMs
from platforms.categories import Category

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

AHEAD_MAX_MS = 60_000
"""How far ahead of the service's clock a desk's clock may run."""

IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The version that was read: 428 without, 412 when it is stale",
    "schema": {"type": "string"},
}


class IncidentReply(Struct):
    """An incident as it was taken in, who goes, and why."""

    incident: IncidentView
    assignments: list[AssignmentView]
    recommendation: RecommendationView | None
    caller: CallerOutcome | UnsetType = UNSET


class ChangedIncident(IncidentView):
    """An incident as it was changed."""

    caller: CallerOutcome | UnsetType = UNSET


@router.post(
    "/v1/incidents",
    **operation(
        "reportIncident",
        "Take an incident in and send the fastest units; durable before it is answered",
        reply=IncidentReply,
        status=201,
        body=IncidentReport,
        example={
            "location": {"lon": 111.4615, "lat": 27.2412},
            "category": "help",
            "priority": 1,
            "description": "西湖桥有人要跳河",
            "source": "110",
            "caller": {"name": "张三", "phone": "13800000000"},
        },
        writes=True,
    ),
)
@allow(DISPATCHERS, limited=False)
async def report_incident(request: Request) -> Response:
    """The hot path: one parse, one decision, one commit, one encoding."""
    service = service_of(request)
    report = await read_body(request, IncidentReport)
    question = report_question(service, report)

    def present(outcome: Outcome) -> StoredReply:
        return _taken_in(service, outcome)

    if report.caller is not None:
        return await carry_out_and_keep(request, question, present, report.caller)
    return await carry_out(request, question, present)


@router.get(
    "/v1/incidents/{incident_id}",
    **operation(
        "getIncident",
        "One incident, open or from history",
        reply=IncidentView,
        problems=[404],
        more={304: "Not changed"},
        parameters=[IF_NONE_MATCH],
    ),
)
@allow(ALL_ROLES)
async def get_incident(request: Request, incident_id: str) -> Response:
    """A vehicle reads only incidents that it is or was sent to."""
    service = service_of(request)
    incident, assignments = await find_incident(service, incident_id)
    _must_be_sent_there(caller_of(request), incident, assignments)
    return answer_if_changed(request, incident_view(incident), version=incident.version)


@router.patch(
    "/v1/incidents/{incident_id}",
    **operation(
        "changeIncident",
        "Correct what is known; a new location re-checks the assignments",
        reply=ChangedIncident,
        body=IncidentChange,
        example={"priority": 1},
        problems=[404, 409, 412, 428, 503],
        parameters=[IF_MATCH],
    ),
)
@allow(DISPATCHERS)
async def change_incident(request: Request, incident_id: str) -> Response:
    """Needs If-Match."""
    service = service_of(request)
    if_version = required_if_match(request)
    change = await read_body(request, IncidentChange)
    moved = change.location is not None or change.place is not None
    question = AmendIncident(
        incident_id=IncidentId(incident_id),
        location=service.locator.location(change.location, change.place) if moved else None,
        category=None if change.category is None else category_of(service, change.category).code,
        priority=change.priority,
        description=change.description,
        if_version=if_version,
    )
    if change.caller is not None:
        return await carry_out_and_keep(request, question, incident_reply, change.caller)
    return await carry_out(request, question, incident_reply)


def report_question(service: Service, report: IncidentReport) -> ReportIncident:
    """The question that a report asks, with all defaults filled in.

    Raises:
        InvalidRequest: An unknown category or plan, or a time that has yet to come.
        OffNetwork: The place is too far from any road.
        UnknownPlace: The gazetteer has no such place.
    """
    category = category_of(service, report.category)
    if report.plan is not None:
        raise InvalidRequest(
            f"the city has no plan {report.plan!r}; say what is needed in required",
            errors=[{"loc": ["body", "plan"], "msg": "unknown plan", "type": "unknown"}],
        )
    required: dict[str, int] = required_for(category)
    if report.required is not None:
        required = {str(kind): count for kind, count in report.required.items()}
    return ReportIncident(
        location=service.locator.location(report.location, report.place),
        category=category.code,
        priority=category.priority if report.priority is None else report.priority,
        description=report.description,
        source=report.source,
        occurred_at_ms=_time_past("occurred_at", report.occurred_at),
        reported_at_ms=_time_past("reported_at", report.reported_at),
        required=required,
        mode=report.dispatch,
    )


def _time_past(field: str, at: datetime | None) -> UnixMs | None:
    if at is None:
        return None
    at_ms, clock_ms = milliseconds(at), now_ms()
    if at_ms > clock_ms + AHEAD_MAX_MS:
        allowed_s = AHEAD_MAX_MS // 1000
        raise InvalidRequest(
            f"{field} {at.isoformat()} has yet to come: the service's clock says"
            f" {rfc3339(clock_ms)} and allows {allowed_s} s ahead; set the sender's clock right,"
            f" or leave {field} out",
            errors=[{"loc": ["body", field], "msg": "lies in the future", "type": "time_ahead"}],
        )
    return at_ms


def category_of(service: Service, code: str) -> Category:
    """A category of the city.

    Raises:
        InvalidRequest: The city has no such category.
    """
    for category in service.city.categories:
        if category.code == code:
            return category
    known = ", ".join(category.code for category in service.city.categories)
    raise InvalidRequest(
        f"category {code!r} is not one of the city's: {known}",
        errors=[{"loc": ["body", "category"], "msg": "unknown category", "type": "unknown"}],
    )


async def find_incident(
    service: Service, incident_id: str
) -> tuple[Incident, tuple[Assignment, ...]]:
    """An incident with its assignments, from the board or from history.

    Raises:
        IncidentUnknown: No incident has this id.
    """
    key = IncidentId(incident_id)
    board = service.runner.board
    incident = board.incidents.get(key)
    if incident is not None:
        return incident, board.assignments_of(incident)
    closed = await service.runner.history.incident(key)
    if closed is None:
        raise IncidentUnknown(incident_id)
    return closed.incident, closed.assignments


def incident_reply(outcome: Outcome) -> StoredReply:
    """The incident concerned, as the answer to a command."""
    incident = outcome.decision.incident
    assert incident is not None  # noqa: S101  # the question was about one
    return stored(incident_view(incident), version=incident.version)


def _taken_in(service: Service, outcome: Outcome) -> StoredReply:
    decision = outcome.decision
    incident, recommendation = decision.incident, decision.recommendation
    assert incident is not None  # noqa: S101  # a report makes one
    units = decision.board.units
    reply = IncidentReply(
        incident=incident_view(incident),
        assignments=[
            service.artist.show(one, units[one.unit_id].kind) for one in decision.assignments
        ],
        recommendation=None
        if recommendation is None
        else recommendation_view(
            recommendation, decision_s=outcome.decision_s, synthetic=service.is_synthetic
        ),
    )
    location = f"/v1/incidents/{incident.incident_id}"
    return stored(reply, status=201, version=incident.version, location=location, **service.marks)


def _must_be_sent_there(
    caller: Caller, incident: Incident, assignments: tuple[Assignment, ...]
) -> None:
    if caller.role is not Role.VEHICLE:
        return
    if all(assignment.unit_id != caller.unit_id for assignment in assignments):
        raise Forbidden(
            f"unit {caller.unit_id} is not sent to {incident.incident_id}; a vehicle's token reads"
            " its own incidents only"
        )
