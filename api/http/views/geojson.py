"""GeoJSON out of shapes and city data (RFC 7946: lon before lat, WGS-84)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import shapely
from msgspec import Struct
from shapely import MultiPolygon, Polygon

COORDINATE_DIGITS = 7
"""About a centimetre."""


class Feature(Struct):
    """A GeoJSON feature."""

    id: str | int | None
    geometry: dict[str, Any] | None
    properties: dict[str, Any]
    type: Literal["Feature"] = "Feature"


class FeatureCollection(Struct):
    """A GeoJSON feature collection; `synthetic` where any of it is invented."""

    features: list[Feature]
    synthetic: bool
    type: Literal["FeatureCollection"] = "FeatureCollection"


def polygon_geometry(shape: Polygon | MultiPolygon) -> dict[str, Any]:
    """A polygon's geometry object, outer rings counter-clockwise."""
    if isinstance(shape, MultiPolygon):
        rings = [_rings(part) for part in shape.geoms]
        return {"type": "MultiPolygon", "coordinates": rings}
    return {"type": "Polygon", "coordinates": _rings(shape)}


def point_geometry(lon: float, lat: float) -> dict[str, Any]:
    """A point's geometry object."""
    return {"type": "Point", "coordinates": [lon, lat]}


def line_geometry(points: Iterable[tuple[float, float]]) -> dict[str, Any]:
    """A line's geometry object."""
    return {"type": "LineString", "coordinates": [list(point) for point in points]}


def _rings(polygon: Polygon) -> list[list[list[float]]]:
    turned = shapely.orient_polygons(polygon)
    return [
        shapely.get_coordinates(ring).round(COORDINATE_DIGITS).tolist()
        for ring in (turned.exterior, *turned.interiors)
    ]
