"""The OpenAPI 3.1 document: FastAPI's paths, our schemas, problems everywhere."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.http.browser_door import COOKIE
from api.http.routes import (
    callers,
    events,
    incident_commands,
    incidents,
    operations,
    reports,
    roads,
    session,
)
from api.http.schemas import assignments as assignment_bodies
from api.http.schemas import incidents as incident_bodies
from api.http.schemas import roads as road_bodies
from api.http.schemas import units as unit_bodies
from api.http.schemas.positions import PositionIn
from api.http.schemas.sessions import SignIn
from api.http.views import alarms, conditions, lists, plain, units
from api.http.views import assignments as assignment_views
from api.http.views.events import FeedPage
from api.http.views.geojson import FeatureCollection
from api.http.views.recommendations import RecommendationView
from api.sheet.contents import OpenIncidentsSheet

REF = "#/components/schemas/{name}"

BODIES = (
    incident_bodies.IncidentReport,
    incident_bodies.RecommendationRequest,
    incident_bodies.IncidentChange,
    incident_bodies.AssignRequest,
    incident_bodies.CloseRequest,
    incident_bodies.ReasonRequest,
    incident_bodies.NudgeRequest,
    incident_bodies.MergeRequest,
    incident_bodies.NoteRequest,
    assignment_bodies.StampRequest,
    assignment_bodies.FeedbackRequest,
    assignment_bodies.DeclineRequest,
    assignment_bodies.CorrectionRequest,
    unit_bodies.UnitStatusRequest,
    unit_bodies.LoanRequest,
    road_bodies.RouteRequest,
    road_bodies.ClosureRequest,
    road_bodies.SpeedRequest,
    SignIn,
)
ANSWERS = (
    plain.Problem,
    incidents.IncidentReply,
    incidents.ChangedIncident,
    callers.CallerView,
    incident_commands.AssignReply,
    assignment_views.AssignmentView,
    assignment_views.StampedAssignmentView,
    RecommendationView,
    lists.IncidentList,
    lists.UnitList,
    lists.PlatformList,
    lists.PlaceList,
    conditions.ClosureList,
    conditions.SpeedList,
    units.UnitView,
    units.UnitStatusView,
    units.InboxView,
    units.FixResults,
    alarms.AlarmList,
    FeatureCollection,
    FeedPage,
    PositionIn,
    events.SnapshotView,
    operations.Health,
    operations.Readiness,
    reports.ArrivalsReport,
    reports.ClocksReport,
    OpenIncidentsSheet,
    roads.WayView,
    session.SessionView,
)

DESCRIPTION = """\
Durations are `*_s` in seconds, distances `*_m` in metres, speeds `*_mps`; times are RFC 3339 in
UTC; points are WGS-84 unless `crs` says otherwise. A change that needs `If-Match` answers 428
without it and 412 when it is stale. Every POST takes an `Idempotency-Key`. Errors are
`application/problem+json`. Answers made from invented data say `synthetic: true` and carry the
header `X-Kuaijing-Synthetic`. While the service is degraded every answer carries
`X-Kuaijing-Degraded` with the causes, as `store_failing`.
"""


def install_openapi(app: FastAPI) -> None:
    """Makes the application serve our document at /openapi.json."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build_openapi(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(
        title="邵阳快警 kuaijing",
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, answers = msgspec.json.schema_components(ANSWERS, ref_template=REF)
    _, bodies = models_json_schema(
        [(body, "validation") for body in BODIES], ref_template=REF.replace("{name}", "{model}")
    )
    schemas |= {**answers, **bodies.get("$defs", {})}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "sy_<role>_<id>_<secret>"},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": "Made by POST /v1/session; over TLS the name begins with `__Host-`",
        },
    }
    _drop_framework_errors(document)
    return document


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """FastAPI adds its own 422 to routes with parameters; ours stands there already."""
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
