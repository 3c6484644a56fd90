"""Bodies about roads: ways to go, closures, speeds."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from api.http.schemas.gate import Id, Instant, NumberedId, Point, RequestBody, Text
from routing.daily import DailyHours
from routing.graph import ROAD_CLASSES

IDS_MAX = 5_000
VERTICES_MAX = 5_000
DAILY_MAX = 12
"""Most hours of one closure: more than any sign by the road has."""

RoadClass = Literal[ROAD_CLASSES]  # type: ignore[valid-type]
Ids = Annotated[list[NumberedId], Field(min_length=1, max_length=IDS_MAX)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Vertex = tuple[Longitude, Latitude]
Line = Annotated[list[Vertex], Field(min_length=2, max_length=VERTICES_MAX)]
Ring = Annotated[list[Vertex], Field(min_length=4, max_length=VERTICES_MAX)]


class LineGeometry(RequestBody):
    """A line along the roads meant."""

    type: Literal["LineString"]
    coordinates: Line


class PolygonGeometry(RequestBody):
    """An area whose roads are meant."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=100)]


class RouteRequest(RequestBody):
    """From here to there."""

    from_: Point = Field(alias="from")
    to: Point
    profile: Literal["response_car", "motorcycle", "patrol"] = "response_car"


TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _is_time_of_day(text: str) -> str:
    if not re.fullmatch(TIME_OF_DAY, text):
        raise ValueError(f"{text[:20]!r} is no time of day: write HH:MM, from 00:00 to 23:59")
    return text


TimeOfDay = Annotated[
    str,
    AfterValidator(_is_time_of_day),
    Field(
        description="HH:MM by the city's local clock; midnight is 00:00",
        examples=["07:00"],
        json_schema_extra={"pattern": TIME_OF_DAY},
    ),
]


class DailyWindow(RequestBody):
    """Hours of every day; `until` before `from` is that of the next day."""

    from_: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.from_ == self.until:
            raise ValueError(
                f"from and until are both {self.until}: leave daily out to close it all day"
            )
        return self

    @property
    def hours(self) -> DailyHours:
        """In minutes of the day."""
        begin, end = (int(at[:2]) * 60 + int(at[3:]) for at in (self.from_, self.until))
        return DailyHours(from_minute=begin, until_minute=end)


class ClosureRequest(RequestBody):
    """Roads that may not be driven for a time."""

    way_ids: Ids | None = Field(None, description="OSM way ids")
    edge_ids: Ids | None = Field(None, description="Edges of this road version")
    geometry: Annotated[LineGeometry | PolygonGeometry, Field(discriminator="type")] | None = None
    direction: Literal["both", "forward", "backward"] = "both"
    from_: Instant | None = Field(None, alias="from", description="Default: now")
    until: Instant | None = Field(None, description="Default: until it is lifted")
    daily: Annotated[list[DailyWindow], Field(min_length=1, max_length=DAILY_MAX)] | None = Field(
        None,
        description="Hours of every day when it holds, by the city's local clock; default: all day",
        examples=[[{"from": "07:00", "until": "09:00"}, {"from": "17:00", "until": "19:00"}]],
    )
    reason: Text = ""
    emergency_exempt: bool = Field(False, description="Emergency vehicles may still pass through")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(part is not None for part in (self.way_ids, self.edge_ids, self.geometry)) != 1:
            raise ValueError("give one of way_ids, edge_ids, geometry")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError("until must come after from")
        return self

    @model_validator(mode="after")
    def _hours_apart(self) -> Self:
        for one, other in combinations(self.daily or (), 2):
            first, second = one.hours, other.hours
            if first.hold_at(second.from_minute) or second.hold_at(first.from_minute):
                raise ValueError(
                    f"daily hours {one.from_}-{one.until} and {other.from_}-{other.until} overlap:"
                    " give them as one"
                )
        return self


class SpeedRequest(RequestBody):
    """Slower or faster roads for a time."""

    factor: Annotated[float, Field(ge=0.05, le=3.0)] = Field(
        description="Multiplies the speed: 0.5 is half as fast", examples=[0.6]
    )
    road_class: RoadClass | None = None
    area_id: Id | None = None
    way_ids: Ids | None = None
    edge_ids: Ids | None = None
    from_: Instant | None = Field(None, alias="from", description="Default: now")
    until: Instant | None = None
    reason: Text = ""

    @model_validator(mode="after")
    def _at_most_one_place(self) -> Self:
        parts = (self.area_id, self.way_ids, self.edge_ids)
        if sum(part is not None for part in parts) > 1:
            raise ValueError("give at most one of area_id, way_ids, edge_ids")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError("until must come after from")
        return self
