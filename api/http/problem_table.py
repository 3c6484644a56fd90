"""The one table from error classes to HTTP: status, code, title, and what is shown of the error.

A test insists that every class of the error trees has a row of its own, so that no new error
reaches a client as a shrug.
"""

from __future__ import annotations

from dataclasses import dataclass

from api import errors as api
from dispatch import errors as dispatch
from platforms import errors as city
from routing import errors as road
from routing.speeds import SpeedTableInvalid


@dataclass(frozen=True, slots=True)
class Row:
    """How an error class is answered.

    Attributes:
        status: HTTP status.
        code: Stable word for programs.
        title: Short sentence, the same for every occurrence.
        shows: Attributes of the error that go into the document.
    """

    status: int
    code: str
    title: str
    shows: tuple[str, ...] = ()


INTERNAL = Row(500, "internal", "The service made a mistake")
REFUSED_BY_STORE = Row(503, "store_moved", "Another writer has taken over the log")

TABLE: dict[type[Exception], Row] = {
    api.ApiError: INTERNAL,
    api.Unauthorized: Row(401, "unauthorized", "A valid token is needed"),
    api.Forbidden: Row(403, "forbidden", "The token does not reach this far"),
    api.CrossSite: Row(403, "cross_site", "Not from the service's own pages"),
    api.NotFound: Row(404, "not_found", "Nothing stands here"),
    api.CallerNotKept: Row(404, "caller_not_kept", "No caller is kept here", ("incident_id",)),
    api.CallersUnavailable: Row(
        503, "callers_unavailable", "Callers cannot be reached now", ("retry_after_s",)
    ),
    api.InvalidRequest: Row(422, "invalid_request", "The request breaks the contract", ("errors",)),
    api.BadCursor: Row(422, "bad_cursor", "The cursor is not one of this list"),
    api.PreconditionRequired: Row(428, "precondition_required", "If-Match is needed", ("version",)),
    api.BodyTooLarge: Row(413, "body_too_large", "The body is over the limit"),
    api.RateLimited: Row(429, "rate_limited", "Too many requests", ("retry_after_s",)),
    api.NotReady: Row(503, "not_ready", "The service cannot answer now"),
    dispatch.DispatchError: INTERNAL,
    dispatch.Unknown: Row(404, "not_found", "Nothing stands under this id"),
    dispatch.IncidentUnknown: Row(404, "incident_unknown", "No such incident", ("incident_id",)),
    dispatch.AssignmentUnknown: Row(
        404, "assignment_unknown", "No such assignment", ("assignment_id",)
    ),
    dispatch.UnitUnknown: Row(404, "unit_unknown", "No such unit", ("unit_id",)),
    dispatch.ClosureUnknown: Row(404, "closure_unknown", "No such closure", ("closure_id",)),
    dispatch.SpeedFactorUnknown: Row(
        404, "speed_factor_unknown", "No such speed factor", ("factor_id",)
    ),
    dispatch.Conflict: Row(409, "conflict", "The state of things forbids it now"),
    dispatch.VersionStale: Row(
        412, "version_stale", "Somebody changed it meanwhile", ("resource_id", "current")
    ),
    dispatch.UnitTaken: Row(
        409,
        "unit_taken",
        "The unit is bound to another incident",
        ("unit_id", "holder", "assignment_id", "candidates"),
    ),
    dispatch.UnitBusy: Row(
        409, "unit_busy", "The unit has an active assignment", ("unit_id", "assignment_id")
    ),
    dispatch.UnitOffDuty: Row(
        409, "unit_off_duty", "The unit has no crew on duty", ("unit_id", "candidates")
    ),
    dispatch.NoUnitFree: Row(409, "no_unit_free", "Nobody is left who could go", ("incident_id",)),
    dispatch.NoWay: Row(409, "no_way", "No open road leads there", ("unit_id", "incident_id")),
    dispatch.StateConflict: Row(
        409, "state_conflict", "Its state forbids it", ("resource_id", "state")
    ),
    dispatch.Refused: Row(422, "refused", "The request is not sound"),
    dispatch.BadStamp: Row(
        422, "bad_stamp", "The time breaks the order of steps", ("assignment_id", "stamp")
    ),
    dispatch.ClockSkew: Row(
        422, "clock_skew", "The device's clock is wrong", ("skew_s", "limit_s")
    ),
    dispatch.BadPeriod: Row(422, "bad_period", "It would be over before it begins"),
    dispatch.BadLoan: Row(422, "bad_loan", "The unit belongs to this area", ("unit_id", "area_id")),
    dispatch.BadRequirement: Row(422, "bad_requirement", "This cannot be asked for", ("kind",)),
    dispatch.BadUnitStatus: Row(
        422, "bad_unit_status", "This status is never set by hand", ("unit_id", "status")
    ),
    dispatch.QueueFull: Row(
        503, "queue_full", "The service holds all it may", ("limit", "retry_after_s")
    ),
    dispatch.CommandReused: Row(
        422, "idempotency_key_reused", "The idempotency key came with another body"
    ),
    dispatch.CommandInProgress: Row(
        409, "idempotency_key_in_progress", "The first request still runs", ("retry_after_s",)
    ),
    dispatch.CursorExpired: Row(
        410, "cursor_expired", "The feed no longer keeps this cursor", ("after", "oldest")
    ),
    dispatch.StoreError: INTERNAL,
    dispatch.StoreUnavailable: Row(
        503, "store_unavailable", "The log cannot be written now", ("retry_after_s",)
    ),
    dispatch.OutcomeUnknown: Row(
        503, "outcome_unknown", "It is not known whether this was recorded", ("retry_after_s",)
    ),
    dispatch.StoreUnsafe: INTERNAL,
    dispatch.StoreLocked: INTERNAL,
    dispatch.LogDamaged: INTERNAL,
    dispatch.RowDamaged: INTERNAL,
    dispatch.EventKindUnknown: INTERNAL,
    dispatch.LogFormatUnknown: INTERNAL,
    dispatch.AppendRefused: REFUSED_BY_STORE,
    dispatch.LogMoved: REFUSED_BY_STORE,
    dispatch.StaleEpoch: REFUSED_BY_STORE,
    dispatch.CommandKnown: Row(409, "idempotency_key_in_progress", "The first request still runs"),
    road.RoadError: INTERNAL,
    road.NetworkFileError: INTERNAL,
    road.NetworkMissing: INTERNAL,
    road.SourceUnreadable: INTERNAL,
    road.SourceTooCostly: INTERNAL,
    road.NetworkEmpty: INTERNAL,
    road.NetworkInPieces: INTERNAL,
    road.CompiledMismatch: INTERNAL,
    road.AreaInvalid: INTERNAL,
    road.DownloadFailed: INTERNAL,
    SpeedTableInvalid: INTERNAL,
    road.ConditionInvalid: Row(422, "bad_condition", "The closure or speed contradicts itself"),
    road.OffNetwork: Row(
        422, "off_network", "The point is too far from any road", ("nearest_m", "limit_m")
    ),
    road.Unreachable: Row(422, "unreachable", "No permitted way leads there"),
    road.UnknownRoad: Row(422, "unknown_road", "The network has no such road"),
    city.CityError: INTERNAL,
    city.CityFileError: INTERNAL,
    city.CityFolderRefused: INTERNAL,
    city.CityOffNetwork: INTERNAL,
    city.SketchImpossible: INTERNAL,
    city.UnknownPlace: Row(
        422, "unknown_place", "The gazetteer has no such place", ("candidates",)
    ),
    city.AmbiguousPlace: Row(
        422, "ambiguous_place", "Several places carry this name", ("candidates",)
    ),
}


def row_of(error: Exception | type[Exception]) -> Row:
    """The row of the error's class, or of its nearest parent."""
    kind = error if isinstance(error, type) else type(error)
    for parent in kind.__mro__:
        if parent in TABLE:
            return TABLE[parent]
    return INTERNAL
