"""Metres and bearings on lon/lat, exact enough for streets (error below 0.1 % up to 50 km)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
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
    # Plain Python: a street has a handful of points, for which numpy's calls cost ten times more.
    line: list[tuple[float, float]] = [(lon, lat) for lon, lat in lonlat.tolist()]
    along = [0.0]
    for (lon, lat), (next_lon, next_lat) in pairwise(line):
        squeeze = math.cos(math.radians((lat + next_lat) / 2))
        east, north = (next_lon - lon) * squeeze, next_lat - lat
        # Not `math.hypot`: the compiled cut is to give the same bits, and no two hypots do.
        along.append(along[-1] + math.sqrt(east * east + north * north) * M_PER_DEGREE)
    first_m, last_m = from_share * along[-1], to_share * along[-1]
    inner = [point for point, at_m in zip(line, along, strict=True) if first_m < at_m < last_m]
    return [_point_at(line, along, first_m), *inner, _point_at(line, along, last_m)]


def _point_at(
    line: Sequence[tuple[float, float]], along: Sequence[float], metres: float
) -> tuple[float, float]:
    after = min(max(bisect_right(along, metres), 1), len(along) - 1)
    before = after - 1
    step_m = along[after] - along[before]
    share = (metres - along[before]) / step_m if step_m > 0 else 0.0
    share = min(max(share, 0.0), 1.0)
    (lon, lat), (next_lon, next_lat) = line[before], line[after]
    return lon + share * (next_lon - lon), lat + share * (next_lat - lat)
