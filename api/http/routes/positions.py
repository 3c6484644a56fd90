"""Position batches: decoded by msgspec, judged one by one, never a fact of the log."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.clock import milliseconds, now_ms
from api.errors import BodyTooLarge, InvalidRequest
from api.http.operation import IDEMPOTENCY_KEY, operation
from api.http.permissions import CREWS, GuardedRoute, allow, caller_of, must_be_own_unit
from api.http.responding import answer
from api.http.schemas.positions import BATCH_MAX, PositionIn
from api.http.views.units import FixResult, FixResults
from api.service import Service, service_of
from dispatch.whereabouts.positions import Fix, Verdict
from dispatch.words import UnitId
from routing.coordinates import to_wgs84

router = APIRouter(route_class=GuardedRoute, tags=["units"])

_BATCH = msgspec.json.Decoder(list[PositionIn])
_RAW_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(PositionIn)
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder says to bytes that are no JSON, no UTF-8, or nested without end."""


class _Named(msgspec.Struct):
    unit_id: str


_NAME = msgspec.json.Decoder(_Named)
_EXAMPLE = [
    {
        "unit_id": "P01-C1",
        "lon": 111.4615,
        "lat": 27.2412,
        "at": "2026-10-06T13:40:19Z",
        "speed_mps": 8.5,
        "heading": 92.0,
    }
]


def _documented() -> dict[str, object]:
    """The route's documentation; its body is a list, which no pydantic model describes."""
    documented = operation(
        "sendPositions",
        f"A batch of at most {BATCH_MAX} fixes; each is accepted, late or rejected",
        reply=FixResults,
        problems=[409, 413],
    )
    schema = {
        "type": "array",
        "maxItems": BATCH_MAX,
        "items": {"$ref": "#/components/schemas/PositionIn"},
    }
    documented["openapi_extra"] |= {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": _EXAMPLE}},
        },
        "parameters": [IDEMPOTENCY_KEY],
    }
    return documented


@router.post("/v1/positions", **_documented())  # type: ignore[arg-type]
@allow(CREWS, limited=False)
async def send_positions(request: Request) -> Response:
    """A vehicle sends its own fixes only: another's unit in the batch refuses it as a whole."""
    service = service_of(request)
    return await service.replies.once(request, lambda: _take_in(request, service))


async def _take_in(request: Request, service: Service) -> Response:
    found = _decoded(await request.body())
    caller = caller_of(request)
    for one in found:
        if isinstance(one, PositionIn):
            must_be_own_unit(caller, one.unit_id)
    judged = iter(take_fixes(service, [one for one in found if isinstance(one, PositionIn)]))
    items = [next(judged) if isinstance(one, PositionIn) else one for one in found]
    for item in items:
        service.metrics.fixes.labels(item.result).inc()
    return answer(FixResults(items=items))


def take_fixes(service: Service, positions: list[PositionIn]) -> list[FixResult]:
    """Judges fixes; one result for each, in their order."""
    fixes = [as_fix(position) for position in positions]
    results = service.runner.positions.accept(fixes, now_ms())
    return [
        FixResult(unit_id=one.unit_id, result=one.verdict, reason=one.reason or None)
        for one in results
    ]


def as_fix(position: PositionIn) -> Fix:
    """A position as the core takes it, WGS-84."""
    lon, lat = position.lon, position.lat
    if position.crs != "wgs84":
        lon, lat = to_wgs84(lon, lat, position.crs)
    return Fix(
        unit_id=UnitId(position.unit_id),
        lon=lon,
        lat=lat,
        at_ms=milliseconds(position.at),
        seq=position.seq,
        speed_mps=position.speed_mps,
        heading_deg=None if position.heading is None else position.heading % 360,
        accuracy_m=position.accuracy_m,
        mock=position.mock,
    )


def _decoded(body: bytes) -> list[PositionIn | FixResult]:
    """The batch; where a fix is not sound, its rejection stands in its place."""
    try:
        batch = _BATCH.decode(body)
        _check_size(len(batch))
        return list(batch)
    except msgspec.ValidationError:
        pass
    except _NO_JSON as error:
        raise _no_batch(f"it is no JSON ({error})") from error
    try:
        raws = _RAW_BATCH.decode(body)
    except _NO_JSON as error:
        raise _no_batch(str(error)) from error
    _check_size(len(raws))
    return [_decoded_one(raw) for raw in raws]


def _decoded_one(raw: msgspec.Raw) -> PositionIn | FixResult:
    try:
        return _ONE.decode(raw)
    except _NO_JSON as error:
        return FixResult(unit_id=_name_in(raw), result=Verdict.REJECTED, reason=f"invalid: {error}")


def _name_in(raw: msgspec.Raw) -> str | None:
    try:
        return _NAME.decode(raw).unit_id
    except _NO_JSON:
        return None


def _check_size(count: int) -> None:
    if count > BATCH_MAX:
        raise BodyTooLarge(
            f"the batch has {count} positions; at most {BATCH_MAX} are taken. Send several batches"
        )


def _no_batch(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"body: a list of positions is meant; {why}",
        errors=[{"loc": ["body"], "msg": why, "type": "batch"}],
    )
