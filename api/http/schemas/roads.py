"""Bodies about roads: ways to go, closures, speeds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.http.schemas.gate import Id, Instant, NumberedId, Point, RequestBody, Text
from routing.graph import ROAD_CLASSES

IDS_MAX = 5_000
VERTICES_MAX = 5_000

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


class ClosureRequest(RequestBody):
    """Roads that may not be driven for a time."""

    way_ids: Ids | None = Field(None, description="OSM way ids")
    edge_ids: Ids | None = Field(None, description="Edges of this road version")
    geometry: Annotated[LineGeometry | PolygonGeometry, Field(discriminator="type")] | None = None
    direction: Literal["both", "forward", "backward"] = "both"
    from_: Instant | None = Field(None, alias="from", description="Default: now")
    until: Instant | None = Field(None, description="Default: until it is lifted")
    reason: Text = ""
    emergency_exempt: bool = Field(False, description="Emergency vehicles may still pass through")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(part is not None for part in (self.way_ids, self.edge_ids, self.geometry)) != 1:
            raise ValueError("give one of way_ids, edge_ids, geometry")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError("until must come after from")
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
