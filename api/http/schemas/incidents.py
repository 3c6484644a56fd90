"""Bodies about incidents."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from api.http.schemas.gate import Id, Instant, Name, Point, RequestBody, Storable, Text
from dispatch.words import DispatchMode

REQUIRED_MAX = 20
"""Most units of one kind that one incident may ask for."""

RequiredKind = Literal["any", "command_vehicle", "response_car", "motorcycle", "assault_team"]
Required = Annotated[
    dict[RequiredKind, Annotated[int, Field(ge=1, le=REQUIRED_MAX)]],
    Field(min_length=1, description="How many units of which kind; `any` is car or motorcycle"),
]
Priority = Annotated[int, Field(ge=1, le=4, description="1 特急, 2 紧急, 3 一般, 4 咨询")]
Source = Literal["110", "platform", "patrol", "app"]

_PHONE = re.compile(r"^([ +*#(]*[0-9][0-9 +*#()-]*)?$")


def _phone(text: str) -> str:
    # The number itself stands in no answer.
    if not _PHONE.fullmatch(text):
        raise ValueError(
            "a number of digits, spaces and + * # ( ) - is meant; what else there is to say goes"
            " into note"
        )
    return text


class CallerGiven(RequestBody):
    """Who called (报警人); sealed apart from the log, and dropped after a time."""

    name: Annotated[str, Field(max_length=100, repr=False, examples=["张三"]), Storable] = ""
    phone: Annotated[
        str,
        Field(
            max_length=32,
            repr=False,
            examples=["13800000000"],
            json_schema_extra={"pattern": _PHONE.pattern},
        ),
        AfterValidator(_phone),
    ] = ""
    note: Annotated[str, Field(max_length=500, repr=False), Storable] = ""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.name.strip() and not self.phone:
            raise ValueError("give the caller's name or phone")
        return self


class IncidentReport(RequestBody):
    """An incident as it comes in (接警): where, what, and optionally all that is known."""

    location: Point | None = None
    place: Name | None = Field(
        None, description="A name of the gazetteer, instead of `location`", examples=["西湖桥"]
    )
    category: Id = Field(examples=["help"])
    priority: Priority | None = Field(None, description="Default: the category's")
    description: Text = ""
    source: Source = "110"
    reported_at: Instant | None = None
    occurred_at: Instant | None = None
    required: Required | None = None
    plan: Id | None = Field(None, description="A named plan, instead of `required`")
    dispatch: DispatchMode = DispatchMode.AUTO
    caller: CallerGiven | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.location is None) == (self.place is None):
            raise ValueError("give either location or place")
        if self.required is not None and self.plan is not None:
            raise ValueError("give either required or plan")
        return self


class RecommendationRequest(IncidentReport):
    """An incident that is only thought through; nothing is kept."""

    k: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="Most candidates")


class IncidentChange(RequestBody):
    """What is known better now; what is left out stays."""

    location: Point | None = None
    place: Name | None = None
    category: Id | None = None
    priority: Priority | None = None
    description: Text | None = None
    caller: CallerGiven | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.location is not None and self.place is not None:
            raise ValueError("give either location or place")
        given = (self.location, self.place, self.category, self.priority, self.description)
        if all(value is None for value in (*given, self.caller)):
            raise ValueError("give location, place, category, priority, description or caller")
        return self


class AssignRequest(RequestBody):
    """A unit sent by hand; without one the next best goes."""

    unit_id: Id | None = Field(None, examples=["P01-C1"])


class CloseRequest(RequestBody):
    """办结: nothing more is to be done."""

    release_units: bool = Field(False, description="Release units that are still bound")
    reason: Text = ""


class ReasonRequest(RequestBody):
    """Why it is done, for the log."""

    reason: Text = ""


class NudgeRequest(RequestBody):
    """催促: the caller asks again."""

    text: Text = ""


class MergeRequest(RequestBody):
    """The same event was reported twice."""

    into: Id = Field(description="The incident that goes on", examples=["I000001"])


class NoteRequest(RequestBody):
    """A remark."""

    text: Annotated[Text, Field(min_length=1)]
