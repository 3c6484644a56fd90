"""What all request bodies share: strictness, points, times, and the one way of reading a body."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from starlette.requests import Request

from api.http.problems import invalid_request

TEXT_MAX_CHARS = 4_000
NAME_MAX_CHARS = 200
ID_MAX_CHARS = 64
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

Crs = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]


class RequestBody(BaseModel):
    """A body: no unknown fields, no silent conversions, no infinite or missing numbers."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


def within_times(at: datetime) -> datetime:
    """Refuses times that no incident of ours can have."""
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"a time from {EARLIEST:%Y} to {LATEST:%Y} is meant, not {at.isoformat()}")
    return at


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text must not hold the character U+0000")
    return text


def _id_as_text(given: object) -> object:
    """Ids are strings; OSM's and edges' numbers are taken as numbers too."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Instant = Annotated[
    AwareDatetime,
    AfterValidator(within_times),
    Field(description="RFC 3339 with its zone", examples=["2026-10-06T13:40:19Z"]),
]
Storable = AfterValidator(_storable)
Text = Annotated[str, Field(max_length=TEXT_MAX_CHARS), Storable]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARS), Storable]
Id = Annotated[str, Field(min_length=1, max_length=ID_MAX_CHARS), Storable]
NumberedId = Annotated[
    str,
    BeforeValidator(_id_as_text, json_schema_input_type=str | int),
    Field(pattern=r"^[0-9]{1,18}$"),
]


class Point(RequestBody):
    """A point; converted to WGS-84 at once, the original is kept."""

    lon: float = Field(ge=-180, le=180, examples=[111.46])
    lat: float = Field(ge=-90, le=90, examples=[27.24])
    crs: Crs = "wgs84"


Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, model: type[Body]) -> Body:
    """Reads and checks the request's body; an empty one counts as `{}`.

    Raises:
        InvalidRequest: It is no JSON, or breaks the model.
    """
    raw = await request.body()
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid_request(faults, where="body") from error
