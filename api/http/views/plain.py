"""Small values that many views share, and the one encoder."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from api.clock import rfc3339, rfc3339_or_none

__all__ = [
    "Instant",
    "LineString",
    "PlainPoint",
    "encode",
    "rfc3339",
    "rfc3339_or_none",
    "rounded",
]

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
LonLat = tuple[float, float]

_ENCODER = msgspec.json.Encoder()


class PlainPoint(Struct):
    """A point, WGS-84."""

    lon: float
    lat: float
    crs: Literal["wgs84"] = "wgs84"


class LineString(Struct):
    """A GeoJSON line: (lon, lat), WGS-84."""

    coordinates: list[LonLat]
    type: Literal["LineString"] = "LineString"


class Problem(Struct):
    """RFC 9457: what went wrong, why, and how to mend it."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def encode(view: Any) -> bytes:
    """A view as JSON."""
    return _ENCODER.encode(view)


def rounded(value: float | None, digits: int = 3) -> float | None:
    """Seconds and metres to the thousandth; None stays None."""
    return None if value is None else round(value, digits)
