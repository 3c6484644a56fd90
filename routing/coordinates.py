"""Chinese map coordinates to WGS-84 and back.

AMap and Tencent use GCJ-02, an offset of up to about 700 m from WGS-84 inside China; Baidu's BD-09
shifts GCJ-02 once more; CGCS2000 differs from WGS-84 by centimetres. The formulas of GCJ-02 were
never published: these are the ones in common use, checked against the maps' own converters.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final


class Crs(StrEnum):
    """A coordinate system that a client may use."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


_AXIS_M: Final = 6378245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid, which GCJ-02 is built on."""
_ECCENTRICITY_2: Final = 0.00669342162296594323
_BD_ANGLE: Final = math.pi * 3000.0 / 180.0
_BD_LON: Final = 0.0065
_BD_LAT: Final = 0.006
_CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north: outside, GCJ-02 equals WGS-84."""
_ROUNDS: Final = 8
"""The offset changes so slowly that each round gains about three digits."""


def to_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """A point in WGS-84.

    Args:
        lon: Degrees in `crs`.
        lat: Degrees in `crs`.
        crs: One of `Crs`.

    Raises:
        ValueError: No such coordinate system.
    """
    match Crs(crs):
        case Crs.WGS84 | Crs.CGCS2000:
            return lon, lat
        case Crs.GCJ02:
            return _undo_gcj02(lon, lat)
        case Crs.BD09:
            return _undo_gcj02(*_undo_bd09(lon, lat))


def from_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """A WGS-84 point in another system.

    Raises:
        ValueError: No such coordinate system.
    """
    match Crs(crs):
        case Crs.WGS84 | Crs.CGCS2000:
            return lon, lat
        case Crs.GCJ02:
            return _gcj02(lon, lat)
        case Crs.BD09:
            return _bd09(*_gcj02(lon, lat))


def _gcj02(lon: float, lat: float) -> tuple[float, float]:
    west, south, east, north = _CHINA
    if not (west <= lon <= east and south <= lat <= north):
        return lon, lat
    dlon, dlat = _offset(lon - 105.0, lat - 35.0)
    radians = math.radians(lat)
    bend = 1 - _ECCENTRICITY_2 * math.sin(radians) ** 2
    root = math.sqrt(bend)
    lat_m = _AXIS_M * (1 - _ECCENTRICITY_2) / (bend * root)
    lon_m = _AXIS_M / root * math.cos(radians)
    return lon + math.degrees(dlon / lon_m), lat + math.degrees(dlat / lat_m)


def _offset(x: float, y: float) -> tuple[float, float]:
    """Metres east and north, by degrees from 105 E, 35 N."""
    root = math.sqrt(abs(x))
    both = _waves(x, (20.0, 6.0), (20.0, 2.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    east += _waves(x, (20.0, 1.0), (40.0, 1 / 3))
    east += _waves(x, (150.0, 1 / 12), (300.0, 1 / 30))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    north += _waves(y, (20.0, 1.0), (40.0, 1 / 3))
    north += _waves(y, (160.0, 1 / 12), (320.0, 1 / 30))
    return east, north


def _waves(degrees: float, *waves: tuple[float, float]) -> float:
    """Two thirds of a sum of sines, each of a height in metres and a number of half turns."""
    return sum(height * math.sin(turns * degrees * math.pi) for height, turns in waves) * 2 / 3


def _undo_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Finds the WGS-84 point whose GCJ-02 is this, to a millimetre."""
    found_lon, found_lat = lon, lat
    for _ in range(_ROUNDS):
        there_lon, there_lat = _gcj02(found_lon, found_lat)
        found_lon += lon - there_lon
        found_lat += lat - there_lat
    return found_lon, found_lat


def _bd09(lon: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_ANGLE)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_ANGLE)
    return radius * math.cos(angle) + _BD_LON, radius * math.sin(angle) + _BD_LAT


def _undo_bd09(lon: float, lat: float) -> tuple[float, float]:
    """Finds the GCJ-02 point whose BD-09 is this."""
    found_lon, found_lat = lon - _BD_LON, lat - _BD_LAT
    for _ in range(_ROUNDS):
        there_lon, there_lat = _bd09(found_lon, found_lat)
        found_lon += lon - there_lon
        found_lat += lat - there_lat
    return found_lon, found_lat
