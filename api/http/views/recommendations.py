"""How a choice of units is shown: who was weighed, who goes, why."""

from __future__ import annotations

from msgspec import Struct

from api.http.views.plain import Instant, rfc3339, rounded
from dispatch.facts import Candidate, Recommendation


class CandidateView(Struct):
    """A unit that was weighed."""

    unit_id: str
    call_sign: str
    kind: str
    platform_id: str
    status: str
    travel_s: float
    turnout_s: float
    eta_s: float
    distance_m: float
    straight_line_m: float
    position_age_s: float | None
    target_s: int | None
    margin_s: float | None
    on_target: bool | None
    p_on_target: float | None
    cover_loss: dict[str, float] | None
    reason: str


class ShortfallView(Struct):
    """Units that were wanted and are not to be had now."""

    kind: str
    wanted: int
    found: int
    why: str


class RecommendationView(Struct):
    """The receipt of a choice."""

    incident_id: str | None
    decided_at: Instant
    target_s: int | None
    clock: str
    candidates: list[CandidateView]
    chosen: list[str]
    why: str
    shortfall: list[ShortfallView]
    road_version: str
    conditions_version: int
    decision_s: float | None
    synthetic: bool


def recommendation_view(
    recommendation: Recommendation, *, decision_s: float | None, synthetic: bool
) -> RecommendationView:
    """A receipt as the API shows it; `decision_s` is None where it is read from the log."""
    return RecommendationView(
        incident_id=recommendation.incident_id,
        decided_at=rfc3339(recommendation.decided_at_ms),
        target_s=recommendation.target_s,
        clock=recommendation.clock,
        candidates=[candidate_view(candidate) for candidate in recommendation.candidates],
        chosen=list(recommendation.chosen),
        why=recommendation.why,
        shortfall=[
            ShortfallView(kind=one.kind, wanted=one.wanted, found=one.found, why=one.why)
            for one in recommendation.shortfall
        ],
        road_version=recommendation.road_version,
        conditions_version=recommendation.conditions_version,
        decision_s=rounded(decision_s, 6),
        synthetic=synthetic,
    )


def candidate_view(candidate: Candidate) -> CandidateView:
    """A candidate as the API shows it."""
    return CandidateView(
        unit_id=candidate.unit_id,
        call_sign=candidate.call_sign,
        kind=candidate.kind,
        platform_id=candidate.platform_id,
        status=candidate.status,
        travel_s=round(candidate.travel_s, 3),
        turnout_s=round(candidate.turnout_s, 3),
        eta_s=round(candidate.eta_s, 3),
        distance_m=round(candidate.distance_m, 1),
        straight_line_m=round(candidate.straight_line_m, 1),
        position_age_s=rounded(candidate.position_age_s),
        target_s=candidate.target_s,
        margin_s=rounded(candidate.margin_s),
        on_target=candidate.on_target,
        p_on_target=candidate.p_on_target,
        cover_loss=None if candidate.cover_loss is None else dict(candidate.cover_loss),
        reason=candidate.reason,
    )
