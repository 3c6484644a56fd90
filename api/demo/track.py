"""Where a simulated vehicle is: a line on the map, driven at an even speed between two moments."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

EARTH_RADIUS_M = 6_371_008.8

LonLat = tuple[float, float]
"""Degrees, WGS-84, lon before lat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """A vehicle's place at one moment; `heading_deg` is None while it stands."""

    lon: float
    lat: float
    speed_mps: float
    heading_deg: float | None


class Track:
    """A drive along a line from `start_s` to `end_s`, or a stay at its only point.

    Moments are seconds of one monotonic clock. Immutable once made.
    """

    __slots__ = ("_along_m", "_line", "end_s", "start_s")

    def __init__(self, line: Sequence[LonLat], *, start_s: float, duration_s: float) -> None:
        if not line:
            raise ValueError("a track needs at least one point")
        self._line = list(line)
        self._along_m = [0.0]
        for a, b in pairwise(line):
            self._along_m.append(self._along_m[-1] + distance_m(a, b))
        self.start_s = start_s
        self.end_s = start_s + max(0.0, duration_s)

    @classmethod
    def stay(cls, point: LonLat, *, start_s: float) -> Track:
        """Stand at a point from `start_s` on."""
        return cls([point], start_s=start_s, duration_s=0.0)

    def at(self, now_s: float) -> Whereabouts:
        """Where the vehicle is at `now_s`: before the start at its start, later at its end."""
        length_m = self._along_m[-1]
        driven_s = self.end_s - self.start_s
        if now_s >= self.end_s or length_m == 0.0 or driven_s == 0.0:
            lon, lat = self._line[-1]
            return Whereabouts(lon=lon, lat=lat, speed_mps=0.0, heading_deg=None)
        speed_mps = length_m / driven_s
        gone_m = max(0.0, now_s - self.start_s) * speed_mps
        leg = min(bisect_right(self._along_m, gone_m), len(self._line) - 1)
        a, b = self._line[leg - 1], self._line[leg]
        leg_m = self._along_m[leg] - self._along_m[leg - 1]
        share = (gone_m - self._along_m[leg - 1]) / leg_m if leg_m > 0.0 else 1.0
        return Whereabouts(
            lon=a[0] + (b[0] - a[0]) * share,
            lat=a[1] + (b[1] - a[1]) * share,
            speed_mps=speed_mps,
            heading_deg=heading_deg(a, b),
        )


def rest_of(line: Sequence[LonLat], point: LonLat) -> tuple[list[LonLat], float]:
    """The part of a line still ahead of a vehicle at `point`, and its share of the whole length.

    A vehicle rolls on a little while its crew signs for an order, and a new route may start where
    it was a moment ago: it joins the line at the place nearest to it.
    """
    if len(line) < 2:
        return list(line), 1.0
    legs = list(pairwise(line))
    feet = [_nearest_on_leg(a, b, point) for a, b in legs]
    first = min(range(len(legs)), key=lambda leg: distance_m(feet[leg], point))
    ahead = [feet[first], *line[first + 1 :]]
    whole_m = sum(distance_m(a, b) for a, b in legs)
    ahead_m = sum(distance_m(a, b) for a, b in pairwise(ahead))
    return ahead, ahead_m / whole_m if whole_m > 0.0 else 1.0


def distance_m(a: LonLat, b: LonLat) -> float:
    """Metres between two points of one town (flat earth at their latitude)."""
    east_m, north_m = _metres(a, b)
    return math.hypot(east_m, north_m)


def heading_deg(a: LonLat, b: LonLat) -> float:
    """Compass heading from a to b: 0 is north, 90 east."""
    east_m, north_m = _metres(a, b)
    return math.degrees(math.atan2(east_m, north_m)) % 360.0


def moved(point: LonLat, *, east_m: float, north_m: float) -> LonLat:
    """The point so many metres east and north of another."""
    per_degree_m = math.radians(1.0) * EARTH_RADIUS_M
    lat = point[1] + north_m / per_degree_m
    return point[0] + east_m / (per_degree_m * math.cos(math.radians(point[1]))), lat


def _metres(a: LonLat, b: LonLat) -> tuple[float, float]:
    east = math.radians(b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2.0))
    return east * EARTH_RADIUS_M, math.radians(b[1] - a[1]) * EARTH_RADIUS_M


def _nearest_on_leg(a: LonLat, b: LonLat, point: LonLat) -> LonLat:
    (bx, by), (px, py) = _metres(a, b), _metres(a, point)
    square = bx * bx + by * by
    share = 0.0 if square == 0.0 else min(1.0, max(0.0, (px * bx + py * by) / square))
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
