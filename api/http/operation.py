"""What each route says about itself in the OpenAPI document, in one short call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from api.http.problems import PROBLEM_JSON

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Kept 24 h: same key and body, same response, `Idempotency-Replayed: true`",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "An ETag: 304 while it still holds",
    "schema": {"type": "string"},
}
TITLES = {
    401: "No valid token",
    403: "Outside the token's role or unit, or a session's change not from our own pages",
    404: "Nothing stands under this id",
    409: "Conflict with what stands now",
    410: "`cursor_expired`: read a new snapshot",
    412: "If-Match is stale; the body holds the resource as it is",
    413: "Body over the limit",
    422: "The request breaks the contract",
    428: "If-Match is missing",
    429: "Too many requests; see Retry-After",
    503: "The store refuses writes or the service is not ready; see Retry-After",
}
JSON = "application/json"
GEOJSON = "application/geo+json"


@dataclass(frozen=True, slots=True)
class SchemaRef:
    """A schema of the components, by name."""

    name: str

    def as_json(self) -> dict[str, str]:
        """The reference."""
        return {"$ref": f"#/components/schemas/{self.name}"}


def operation(
    operation_id: str,
    summary: str,
    *,
    reply: type | None = None,
    status: int = 200,
    body: type[BaseModel] | None = None,
    body_required: bool = True,
    example: Mapping[str, Any] | None = None,
    problems: Iterable[int] = (),
    more: Mapping[int, str] | None = None,
    media: str = JSON,
    writes: bool = False,
    parameters: Iterable[Mapping[str, Any]] = (),
    guarded: bool = True,
) -> dict[str, Any]:
    """Keyword arguments for a router's decorator.

    Args:
        operation_id: Name of the call, lowerCamel.
        summary: One line for people.
        reply: msgspec Struct of the answer; None where there is no JSON of ours.
        status: Status of success.
        body: Pydantic model of the request.
        body_required: False where an empty body counts as `{}`.
        example: An example of the body.
        problems: Further problem statuses, beside those of every guarded route.
        more: Further statuses without a problem document, as 304.
        media: Content type of the answer.
        writes: A POST: takes an Idempotency-Key, may find the store unavailable.
        parameters: Further parameters in OpenAPI form.
        guarded: Whether a token is needed.
    """
    statuses = {*problems, *((401, 403, 422, 429) if guarded else ())}
    if writes:
        statuses |= {409, 422, 503}
    if body is not None:
        statuses |= {413, 422}
    content = {media: {"schema": _schema_of(reply)}} if status != 204 else {}
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": summary, **({"content": content} if content else {})},
        **{code: {"description": text} for code, text in (more or {}).items()},
        **{code: _problem(code) for code in sorted(statuses)},
    }
    extra: dict[str, Any] = {"parameters": [*parameters, *([IDEMPOTENCY_KEY] if writes else [])]}
    if body is not None:
        extra["requestBody"] = _request_body(body, required=body_required, example=example)
    if guarded:
        extra["security"] = [{"token": []}, {"session": []}]
    return {
        "operation_id": operation_id,
        "summary": summary,
        "status_code": status,
        "response_model": None,
        "response_class": Response,
        "responses": responses,
        "openapi_extra": {name: value for name, value in extra.items() if value},
    }


def _schema_of(reply: type | None) -> dict[str, Any]:
    return {} if reply is None else SchemaRef(reply.__name__).as_json()


def _problem(code: int) -> dict[str, Any]:
    return {
        "description": TITLES[code],
        "content": {PROBLEM_JSON: {"schema": SchemaRef("Problem").as_json()}},
    }


def _request_body(
    body: type[BaseModel], *, required: bool, example: Mapping[str, Any] | None
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": SchemaRef(body.__name__).as_json()}
    if example is not None:
        content["example"] = dict(example)
    return {"required": required, "content": {JSON: content}}
