"""Assignments: read one, and the crew's steps (签收 出警 到场 反馈 办结)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds
from api.http.commanding import carry_out, stored
from api.http.conditional import required_if_match
from api.http.operation import IF_NONE_MATCH, operation
from api.http.permissions import (
    ALL_ROLES,
    CREWS,
    DISPATCHERS,
    GuardedRoute,
    allow,
    caller_of,
    must_be_own_unit,
)
from api.http.responding import answer_if_changed
from api.http.routes.incidents import IF_MATCH, category_of
from api.http.schemas.assignments import (
    CorrectionRequest,
    DeclineRequest,
    FeedbackRequest,
    StampRequest,
)
from api.http.schemas.gate import read_body
from api.http.views.assignments import AssignmentView, StampedAssignmentView
from api.service import Service, service_of
from dispatch.errors import AssignmentUnknown
from dispatch.facts import Feedback
from dispatch.questions import CorrectStamp, DeclineAssignment, Question, StampAssignment
from dispatch.resources import Assignment
from dispatch.runner import Outcome
from dispatch.store import StoredReply
from dispatch.words import AssignmentId, Stamp, UnixMs
from platforms.categories import UnitKind

router = APIRouter(route_class=GuardedRoute, tags=["assignments"])

STAMP_EXAMPLE = {"at": "2026-10-06T13:40:19Z", "seq": 17}


def _crew_step(
    operation_id: str,
    summary: str,
    body: type[StampRequest] = StampRequest,
    *,
    body_required: bool = False,
    example: Mapping[str, Any] = STAMP_EXAMPLE,
) -> dict[str, Any]:
    """What all steps of a crew say of themselves in the OpenAPI document."""
    return operation(
        operation_id,
        summary,
        reply=StampedAssignmentView,
        body=body,
        body_required=body_required,
        example=example,
        problems=[404],
        writes=True,
    )


@router.get(
    "/v1/assignments/{assignment_id}",
    **operation(
        "getAssignment",
        "One assignment with its route",
        reply=AssignmentView,
        problems=[404],
        more={304: "Not changed"},
        parameters=[IF_NONE_MATCH],
    ),
)
@allow(ALL_ROLES)
async def get_assignment(request: Request, assignment_id: str) -> Response:
    """A vehicle reads its own only."""
    service = service_of(request)
    assignment = await _own_assignment(request, service, assignment_id)
    view = service.artist.show(assignment, kind_of(service, assignment))
    return answer_if_changed(request, view, version=assignment.version)


@router.post(
    "/v1/assignments/{assignment_id}/ack",
    **_crew_step("ackAssignment", "签收: the crew has read it"),
)
@allow(CREWS, limited=False)
async def ack_assignment(request: Request, assignment_id: str) -> Response:
    """Written once; a repetition answers 200 with `applied: false`."""
    return await _stamp(request, assignment_id, Stamp.ACKED)


@router.post(
    "/v1/assignments/{assignment_id}/depart",
    **_crew_step("departAssignment", "出警: the crew is on its way"),
)
@allow(CREWS, limited=False)
async def depart_assignment(request: Request, assignment_id: str) -> Response:
    """Implies the ack."""
    return await _stamp(request, assignment_id, Stamp.DEPARTED)


@router.post(
    "/v1/assignments/{assignment_id}/arrive",
    **_crew_step("arriveAssignment", "到场: police are seen; ends the promise's clock"),
)
@allow(CREWS, limited=False)
async def arrive_assignment(request: Request, assignment_id: str) -> Response:
    """Implies ack and departure."""
    return await _stamp(request, assignment_id, Stamp.ARRIVED)


@router.post(
    "/v1/assignments/{assignment_id}/clear",
    **_crew_step("clearAssignment", "办结: the unit is free again"),
)
@allow(CREWS, limited=False)
async def clear_assignment(request: Request, assignment_id: str) -> Response:
    """The queue is served at once."""
    return await _stamp(request, assignment_id, Stamp.CLEARED)


@router.post(
    "/v1/assignments/{assignment_id}/feedback",
    **_crew_step(
        "feedbackAssignment",
        "反馈: the scene report",
        FeedbackRequest,
        example={**STAMP_EXAMPLE, "category_final": "help", "valid": True, "text": "已劝下"},
    ),
)
@allow(CREWS, limited=False)
async def feedback_assignment(request: Request, assignment_id: str) -> Response:
    """What was found on scene."""
    service = service_of(request)
    assignment = await _own_assignment(request, service, assignment_id)
    report = await read_body(request, FeedbackRequest)
    if report.category_final is not None:
        category_of(service, report.category_final)
    feedback = Feedback(
        category_final=report.category_final,
        valid=report.valid,
        text=report.text,
        counts=dict(report.counts),
    )
    question = StampAssignment(
        assignment_id=assignment.assignment_id,
        stamp=Stamp.FEEDBACK,
        at_ms=device_ms(report),
        device_seq=report.seq,
        feedback=feedback,
    )
    return await _step(request, service, question)


@router.post(
    "/v1/assignments/{assignment_id}/decline",
    **_crew_step(
        "declineAssignment",
        "The crew cannot go; the next best is sent at once",
        DeclineRequest,
        example={**STAMP_EXAMPLE, "reason": "车辆故障"},
        body_required=True,
    ),
)
@allow(CREWS, limited=False)
async def decline_assignment(request: Request, assignment_id: str) -> Response:
    """Needs a reason; the unit is not asked again for this incident."""
    service = service_of(request)
    assignment = await _own_assignment(request, service, assignment_id)
    asked = await read_body(request, DeclineRequest)
    question = DeclineAssignment(
        assignment_id=assignment.assignment_id,
        reason=asked.reason,
        at_ms=device_ms(asked),
        device_seq=asked.seq,
    )
    return await _step(request, service, question)


@router.post(
    "/v1/assignments/{assignment_id}/corrections",
    **operation(
        "correctAssignment",
        "Set a step's time right; the first one stays beside it",
        reply=StampedAssignmentView,
        body=CorrectionRequest,
        example={"stamp": "arrived", "at": "2026-10-06T13:40:19Z", "reason": "手误"},
        problems=[404, 409, 412, 428],
        parameters=[IF_MATCH],
        writes=True,
    ),
)
@allow(DISPATCHERS)
async def correct_assignment(request: Request, assignment_id: str) -> Response:
    """Times keep their order; steps that were only inferred move along."""
    service = service_of(request)
    if_version = required_if_match(request)
    asked = await read_body(request, CorrectionRequest)
    question = CorrectStamp(
        assignment_id=AssignmentId(assignment_id),
        stamp=Stamp(asked.stamp),
        at_ms=milliseconds(asked.at),
        reason=asked.reason,
        if_version=if_version,
    )
    return await _step(request, service, question)


def kind_of(service: Service, assignment: Assignment) -> UnitKind:
    """What the assignment's unit drives; a unit that left the city's files counts as a car."""
    unit = service.runner.board.units.get(assignment.unit_id)
    return UnitKind.RESPONSE_CAR if unit is None else unit.kind


def device_ms(stamped: StampRequest) -> UnixMs | None:
    """The device's time of a step; None where it sent none."""
    return None if stamped.at is None else milliseconds(stamped.at)


