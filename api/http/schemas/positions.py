"""Positions as they come in. Unknown fields are ignored: devices send more than we need."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

BATCH_MAX = 5_000

Longitude = Annotated[float, Meta(ge=-180, le=180)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
AwareTime = Annotated[datetime, Meta(tz=True)]


class PositionIn(Struct):
    """One fix of one unit."""

    unit_id: Annotated[str, Meta(min_length=1, max_length=64)]
    lon: Longitude
    lat: Latitude
    at: AwareTime
    seq: Annotated[int, Meta(ge=0, le=9_007_199_254_740_992)] | None = None
    speed_mps: Annotated[float, Meta(ge=0, le=1_000)] | None = None
    heading: Annotated[float, Meta(ge=-360, le=360)] | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    mock: bool = False
    crs: Literal["wgs84", "gcj02", "bd09", "cgcs2000"] = "wgs84"
