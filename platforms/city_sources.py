"""Reads the two file formats of a city folder, and names file and line in every error.

GeoJSON (RFC 7946) for what has a place, CSV (UTF-8, a header line) for lists.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape

from platforms.city import Region
from platforms.errors import CityFileError

MAX_FILE_BYTES = 64 * 2**20
"""A city file larger than this is refused: it is no list of a city's forces."""

_NO_SHAPE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    shapely.errors.ShapelyError,
)
"""What shapely raises on a geometry whose parts are of another kind than they should be."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a CSV file or one feature of a GeoJSON file.

    Attributes:
        where: File and line or feature, as "units.csv line 7".
        values: The columns, or the properties.
        geometry: The GeoJSON geometry; None for CSV.
    """

    where: str
    values: Mapping[str, Any]
    geometry: Mapping[str, Any] | None = None

    def text(self, name: str, *, default: str | None = None) -> str:
        """A non-empty text value."""
        value = self.values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if default is not None:
                return default
            raise CityFileError(self.where, f"{name} is missing; give it a value")
        if not isinstance(value, str):
            raise CityFileError(self.where, f"{name} must be text, not {value!r}; put it in quotes")
        return value.strip()

    def flag(self, name: str, *, default: bool) -> bool:
        """A true/false value; CSV writes it as the word."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in {"true", "false"}:
            raise CityFileError(self.where, f"{name} must be true or false, not {value!r}")
        return word == "true"

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.values.get(name)
        if isinstance(value, bool):
            raise CityFileError(self.where, f"{name} must be a number, not {value!r}")
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise CityFileError(self.where, f"{name} must be a number, not {value!r}") from error
        if not math.isfinite(number):
            raise CityFileError(self.where, f"{name} must be a finite number, not {value!r}")
        return number

    def lon_lat(self) -> tuple[float, float]:
        """The place: the Point of a feature, or the columns lon and lat."""
        if self.geometry is None:
            return _checked_point(self.where, self.number("lon"), self.number("lat"))
        coordinates: Any = self.geometry.get("coordinates")
        if self.geometry.get("type") != "Point" or not _is_position(coordinates):
            raise CityFileError(self.where, "needs a Point geometry: [longitude, latitude]")
        return _checked_point(self.where, float(coordinates[0]), float(coordinates[1]))

    def region(self) -> Region:
        """The outline: a valid Polygon or MultiPolygon."""
        kind = None if self.geometry is None else self.geometry.get("type")
        if kind not in {"Polygon", "MultiPolygon"}:
            raise CityFileError(self.where, f"needs a Polygon or MultiPolygon, not {kind!r}")
        try:
            region = shape(self.geometry)
        except _NO_SHAPE as error:
            raise CityFileError(
                self.where, f"the polygon cannot be read ({error}); close its ring, lon before lat"
            ) from error
        if region.is_empty or not region.is_valid:
            reason = "it is empty" if region.is_empty else shapely.is_valid_reason(region)
            raise CityFileError(
                self.where, f"the polygon is broken: {reason}; redraw it without crossing itself"
            )
        west, south, east, north = region.bounds
        _checked_point(self.where, west, south)
        _checked_point(self.where, east, north)
        return region


def read_text(path: Path) -> str:
    """A whole text file of the city folder.

    Raises:
        CityFileError: Missing, too large, or not UTF-8.
    """
    if not path.is_file():
        raise CityFileError(path.name, f"is missing in {path.parent}; every city folder needs it")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise CityFileError(path.name, f"has {size} bytes, more than the limit {MAX_FILE_BYTES}")
    try:
        # Spreadsheets write a byte order mark in front; it is no part of the first column's name.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CityFileError(
            path.name, f"is not UTF-8 (byte {error.start}); save it again as UTF-8, not GBK"
        ) from error


def read_json(path: Path) -> Any:
    """The document of a JSON file.

    Raises:
        CityFileError: Missing or no JSON; names line and column.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise CityFileError(
            f"{path.name} line {error.lineno} column {error.colno}", f"is no JSON: {error.msg}"
        ) from error
    except RecursionError as error:
        raise CityFileError(path.name, "is nested too deeply for a city file") from error


def read_features(path: Path) -> tuple[Record, ...]:
    """The features of a GeoJSON file, counted from 1.

    Raises:
        CityFileError: Missing, no JSON, or no FeatureCollection.
    """
    document = read_json(path)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise CityFileError(path.name, "must be a GeoJSON FeatureCollection")
    return tuple(
        _feature_record(f"{path.name} feature {number}", feature)
        for number, feature in enumerate(features, start=1)
    )


def read_rows(path: Path, columns: tuple[str, ...]) -> tuple[Record, ...]:
    """The lines of a CSV file; the header is line 1.

    Args:
        path: The file.
        columns: Columns that must be there; further ones are left alone.

    Raises:
        CityFileError: Missing file or column, or a line with another number of values.
    """
    reader = csv.DictReader(read_text(path).splitlines(), restkey=None, strict=True)
    header = tuple(reader.fieldnames or ())
    _check_header(path.name, header, columns)
    try:
        return tuple(_row_records(path.name, reader, header))
    except csv.Error as error:
        raise CityFileError(f"{path.name} line {reader.line_num}", f"is no CSV: {error}") from error


def _row_records(
    name: str, reader: csv.DictReader[str], header: tuple[str, ...]
) -> Iterator[Record]:
    for row in reader:
        where = f"{name} line {reader.line_num}"
        if None in row or None in row.values():
            raise CityFileError(
                where, f"needs {len(header)} values like the header; quote commas in texts"
            )
        yield Record(where, row)


def _check_header(name: str, header: tuple[str, ...], columns: tuple[str, ...]) -> None:
    for column in columns:
        if column in header:
            continue
        near = get_close_matches(column, header, n=1)
        hint = f"; is {near[0]!r} meant? Rename it" if near else ""
        raise CityFileError(
            f"{name} line 1", f"the column {column!r} is missing in {', '.join(header)}{hint}"
        )


def _feature_record(where: str, feature: object) -> Record:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise CityFileError(where, 'must be an object of type "Feature"')
    properties, geometry = feature.get("properties"), feature.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise CityFileError(where, "needs both properties and a geometry")
    return Record(where, properties, geometry)


def _is_position(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in value[:2])
    )


def _checked_point(where: str, lon: float, lat: float) -> tuple[float, float]:
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise CityFileError(
            where, f"({lon}, {lat}) is no place on earth; write degrees, longitude before latitude"
        )
    return lon, lat
