"""The city folder: nine files that a police force can edit by hand, read and written as a `City`.

`city.json` names the city; `areas`, `platforms`, `grids`, `zones` and `key_sites` are GeoJSON;
`units` and `places` are CSV; `categories.json` may be left out, then the usual ones hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platforms.categories import Category, UnitKind, categories_of, default_categories
from platforms.city import (
    Area,
    City,
    Grid,
    KeySite,
    Place,
    Platform,
    Unit,
    Zone,
    ZoneClass,
)
from platforms.city_sources import Record, read_features, read_json, read_rows
from platforms.city_writer import CITY_FILES, save_city
from platforms.errors import CityFileError

__all__ = ["CITY_FILES", "load_city", "save_city"]

UNIT_COLUMNS = ("unit_id", "call_sign", "kind", "platform_id", "area_id", "on_duty", "synthetic")
PLACE_COLUMNS = ("name", "kind", "lon", "lat", "aliases", "pinyin", "initials")

Item = TypeVar("Item")


def load_city(folder: Path) -> City:
    """Reads a city folder and checks that its files agree with each other.

    Args:
        folder: The folder with `city.json` and the other files.

    Raises:
        CityFileError: A file is missing, damaged, or names an id that another lacks; the message
            has the file and the line or feature.
    """
    head = _head(folder)
    areas = _keyed(read_features(folder / "areas.geojson"), _area, "area_id")
    platforms = _keyed(read_features(folder / "platforms.geojson"), _platform, "platform_id")
    grids = _keyed(read_features(folder / "grids.geojson"), _grid, "grid_id")
    units = _keyed(read_rows(folder / "units.csv", UNIT_COLUMNS), _unit, "unit_id")
    zones = _keyed(read_features(folder / "zones.geojson"), _zone, "zone_id")
    key_sites = _keyed(read_features(folder / "key_sites.geojson"), _key_site, "site_id")
    places = read_rows(folder / "places.csv", PLACE_COLUMNS)
    _check_references(areas, platforms, grids, units)
    return City(
        name=head.text("name"),
        synthetic=head.flag("synthetic", default=False),
        note=head.text("note", default=""),
        timezone=_timezone(head),
        areas=_items(areas),
        platforms=_items(platforms),
        units=_items(units),
        grids=_items(grids),
        zones=_items(zones),
        key_sites=_items(key_sites),
        places=tuple(_place(record) for record in places),
        categories=_categories(folder),
        sketch=head.flag("sketch", default=False),
    )


Keyed = Mapping[str, tuple[Record, Item]]


def _head(folder: Path) -> Record:
    if not folder.is_dir():
        raise CityFileError(
            str(folder), "is no folder; name a city folder or make one: kuaijing city sketch"
        )
    document = read_json(folder / "city.json")
    if not isinstance(document, dict):
        raise CityFileError("city.json", "must be an object with name and timezone")
    return Record("city.json", document)


def _timezone(head: Record) -> str:
    name = head.text("timezone")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CityFileError(
            head.where, f"timezone {name!r} is not known; write an IANA name as Asia/Shanghai"
        ) from error
    return name


def _categories(folder: Path) -> tuple[Category, ...]:
    path = folder / "categories.json"
    if not path.exists():
        return default_categories()
    return categories_of(read_json(path), path.name)


def _keyed(
    records: Iterable[Record], parse: Callable[[Record], Item], id_name: str
) -> dict[str, tuple[Record, Item]]:
    """Parses all records; an id that stands twice is refused with both places."""
    keyed: dict[str, tuple[Record, Item]] = {}
    for record in records:
        key = record.text(id_name)
        if key in keyed:
            raise CityFileError(
                record.where,
                f"{id_name} {key!r} stands already at {keyed[key][0].where}; rename one of them",
            )
        keyed[key] = (record, parse(record))
    return keyed


def _items(keyed: Keyed[Item]) -> tuple[Item, ...]:
    return tuple(item for _, item in keyed.values())


def _check_references(
    areas: Keyed[Area], platforms: Keyed[Platform], grids: Keyed[Grid], units: Keyed[Unit]
) -> None:
    for record, platform in platforms.values():
        _must_exist(record, "area_id", platform.area_id, areas, "areas.geojson")
        _must_exist(record, "grid_id", platform.grid_id, grids, "grids.geojson")
    for record, grid in grids.values():
        _must_exist(record, "area_id", grid.area_id, areas, "areas.geojson")
        _must_exist(record, "platform_id", grid.platform_id, platforms, "platforms.geojson")
    call_signs: dict[str, str] = {}
    for record, unit in units.values():
        _must_exist(record, "area_id", unit.area_id, areas, "areas.geojson")
        _must_exist(record, "platform_id", unit.platform_id, platforms, "platforms.geojson")
        if unit.call_sign in call_signs:
            raise CityFileError(
                record.where,
                f"call_sign {unit.call_sign!r} belongs already to {call_signs[unit.call_sign]};"
                " two crews would answer the same call, rename one of them",
            )
        call_signs[unit.call_sign] = unit.unit_id


def _must_exist(
    record: Record, name: str, key: str, known: Mapping[str, object], file: str
) -> None:
    if key not in known:
        raise CityFileError(
            record.where, f"{name} {key!r} is not in {file}; add it there or mend it"
        )


def _area(record: Record) -> Area:
    return Area(
        area_id=record.text("area_id"),
        name=record.text("name"),
        polygon=record.region(),
        synthetic=record.flag("synthetic", default=False),
    )


def _platform(record: Record) -> Platform:
    lon, lat = record.lon_lat()
    return Platform(
        platform_id=record.text("platform_id"),
        name=record.text("name"),
        area_id=record.text("area_id"),
        grid_id=record.text("grid_id"),
        lon=lon,
        lat=lat,
        synthetic=record.flag("synthetic", default=False),
        note=record.text("note", default=""),
    )


def _grid(record: Record) -> Grid:
    return Grid(
        grid_id=record.text("grid_id"),
        name=record.text("name"),
        platform_id=record.text("platform_id"),
        area_id=record.text("area_id"),
        polygon=record.region(),
        synthetic=record.flag("synthetic", default=False),
    )


def _unit(record: Record) -> Unit:
    kind = record.text("kind")
    if kind not in {member.value for member in UnitKind}:
        kinds = ", ".join(UnitKind)
        raise CityFileError(record.where, f"kind {kind!r} is not known; write one of {kinds}")
    return Unit(
        unit_id=record.text("unit_id"),
        call_sign=record.text("call_sign"),
        kind=UnitKind(kind),
        platform_id=record.text("platform_id"),
        area_id=record.text("area_id"),
        on_duty=record.flag("on_duty", default=True),
        synthetic=record.flag("synthetic", default=False),
    )


def _zone(record: Record) -> Zone:
    word = record.text("zone_class")
    if word not in {member.value for member in ZoneClass}:
        classes = ", ".join(ZoneClass)
        raise CityFileError(
            record.where, f"zone_class {word!r} is not known; write one of {classes}"
        )
    zone_class = ZoneClass(word)
    return Zone(
        zone_id=record.text("zone_id"),
        zone_class=zone_class,
        target_s=_target_s(record, zone_class),
        name=record.text("name"),
        polygon=record.region(),
        synthetic=record.flag("synthetic", default=False),
    )


def _target_s(record: Record, zone_class: ZoneClass) -> int | None:
    if zone_class is ZoneClass.OUTSIDE and record.values.get("target_s") is None:
        return None
    target_s = record.number("target_s")
    if target_s != int(target_s) or not 0 < target_s <= 86_400:
        raise CityFileError(
            record.where, f"target_s {target_s} must be whole seconds between 1 and 86400"
        )
    return int(target_s)


def _key_site(record: Record) -> KeySite:
    lon, lat = record.lon_lat()
    return KeySite(
        site_id=record.text("site_id"),
        name=record.text("name"),
        category=record.text("category"),
        lon=lon,
        lat=lat,
        synthetic=record.flag("synthetic", default=False),
    )


def _place(record: Record) -> Place:
    lon, lat = record.lon_lat()
    aliases = record.text("aliases", default="")
    return Place(
        name=record.text("name"),
        kind=record.text("kind"),
        lon=lon,
        lat=lat,
        aliases=tuple(alias.strip() for alias in aliases.split(";") if alias.strip()),
        pinyin=record.text("pinyin", default=""),
        initials=record.text("initials", default=""),
    )
