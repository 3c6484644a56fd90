"""Bodies of a unit's status command."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.http.schemas.gate import ID_MAX_CHARS, Instant, RequestBody, Text


class UnitStatusRequest(RequestBody):
    """What the unit does from now on."""

    status: Literal["standby", "patrolling", "posted", "returning", "off_duty"]
    at: Instant | None = Field(None, description="Device time; default: now")
    seq: Annotated[int, Field(ge=0, le=2**53)] | None = None


class LoanRequest(RequestBody):
    """Which area a unit serves for a while."""

    area_id: Annotated[str, Field(min_length=1, max_length=ID_MAX_CHARS)]
    until: Instant | None = Field(None, description="Default: until it is given back")
    reason: Text = ""
