"""The area to download: a bounding box, a polygon file, or a place that Nominatim knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from shapely.errors import ShapelyError
from shapely.geometry import GeometryCollection, MultiPolygon, Polygon, box, shape
from shapely.ops import unary_union

from routing.errors import AreaInvalid, NetworkMissing

Area: TypeAlias = Polygon | MultiPolygon

MAX_AREA_KM2 = 60_000.0
"""Three times Shaoyang with its nine counties (20,800 km²); a public server gives up before."""
_KM_PER_DEGREE = 111.2
_MAX_POLYGON_BYTES = 32 * 2**20
_NO_GEOJSON = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    ShapelyError,
)
"""What the decoder and shapely raise on a document of another shape."""


def area_of_box(west: float, south: float, east: float, north: float) -> Area:
    """The area between two meridians and two parallels, WGS-84 degrees.

    Raises:
        AreaInvalid: The numbers are out of range or in the wrong order.
    """
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise AreaInvalid(
            f"the box {west} {south} {east} {north} is none: give west south east north in"
            " degrees, west before east and south before north"
        )
    return checked_area(box(west, south, east, north))


def area_of_file(path: Path) -> Area:
    """The area of all polygons in a GeoJSON file.

    Raises:
        NetworkMissing: There is no such file.
        AreaInvalid: It holds no polygon.
    """
    if not path.is_file():
        raise NetworkMissing(f"{path} does not exist; give a GeoJSON file with a polygon")
    if path.stat().st_size > _MAX_POLYGON_BYTES:
        raise AreaInvalid(
            f"{path} has more than {_MAX_POLYGON_BYTES:,} bytes; simplify the outline"
        )
    try:
        geometries = [shape(each) for each in _geometries(json.loads(path.read_bytes()))]
        merged = unary_union([each for each in geometries if isinstance(each, Area)])
    except _NO_GEOJSON as error:
        raise AreaInvalid(f"{path} is not a GeoJSON polygon ({error})") from error
    return checked_area(merged)


def _geometries(document: Any) -> list[Any]:
    kind = document["type"]
    if kind == "FeatureCollection":
        return [feature["geometry"] for feature in document["features"]]
    return [document["geometry"] if kind == "Feature" else document]


def checked_area(geometry: object) -> Area:
    """Passes a polygon that may be asked for.

    Raises:
        AreaInvalid: It is no valid polygon, or too large.
    """
    if isinstance(geometry, GeometryCollection) and geometry.is_empty:
        raise AreaInvalid("there is no polygon; give a GeoJSON Polygon or MultiPolygon")
    if not isinstance(geometry, Area) or geometry.is_empty or not geometry.is_valid:
        raise AreaInvalid("the outline is no valid polygon; does it cross itself?")
    # Degrees of longitude shrink towards the poles; counting them full errs to the safe side.
    area_km2 = geometry.area * _KM_PER_DEGREE**2
    if area_km2 > MAX_AREA_KM2:
        raise AreaInvalid(
            f"the area has about {area_km2:,.0f} km², the limit is {MAX_AREA_KM2:,.0f}:"
            " fetch an extract as a file and import it"
        )
    return geometry
