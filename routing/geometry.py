"""Metres and bearings on lon/lat, exact enough for streets (error below 0.1 % up to 50 km)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius (IUGG)."""

M_PER_DEGREE: Final = EARTH_RADIUS_M * math.pi / 180
"""Metres of one degree of latitude."""


def metres_per_lon(lat: float) -> float:
    """Metres of one degree of longitude at a latitude."""
    return M_PER_DEGREE * math.cos(math.radians(lat))


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great-circle metres between two points."""
    half_dlat = math.radians(other_lat - lat) / 2
    half_dlon = math.radians(other_lon - lon) / 2
    chord = (
        math.sin(half_dlat) ** 2
        + math.cos(math.radians(lat)) * math.cos(math.radians(other_lat)) * math.sin(half_dlon) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def steps_m(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from each point to the next, float64 (points - 1), of a (points, 2) line."""
    step = np.diff(lonlat, axis=0)
    middle_lat = np.radians((lonlat[1:, 1] + lonlat[:-1, 1]) / 2)
    metres: NDArray[np.float64] = M_PER_DEGREE * np.hypot(
        step[:, 0] * np.cos(middle_lat), step[:, 1]
    )
    return metres


def bearing_deg(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Compass bearing from one point to another, 0 = north, 90 = east, below 360."""
    east = (other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return math.degrees(math.atan2(east, other_lat - lat)) % 360


def bend_deg(bearing: float, other: float) -> float:
    """Unsigned angle between two bearings, 0 to 180."""
    return abs((bearing - other + 180) % 360 - 180)


def cut_line(
    lonlat: NDArray[np.float64], from_share: float, to_share: float
) -> list[tuple[float, float]]:
    """The stretch of a line between two shares of its length.

    Args:
        lonlat: The line, (points, 2).
        from_share: 0 at the start, 1 at the end.
        to_share: Not less than `from_share`.

    Returns:
        At least two points; twice the same when the stretch has no length.
    """
    along = np.concatenate(([0.0], np.cumsum(steps_m(lonlat))))
    whole = float(along[-1])
    first_m, last_m = from_share * whole, to_share * whole
    inner = (along > first_m) & (along < last_m)
    points = [_point_at(lonlat, along, first_m)]
    points.extend((float(lon), float(lat)) for lon, lat in lonlat[inner])
    points.append(_point_at(lonlat, along, last_m))
    return points


def _point_at(
    lonlat: NDArray[np.float64], along: NDArray[np.float64], metres: float
) -> tuple[float, float]:
    return (
        float(np.interp(metres, along, lonlat[:, 0])),
        float(np.interp(metres, along, lonlat[:, 1])),
    )
