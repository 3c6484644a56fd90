"""What a dispatcher does with an incident: assign, close, cancel, reopen, nudge, merge, note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from msgspec import field
from starlette.requests import Request
from starlette.responses import Response

from api.http.commanding import carry_out, stored
from api.http.conditional import if_match, required_if_match
from api.http.operation import operation
from api.http.permissions import DISPATCHERS, GuardedRoute, allow
from api.http.routes.incidents import IF_MATCH, incident_reply
from api.http.schemas.gate import RequestBody, read_body
from api.http.schemas.incidents import (
    AssignRequest,
    CloseRequest,
    MergeRequest,
    NoteRequest,
    NudgeRequest,
    ReasonRequest,
)
from api.http.views.assignments import AssignmentView
from api.http.views.incidents import IncidentView, incident_view
from api.http.views.recommendations import RecommendationView, recommendation_view
from api.service import Service, service_of
from dispatch.questions import (
    AddNote,
    AssignUnit,
    CancelIncident,
    CloseIncident,
    MergeIncident,
    NudgeIncident,
    ReopenIncident,
)
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import IncidentId, UnitId

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

IF_MATCH_OPTIONAL = {**IF_MATCH, "description": "412 when this version is stale"}
CHANGES = [404, 409, 412, 503]


def _command(
    operation_id: str,
    summary: str,
    body: type[RequestBody],
    *,
    body_required: bool = True,
    example: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What all commands on an incident say of themselves in the OpenAPI document."""
    return operation(
        operation_id,
        summary,
        reply=IncidentView,
        body=body,
        body_required=body_required,
        example=example,
        problems=CHANGES,
        parameters=[IF_MATCH_OPTIONAL],
        writes=True,
    )


class AssignReply(AssignmentView):
    """The new assignment, with its incident and the receipt of the choice.

    `assignments` holds it once more, so that the answer reads like that of POST /v1/incidents.
    """

    assignments: list[AssignmentView] = field(default_factory=list)
    incident: IncidentView | None = None
    recommendation: RecommendationView | None = None


@router.post(
    "/v1/incidents/{incident_id}/assignments",
    **operation(
        "assignUnit",
        "Send a unit by hand, or with {} the next best",
        reply=AssignReply,
        status=201,
        body=AssignRequest,
        body_required=False,
        example={"unit_id": "P01-C1"},
        problems=[404, 409, 412, 428],
        parameters=[IF_MATCH],
        writes=True,
    ),
)
@allow(DISPATCHERS)
async def assign_unit(request: Request, incident_id: str) -> Response:
    """A unit that is taken is a 409 with its holder and the next best."""
    service = service_of(request)
    if_version = required_if_match(request)
    asked = await read_body(request, AssignRequest)
    question = AssignUnit(
        incident_id=IncidentId(incident_id),
        unit_id=None if asked.unit_id is None else UnitId(asked.unit_id),
        if_version=if_version,
    )
    return await carry_out(request, question, lambda outcome: _assigned(service, outcome))


@router.post(
    "/v1/incidents/{incident_id}/close",
    **_command(
        "closeIncident",
        "Close it (办结); refused while a unit is bound, unless release_units",
        CloseRequest,
        body_required=False,
    ),
)
@allow(DISPATCHERS)
async def close_incident(request: Request, incident_id: str) -> Response:
    """It leaves the queue and stays in history."""
    asked = await read_body(request, CloseRequest)
    question = CloseIncident(
        incident_id=IncidentId(incident_id),
        reason=asked.reason,
        release_units=asked.release_units,
        if_version=if_match(request),
    )
    return await carry_out(request, question, incident_reply)


@router.post(
    "/v1/incidents/{incident_id}/cancel",
    **_command(
        "cancelIncident",
        "Cancel it (撤警); units on their way are called back",
        ReasonRequest,
        body_required=False,
    ),
)
@allow(DISPATCHERS)
async def cancel_incident(request: Request, incident_id: str) -> Response:
    """Nobody needs to come any more."""
    asked = await read_body(request, ReasonRequest)
    question = CancelIncident(
        incident_id=IncidentId(incident_id), reason=asked.reason, if_version=if_match(request)
    )
    return await carry_out(request, question, incident_reply)


@router.post(
    "/v1/incidents/{incident_id}/reopen",
    **_command(
        "reopenIncident",
        "Bring an ended incident back to the queue",
        ReasonRequest,
        body_required=False,
    ),
)
@allow(DISPATCHERS)
async def reopen_incident(request: Request, incident_id: str) -> Response:
    """With its history; units are sent anew."""
    asked = await read_body(request, ReasonRequest)
    question = ReopenIncident(
        incident_id=IncidentId(incident_id), reason=asked.reason, if_version=if_match(request)
    )
    return await carry_out(request, question, incident_reply)


@router.post(
    "/v1/incidents/{incident_id}/nudge",
    **_command("nudgeIncident", "Urge it (催促)", NudgeRequest, body_required=False),
)
@allow(DISPATCHERS)
async def nudge_incident(request: Request, incident_id: str) -> Response:
    """The caller asks again."""
    asked = await read_body(request, NudgeRequest)
    question = NudgeIncident(
        incident_id=IncidentId(incident_id), text=asked.text, if_version=if_match(request)
    )
    return await carry_out(request, question, incident_reply)


@router.post(
    "/v1/incidents/{incident_id}/merge",
    **_command(
        "mergeIncident",
        "It is the same event as another; its units are let go",
        MergeRequest,
        example={"into": "I000001"},
    ),
)
@allow(DISPATCHERS)
async def merge_incident(request: Request, incident_id: str) -> Response:
    """Answers the merged one, linked to the one that goes on."""
    asked = await read_body(request, MergeRequest)
    question = MergeIncident(
        incident_id=IncidentId(incident_id),
        into=IncidentId(asked.into),
        if_version=if_match(request),
    )
    return await carry_out(request, question, incident_reply)


@router.post(
    "/v1/incidents/{incident_id}/notes",
    **_command("addNote", "Add a remark", NoteRequest, example={"text": "报警人已撤离到桥头"}),
)
@allow(DISPATCHERS)
async def add_note(request: Request, incident_id: str) -> Response:
    """Answers the incident with its remarks."""
    asked = await read_body(request, NoteRequest)
    question = AddNote(
        incident_id=IncidentId(incident_id), text=asked.text, if_version=if_match(request)
    )
    return await carry_out(request, question, incident_reply)


def _assigned(service: Service, outcome: Outcome) -> StoredReply:
    decision = outcome.decision
    incident = decision.incident
    assert incident is not None  # noqa: S101  # the question was about one
    assignment = decision.assignment or decision.assignments[0]
    kind = decision.board.units[assignment.unit_id].kind
    view = service.artist.show(assignment, kind, shape=AssignReply)
    assert isinstance(view, AssignReply)  # noqa: S101  # the shape asked for
    view.assignments = [service.artist.show(assignment, kind)]
    view.incident = incident_view(incident)
    if decision.recommendation is not None:
        view.recommendation = recommendation_view(
            decision.recommendation, decision_s=outcome.decision_s, synthetic=service.is_synthetic
        )
    return stored(view, status=201, version=assignment.version, **service.marks)
