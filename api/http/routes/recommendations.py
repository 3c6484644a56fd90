"""Who would go? Computes and changes nothing."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.operation import operation
from api.http.permissions import READERS, GuardedRoute, allow, caller_of
from api.http.responding import answer
from api.http.routes.incidents import report_question
from api.http.schemas.gate import read_body
from api.http.schemas.incidents import RecommendationRequest
from api.http.views.recommendations import RecommendationView, recommendation_view
from api.service import Service, service_of
from dispatch.questions import Recommend

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])


@router.post(
    "/v1/recommendations",
    **operation(
        "recommendUnits",
        "Which units would go to such an incident; changes nothing",
        reply=RecommendationView,
        body=RecommendationRequest,
        example={"location": {"lon": 111.4615, "lat": 27.2412}, "category": "help", "k": 5},
        writes=True,
    ),
)
@allow(READERS)
async def recommend_units(request: Request) -> Response:
    """Every free unit is weighed by exact road time."""
    service = service_of(request)
    return await service.replies.once(request, lambda: _recommend(request, service))


async def _recommend(request: Request, service: Service) -> Response:
    asked = await read_body(request, RecommendationRequest)
    report = report_question(service, asked)
    question = Recommend(
        location=report.location,
        priority=report.priority,
        required=report.required,
        k=asked.k,
    )
    outcome = service.runner.recommend(question, actor=caller_of(request).actor)
    recommendation = outcome.decision.recommendation
    assert recommendation is not None  # noqa: S101  # that was the question
    view = recommendation_view(
        recommendation, decision_s=outcome.decision_s, synthetic=service.is_synthetic
    )
    return answer(view, headers=service.marks)
