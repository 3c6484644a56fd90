"""The compiled search for the street nearest to a point: cells searched ring by ring."""

# Numba infers the types of the compiled functions, and takes arguments by position only.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: PLR0917

from __future__ import annotations

import math
from typing import Final

import numpy as np

from routing.geometry import M_PER_DEGREE
from routing.search.compiled import compiled
from routing.search.kernel_buckets import NONE
from routing.search.street_grid import (
    HEADING_FITS_DEG,
    HEADING_SLACK_M,
    StreetGrid,
    StreetPoint,
)

_ROUNDING: Final = 1.000001
"""More than squares and roots can differ by."""


@compiled
def _bearing(line, segment):
    """Compass bearing of a segment."""
    east = line[segment, 2] - line[segment, 0]
    east *= math.cos(math.radians(line[segment, 1]))
    return math.degrees(math.atan2(east, line[segment, 3] - line[segment, 1])) % 360


@compiled
def _fits(grid, segment, heading_deg):
    """Whether a segment runs with a heading."""
    bend = abs((_bearing(grid.line, segment) - heading_deg + 180) % 360 - 180)
    if grid.other[segment] >= 0:
        bend = min(bend, 180 - bend)
    return bend <= HEADING_FITS_DEG


@compiled
def _best_in(grid, lon, lat, lon_m, column, row, rings, heading_deg, reach_m):
    """The nearest segment in the rings, of equally near ones the first; NONE farther than reach.

    With a heading, not NaN, the nearest one that runs with it. No call for each segment: numba
    counts references at every call that takes arrays.
    """
    columns, rows, line, cell_segment = grid.shape[0], grid.shape[1], grid.line, grid.cell_segment
    west, east = max(0, column - rings), min(columns - 1, column + rings)
    best, best_m, best_share, near_2 = np.int64(NONE), math.inf, 0.0, math.inf
    if west > east:
        return best, best_m, best_share
    for row_no in range(max(0, row - rings), min(rows - 1, row + rings) + 1):
        first = grid.cell_start[row_no * columns + west]
        for item in range(first, grid.cell_start[row_no * columns + east + 1]):
            segment = np.int64(cell_segment[item])
            x = (line[segment, 0] - lon) * lon_m
            y = (line[segment, 1] - lat) * M_PER_DEGREE
            step_x = (line[segment, 2] - line[segment, 0]) * lon_m
            step_y = (line[segment, 3] - line[segment, 1]) * M_PER_DEGREE
            square = step_x * step_x + step_y * step_y
            share = -(x * step_x + y * step_y) / (square if square > 0 else 1.0)
            share = min(max(share, 0.0), 1.0)
            x, y = x + share * step_x, y + share * step_y
            # Roots only for what may be nearer; they alone decide, for they round as the twin's.
            if x * x + y * y > near_2:
                continue
            metres = math.hypot(x, y)
            if metres >= best_m or metres > reach_m:
                continue
            if math.isnan(heading_deg) or _fits(grid, segment, heading_deg):
                best, best_m, best_share = segment, metres, share
                near_2 = metres * metres * _ROUNDING
    return best, best_m, best_share


@compiled
def _seen_m(grid, lon, lat, lon_m, column, row, rings):
    """Metres from the point to the edge of the rings around it."""
    west = lon - (grid.origin[0] + (column - rings) * grid.cell[0])
    south = lat - (grid.origin[1] + (row - rings) * grid.cell[1])
    wide, high = (2 * rings + 1) * grid.cell[0], (2 * rings + 1) * grid.cell[1]
    return min(min(west, wide - west) * lon_m, min(south, high - south) * M_PER_DEGREE)


@compiled
def _nearest_street(grid, lon, lat, heading_deg, max_m):
    lon_m = M_PER_DEGREE * math.cos(math.radians(lat))
    cell_m = grid.cell[1] * M_PER_DEGREE
    column = math.floor((lon - grid.origin[0]) / grid.cell[0])
    row = math.floor((lat - grid.origin[1]) / grid.cell[1])
    rings, rings_max = 1, max(grid.shape[0], grid.shape[1]) + max_m / cell_m + 2
    while True:
        best, best_m, share = _best_in(
            grid, lon, lat, lon_m, column, row, rings, math.nan, math.inf
        )
        # Whatever lies outside the rings is farther off than what is seen.
        if min(best_m + HEADING_SLACK_M, max_m) <= _seen_m(
            grid, lon, lat, lon_m, column, row, rings
        ):
            break
        rings = max(rings + 1, math.ceil(min(best_m, max_m) / cell_m) + 1)
        if rings > rings_max:
            break
    if best == NONE or best_m > max_m:
        return np.int64(NONE), 0.0, 0.0, 0.0, 0.0, 0.0
    if not math.isnan(heading_deg):
        reach_m = min(best_m + HEADING_SLACK_M, max_m)
        fitting, fitting_m, fitting_share = _best_in(
            grid, lon, lat, lon_m, column, row, rings, heading_deg, reach_m
        )
        if fitting != NONE:
            best, best_m, share = fitting, fitting_m, fitting_share
    line = grid.line[best]
    at_m = grid.along_m[best] + share * grid.length_m[best]
    foot_lon = line[0] * (1 - share) + line[2] * share
    foot_lat = line[1] * (1 - share) + line[3] * share
    return best, best_m, at_m, foot_lon, foot_lat, _bearing(grid.line, best)


def nearest_street(
    grid: StreetGrid, lon: float, lat: float, heading_deg: float, max_m: float
) -> StreetPoint:
    """The nearest street to a point.

    Args:
        grid: The streets.
        lon: WGS-84 degrees.
        lat: WGS-84 degrees.
        heading_deg: Compass heading of a vehicle: a street that runs with it is preferred, when it
            is not much farther off; NaN = none.
        max_m: The farthest street that is accepted.

    Returns:
        Where it is; `segment` is -1 when there is none within `max_m`.
    """
    found = _nearest_street(grid, float(lon), float(lat), float(heading_deg), float(max_m))
    return StreetPoint(*found)
