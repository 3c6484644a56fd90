"""Fixes of OsmAnd and Traccar clients: phones and GPS boxes that know no other protocol.

Such a client can set its server's address and a device id, and no header. So its token may come
as `token=`, or as the device id itself; that is the one place where a token may stand in an
address, and addresses' queries are never logged.
"""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Forbidden, Unauthorized
from api.http.operation import IDEMPOTENCY_KEY, operation
from api.http.osmand import OsmandFix, from_form, from_json, read_form
from api.http.permissions import CREWS, GuardedRoute, must_be_own_unit, open_to_all
from api.http.responding import answer
from api.http.routes.positions import take_fixes
from api.http.views.units import FixResult
from api.service import Service, service_of
from api.tokens import Caller, Role

router = APIRouter(route_class=GuardedRoute, tags=["units"])

_TOKEN_PREFIX = "sy_"  # noqa: S105  # how a token begins, no secret


def _parameter(name: str, kind: str, text: str) -> dict[str, object]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "schema": {"type": kind},
    }


PARAMETERS = [
    _parameter("id", "string", "Device id: the unit's id, or a vehicle's token"),
    _parameter("token", "string", "Token, where the client can send no Authorization header"),
    _parameter("lat", "number", "WGS-84 degrees"),
    _parameter("lon", "number", "WGS-84 degrees"),
    _parameter("timestamp", "string", "Seconds or milliseconds since 1970, or RFC 3339"),
    _parameter("speed", "number", "Knots"),
    _parameter("bearing", "number", "Compass degrees"),
    _parameter("accuracy", "number", "Metres"),
]


@router.get(
    "/osmand",
    **operation(
        "sendOsmandFix",
        "A fix of an OsmAnd or Traccar client, as query",
        reply=FixResult,
        problems=[401, 403, 422],
        parameters=PARAMETERS,
        guarded=False,
    ),
)
@open_to_all
async def get_osmand(request: Request) -> Response:
    """Checks the token itself; see the module's first lines."""
    return _take_in(request, from_form(request.query_params))


@router.post(
    "/osmand",
    **operation(
        "sendOsmandJson",
        "A fix of an OsmAnd or Traccar client, as query, form or JSON",
        reply=FixResult,
        problems=[401, 403, 413, 422],
        parameters=[*PARAMETERS, IDEMPOTENCY_KEY],
        guarded=False,
    ),
)
@open_to_all
async def post_osmand(request: Request) -> Response:
    """A repetition is a duplicate fix and harmless."""
    body = await request.body()
    if body.lstrip()[:1] == b"{":
        return _take_in(request, from_json(body))
    return _take_in(request, from_form({**request.query_params, **read_form(body)}))


def _take_in(request: Request, sent: OsmandFix) -> Response:
    """Always 200 for a sound fix, also a rejected one: the client would repeat it for ever."""
    service = service_of(request)
    caller = _caller(request, service, sent)
    unit_id = sent.device_id
    if unit_id.startswith(_TOKEN_PREFIX):
        unit_id = caller.unit_id or ""
    must_be_own_unit(caller, unit_id)
    position = msgspec.structs.replace(sent.position, unit_id=unit_id)
    result: FixResult = take_fixes(service, [position])[0]
    service.metrics.fixes.labels(result.result).inc()
    return answer(result)


def _caller(request: Request, service: Service, sent: OsmandFix) -> Caller:
    header = request.headers.get("authorization", "")
    token = header.partition(" ")[2] if header.lower().startswith("bearer ") else sent.token
    if token is None and sent.device_id.startswith(_TOKEN_PREFIX):
        token = sent.device_id
    caller = None if token is None else service.tokens.caller(token.strip())
    if caller is None:
        raise Unauthorized(
            "a vehicle's token is needed: as Authorization header, as token=, or as the device id"
        )
    if caller.role not in CREWS:
        raise Forbidden(f"a {caller.role} token may not move units")
    if caller.role is not Role.VEHICLE and sent.device_id.startswith(_TOKEN_PREFIX):
        raise Forbidden(f"a {caller.role} token has no unit; send the unit's id as device id")
    return caller
