"""Lists in pages."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from api.http.views.incidents import IncidentView
from api.http.views.units import UnitView


class IncidentList(Struct):
    """A page of incidents."""

    items: list[IncidentView]
    next_cursor: str | None
    degraded: list[str]


class UnitList(Struct):
    """A page of units."""

    items: list[UnitView]
    next_cursor: str | None
    synthetic: bool


class PlatformView(Struct):
    """A platform (快警平台)."""

    id: str
    name: str
    area_id: str
    grid_id: str | None
    location: dict[str, Any]
    units: list[str]
    synthetic: bool


class PlatformList(Struct):
    """A page of platforms."""

    items: list[PlatformView]
    next_cursor: str | None
    synthetic: bool


class PlaceView(Struct):
    """A place of the gazetteer."""

    name: str
    kind: str
    location: dict[str, Any]
    aliases: list[str]
    pinyin: str
    initials: str


class PlaceList(Struct):
    """Places that answer to a search, best first."""

    items: list[PlaceView]
    next_cursor: str | None
    synthetic: bool
