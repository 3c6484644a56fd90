"""A city's forces and its promise, as immutable values: no disk, no clock, no network.

A city has areas (the main urban area, the county towns); an area has platforms; a platform has
units and a grid it answers for; zones say how fast police must be seen at a place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from shapely import MultiPolygon, Polygon

from platforms.categories import Category, UnitKind, default_categories

__all__ = [
    "OUTSIDE",
    "Area",
    "City",
    "Grid",
    "KeySite",
    "Place",
    "Platform",
    "Region",
    "Unit",
    "UnitKind",
    "Zone",
    "ZoneClass",
]

Region: TypeAlias = Polygon | MultiPolygon
"""A piece of the map, WGS-84, lon before lat."""


class ZoneClass(StrEnum):
    """The class of a place, by which the promise is given."""

    KEY_SITE = "key_site"
    CORE = "core"
    OTHER = "other"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a unit belongs: the main urban area or one county town; sent out only on loan.

    Attributes:
        area_id: As "city" or "shaodong".
        name: Chinese name.
        polygon: Its outline.
        synthetic: True where the outline is invented.
    """

    area_id: str
    name: str
    polygon: Region
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A mobile police platform at its point on the street.

    Attributes:
        platform_id: As "P01".
        name: As "北塔1号".
        area_id: The area it belongs to.
        grid_id: The grid it answers for.
        lon: Degrees, WGS-84.
        lat: Degrees, WGS-84.
        synthetic: True where the position is invented.
        note: Where the name or the position comes from.
    """

    platform_id: str
    name: str
    area_id: str
    grid_id: str
    lon: float
    lat: float
    synthetic: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A crewed vehicle that can be sent.

    Attributes:
        unit_id: As "P01-C1".
        call_sign: As "北塔1号-车1".
        kind: What it drives.
        platform_id: Its platform.
        area_id: Its area.
        on_duty: False where the shift leaves it without a crew.
        synthetic: True where it is invented.
    """

    unit_id: str
    call_sign: str
    kind: UnitKind
    platform_id: str
    area_id: str
    on_duty: bool = True
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A main grid: the part of an area that one platform answers for.

    Attributes:
        grid_id: As "G01".
        name: Chinese name.
        platform_id: The platform in charge.
        area_id: The area it is a part of.
        polygon: Its outline.
        synthetic: True where the outline is invented.
    """

    grid_id: str
    name: str
    platform_id: str
    area_id: str
    polygon: Region
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A piece of the city with one promise.

    Attributes:
        zone_id: As "core-1".
        zone_class: Class of the place.
        target_s: Seconds until police must be seen; None where nothing is promised.
        name: What people call it.
        polygon: Its outline; None only for `OUTSIDE`, which is everywhere else.
        synthetic: True where the outline is invented.
    """

    zone_id: str
    zone_class: ZoneClass
    target_s: int | None
    name: str
    polygon: Region | None
    synthetic: bool = False


OUTSIDE = Zone(
    zone_id="outside", zone_class=ZoneClass.OUTSIDE, target_s=None, name="城外", polygon=None
)
"""The zone of every place that no zone of the city holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySite:
    """A place where police must be seen within the shortest target.

    Attributes:
        site_id: As "K001".
        name: As "西湖桥".
        category: `school`, `hospital`, `station`, `bank`, `square`, `bridge` ...
        lon: Degrees, WGS-84.
        lat: Degrees, WGS-84.
        synthetic: True where the site or its position is invented.
    """

    site_id: str
    name: str
    category: str
    lon: float
    lat: float
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A name of the gazetteer.

    Attributes:
        name: As "西湖桥", or "红旗路/宝庆中路" for a crossing.
        kind: `street`, `crossing`, `bridge`, `site`, `platform`, `town` ...
        lon: Degrees, WGS-84.
        lat: Degrees, WGS-84.
        aliases: Other names for the same place.
        pinyin: As "xihuqiao", lower case without tones.
        initials: As "xhq".
    """

    name: str
    kind: str
    lon: float
    lat: float
    aliases: tuple[str, ...] = ()
    pinyin: str = ""
    initials: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """All that is known of a city's forces and its promise.

    Attributes:
        name: As "邵阳市".
        synthetic: True where positions, zones or names are invented; every report says so.
        note: What is invented and what is not.
        timezone: IANA name, as "Asia/Shanghai".
        sketch: True where `kuaijing city sketch` made it, so that it may be made again.
    """

    name: str
    synthetic: bool
    note: str
    timezone: str
    areas: tuple[Area, ...]
    platforms: tuple[Platform, ...]
    units: tuple[Unit, ...]
    grids: tuple[Grid, ...]
    zones: tuple[Zone, ...]
    key_sites: tuple[KeySite, ...]
    places: tuple[Place, ...]
    categories: tuple[Category, ...] = field(default_factory=default_categories)
    sketch: bool = False
