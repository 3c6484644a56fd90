"""Regions of a sketched city: its hull, its densest part, circles round key sites, grids."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPoint, Polygon, box

from platforms.city import Region
from platforms.sketch_points import Metres, Streets

KEY_SITE_RADIUS_M = 90.0
"""ASSUMPTION: a key site is what lies within this of its point."""
_MARGIN_M = 250.0
"""How far the city reaches beyond its last street."""
_CELL_M = 250.0
_CORE_SHARE = 0.35
"""Share of the road length that lies in the core."""
_CIRCLE_QUARTER_SEGMENTS = 4
_SIMPLE_M = 40.0


def hull(streets: Streets) -> Polygon:
    """The outline of the network, with a margin, metres."""
    outline = MultiPoint(streets.node).convex_hull.buffer(_MARGIN_M)
    return outline.simplify(_SIMPLE_M)


def densest(streets: Streets) -> Region:
    """The part with the most road on the least ground, metres."""
    cells, number = np.unique(
        np.floor(streets.middle / _CELL_M).astype(np.int64), axis=0, return_inverse=True
    )
    length_m = np.bincount(number.ravel(), streets.length_m)
    order = np.argsort(-length_m, kind="stable")
    upto = int(np.searchsorted(np.cumsum(length_m[order]), _CORE_SHARE * length_m.sum())) + 1
    squares = [_square(x, y) for x, y in cells[order[:upto]].tolist()]
    # Growing and shrinking closes the gaps between dense cells; islands that stay apart are left.
    grown = shapely.union_all(squares).buffer(1.5 * _CELL_M, join_style="mitre")
    closed = grown.buffer(-1.3 * _CELL_M, join_style="mitre")
    parts = list(getattr(closed, "geoms", [closed]))
    largest = max(parts, key=lambda part: part.area)
    return Polygon(largest.exterior).simplify(_SIMPLE_M)


def circle(point: NDArray[np.float64], radius_m: float = KEY_SITE_RADIUS_M) -> Polygon:
    """The ground of a key site, metres."""
    return shapely.Point(point).buffer(radius_m, quad_segs=_CIRCLE_QUARTER_SEGMENTS)


def voronoi(points: Metres, land: Region) -> list[Region]:
    """Parts the land so that each point has what is nearest to it, in the order of the points."""
    if len(points) == 1:
        return [land]
    cells = shapely.voronoi_polygons(MultiPoint(points), extend_to=land)
    tree = shapely.STRtree(list(cells.geoms))
    owner = [int(tree.nearest(shapely.Point(point))) for point in points]
    return [_polygonal(cells.geoms[k].intersection(land)) for k in owner]


def _square(column: int, row: int) -> Polygon:
    x, y = column * _CELL_M, row * _CELL_M
    return box(x, y, x + _CELL_M, y + _CELL_M)


def _polygonal(shape: Region) -> Region:
    parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