async def _stamp(request: Request, assignment_id: str, stamp: Stamp) -> Response:
    service = service_of(request)
    assignment = await _own_assignment(request, service, assignment_id)
    body = await read_body(request, StampRequest)
    question = StampAssignment(
        assignment_id=assignment.assignment_id,
        stamp=stamp,
        at_ms=device_ms(body),
        device_seq=body.seq,
    )
    return await _step(request, service, question)


async def _step(request: Request, service: Service, question: Question) -> Response:
    def present(outcome: Outcome) -> StoredReply:
        assignment = outcome.decision.assignment
        assert assignment is not None  # noqa: S101  # the question was about one
        kind = kind_of(service, assignment)
        view = service.artist.show(assignment, kind, shape=StampedAssignmentView)
        assert isinstance(view, StampedAssignmentView)  # noqa: S101  # the shape asked for
        view.applied = outcome.decision.applied
        return stored(view, version=assignment.version)

    return await carry_out(request, question, present)


async def _own_assignment(request: Request, service: Service, assignment_id: str) -> Assignment:
    """The assignment, checked to be the caller's where the caller is a vehicle."""
    assignment = await find_assignment(service, assignment_id)
    must_be_own_unit(caller_of(request), assignment.unit_id)
    return assignment


async def find_assignment(service: Service, assignment_id: str) -> Assignment:
    """An assignment of an open incident, or of one in history.

    Raises:
        AssignmentUnknown: No assignment has this id.
    """
    key = AssignmentId(assignment_id)
    found = service.runner.board.assignments.get(key)
    if found is not None:
        return found
    closed = await service.runner.history.of_assignment(key)
    if closed is not None:
        for assignment in closed.assignments:
            if assignment.assignment_id == key:
                return assignment
    raise AssignmentUnknown(assignment_id)
