"""Writes a `City` as a folder of files, all at once: a reader sees the old folder or the new."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import shapely

from platforms.city import City, Place, Region, Unit
from platforms.errors import CityFolderRefused

CITY_FILES = (
    "README.md",
    "areas.geojson",
    "categories.json",
    "city.json",
    "grids.geojson",
    "key_sites.geojson",
    "places.csv",
    "platforms.geojson",
    "units.csv",
    "zones.geojson",
)
"""The files of a city folder; a folder with any other file is never replaced."""

COORDINATE_DIGITS = 6
"""Decimals of a degree that are written: 0.1 m."""


def save_city(city: City, folder: Path, *, replace: bool = False) -> None:
    """Writes the city folder: beside its place first, then renamed into it.

    Args:
        city: What to write.
        folder: Where to; its parent is made when missing.
        replace: Also over a folder that holds a city already.

    Raises:
        CityFolderRefused: The folder holds files that are no city's, or a city and `replace` is
            not set.
    """
    held = _held_files(folder)
    foreign = sorted(held - set(CITY_FILES))
    if foreign:
        raise CityFolderRefused(
            f"{folder} holds {foreign[0]}, which is no city file; choose an empty folder"
        )
    if held and not replace:
        raise CityFolderRefused(f"{folder} holds a city already; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, text in _contents(city).items():
            _write_durably(staging / name, text)
        staging.chmod(0o755)
        _swap(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _held_files(folder: Path) -> set[str]:
    if not folder.exists():
        return set()
    if not folder.is_dir():
        raise CityFolderRefused(f"{folder} is a file; name a folder")
    return {entry.name for entry in folder.iterdir()}


def _swap(staging: Path, folder: Path) -> None:
    """Puts the new folder in place; on failure the old one is put back."""
    if not folder.exists() or not any(folder.iterdir()):
        staging.replace(folder)
        return
    retired = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.replace(retired)
    try:
        staging.replace(folder)
    except OSError:
        retired.replace(folder)
        raise
    shutil.rmtree(retired)


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _contents(city: City) -> dict[str, str]:
    return {
        "README.md": _readme(city),
        "city.json": _json(
            {
                "name": city.name,
                "timezone": city.timezone,
                "synthetic": city.synthetic,
                "sketch": city.sketch,
                "note": city.note,
            }
        ),
        "areas.geojson": _features(_shaped(area, "polygon") for area in city.areas),
        "platforms.geojson": _features(_pointed(item) for item in city.platforms),
        "grids.geojson": _features(_shaped(grid, "polygon") for grid in city.grids),
        "zones.geojson": _features(_shaped(zone, "polygon") for zone in city.zones),
        "key_sites.geojson": _features(_pointed(item) for item in city.key_sites),
        "units.csv": _table(Unit.__slots__, city.units),
        "places.csv": _table(Place.__slots__, city.places),
        "categories.json": _categories(city),
    }


def _values(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def _pointed(item: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    values = _values(item)
    at = [round(values.pop("lon"), COORDINATE_DIGITS), round(values.pop("lat"), COORDINATE_DIGITS)]
    return values, {"type": "Point", "coordinates": at}


def _shaped(item: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    values = _values(item)
    region: Region = values.pop(name)
    return values, _rounded(shapely.geometry.mapping(region))


def _rounded(geometry: Mapping[str, Any]) -> dict[str, Any]:
    def at(value: Any) -> Any:
        if isinstance(value, float | int):
            return round(float(value), COORDINATE_DIGITS)
        return [at(part) for part in value]

    return {"type": geometry["type"], "coordinates": at(geometry["coordinates"])}


def _features(pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """A FeatureCollection with one feature a line, so that a change shows as one line."""
    lines = [
        json.dumps(
            {"type": "Feature", "properties": properties, "geometry": geometry},
            ensure_ascii=False,
        )
        for properties, geometry in pairs
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _table(columns: Iterable[str], items: Iterable[Any]) -> str:
    names = tuple(columns)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for item in items:
        writer.writerow([_cell(getattr(item, name)) for name in names])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, float):
        return f"{value:.{COORDINATE_DIGITS}f}"
    return str(value)


def _categories(city: City) -> str:
    rows = []
    for category in city.categories:
        row: dict[str, Any] = {
            "code": category.code,
            "name": category.name,
            "priority": category.priority,
            "required": [
                {"kinds": list(need.kinds), "count": need.count} for need in category.required
            ],
        }
        if category.diverted_to is not None:
            row["diverted_to"] = category.diverted_to
        rows.append(json.dumps(row, ensure_ascii=False))
    note = "ASSUMPTION: default priorities and forces come from no source; edit freely."
    head = json.dumps({"note": note, "synthetic": True}, ensure_ascii=False)[:-1]
    return head + ', "categories": [\n' + ",\n".join(rows) + "\n]}\n"


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _readme(city: City) -> str:
    return f"""# {city.name}

{city.note}

| file | holds |
|---|---|
| `city.json` | name, time zone, whether the data is synthetic |
| `areas.geojson` | the main urban area and the county towns: where a unit belongs |
| `platforms.geojson` | the platforms, at their points |
| `units.csv` | the vehicles with call sign, kind, platform and whether they are on duty |
| `grids.geojson` | the part of an area that each platform answers for |
| `zones.geojson` | where the promise is 60, 180 or 300 seconds |
| `key_sites.geojson` | places promised 60 seconds |
| `places.csv` | names a dispatcher can write instead of coordinates |
| `categories.json` | kinds of incident, with default priority and forces |

Points are WGS-84, longitude before latitude. `kuaijing city check` names what is wrong, with file
and line. `synthetic: true` marks what is invented.
"""
