"""The offset of AMap's and Tencent's maps, written from its published formula alone."""

from __future__ import annotations

from math import cos, pi, sin, sqrt

AXIS_M = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """A WGS-84 point as GCJ-02 has it."""
    x, y = lon - 105.0, lat - 35.0
    waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    magic = 1 - ECCENTRICITY_SQUARED * sin(lat / 180.0 * pi) ** 2
    meridian_m = AXIS_M * (1 - ECCENTRICITY_SQUARED) / (magic * sqrt(magic))
    parallel_m = AXIS_M / sqrt(magic) * cos(lat / 180.0 * pi)
    return lon + east * 180.0 / (parallel_m * pi), lat + north * 180.0 / (meridian_m * pi)
