"""Metres east and north of a point, for geometry on the scale of a city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from platforms.city import Region
from routing.geometry import M_PER_DEGREE, metres_per_lon

DIGITS = 6
"""Decimals of a degree that city files keep: 0.1 m."""


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """A plane in metres around an origin in WGS-84 degrees."""

    lon: float
    lat: float

    def metres(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) lon/lat degrees to (n, 2) metres."""
        return (lonlat - (self.lon, self.lat)) * self._scale

    def degrees(self, metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) metres to (n, 2) lon/lat degrees, rounded as city files keep them."""
        lonlat: NDArray[np.float64] = np.round(
            np.asarray(metres) / self._scale + (self.lon, self.lat), DIGITS
        )
        return lonlat

    def region(self, region: Region) -> Region:
        """A region in metres as a valid region in degrees."""
        moved = shapely.transform(region, self.degrees)
        # Rounding can pinch a narrow neck; a buffer of nothing mends that.
        return moved if moved.is_valid else moved.buffer(0.0)

    @property
    def _scale(self) -> NDArray[np.float64]:
        return np.array([metres_per_lon(self.lat), M_PER_DEGREE])
