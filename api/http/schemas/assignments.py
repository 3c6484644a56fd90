"""Bodies of a crew's stamps."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.http.schemas.gate import Id, Instant, RequestBody, Text

Count = Annotated[int, Field(ge=0, le=1_000_000)]


class StampRequest(RequestBody):
    """A step of the crew, with the time of the device on which it was tapped."""

    at: Instant | None = Field(None, description="Device time; default: now")
    seq: Annotated[int, Field(ge=0, le=2**53)] | None = Field(
        None, description="The device's own count"
    )


class FeedbackRequest(StampRequest):
    """A scene report (反馈单)."""

    category_final: Id | None = Field(None, examples=["dispute"])
    valid: bool | None = None
    text: Text = ""
    counts: dict[Id, Count] = Field(default_factory=dict, max_length=50)


class DeclineRequest(StampRequest):
    """The crew cannot go."""

    reason: Annotated[Text, Field(min_length=1, examples=["vehicle broken down"])]


class CorrectionRequest(RequestBody):
    """The right time of a step whose time was wrong."""

    stamp: Literal["acked", "departed", "arrived", "feedback", "cleared"]
    at: Instant
    reason: Annotated[Text, Field(min_length=1, examples=["tapped too late"])]
