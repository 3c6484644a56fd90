"""Zones, areas and grids found by cells are those that a look at every border finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon

from platforms.city import OUTSIDE, City, Zone, ZoneClass
from platforms.promise import CELLS_PER_DEG, Promise
from tests.small_city import small_city

_WEST, _SOUTH, _SPAN_DEG = 111.43, 27.21, 0.08
_TARGETS = {ZoneClass.KEY_SITE: 60, ZoneClass.CORE: 180, ZoneClass.OTHER: 300}

_inside = st.floats(0, 1, allow_nan=False)
_corners = st.tuples(_inside, _inside)
# Corners of cells are where rounding could count a point into a cell that does not hold it.
_on_a_cell = st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(CELLS_PER_DEG))


def _degrees(share: tuple[float, float]) -> tuple[float, float]:
    return _WEST + share[0] * _SPAN_DEG, _SOUTH + share[1] * _SPAN_DEG


@st.composite
def _zones(draw: st.DrawFn) -> tuple[Zone, ...]:
    """Overlapping triangles, rectangles and circles of all three classes."""
    zones = []
    for number in range(draw(st.integers(1, 6))):
        shape = shapely.convex_hull(
            shapely.MultiPoint([_degrees(one) for one in draw(st.lists(_corners, min_size=3))])
        )
        if not isinstance(shape, Polygon) or shape.area == 0:
            lon, lat = _degrees(draw(_corners))
            shape = shapely.Point(lon, lat).buffer(draw(st.floats(1e-5, 2e-2)))
        zone_class = draw(st.sampled_from(list(_TARGETS)))
        zones.append(
            Zone(
                zone_id=f"z{number}",
                zone_class=zone_class,
                target_s=_TARGETS[zone_class],
                name="",
                polygon=shape,
                synthetic=True,
            )
        )
    return tuple(zones)


def _by_every_border(city: City, lon: float, lat: float) -> Zone:
    """The same question without any index."""
    holding = [
        (zone.target_s or 0, zone.zone_id, zone)
        for zone in city.zones
        if zone.polygon is not None and shapely.intersects_xy(zone.polygon, lon, lat)
    ]
    return min(holding, key=lambda one: one[:2])[2] if holding else OUTSIDE


@settings(deadline=None)
@given(
    zones=_zones(),
    shares=st.lists(_corners, min_size=5, max_size=20),
    on_cells=st.lists(_on_a_cell, max_size=10),
)
def test_cells_change_no_answer(
    zones: tuple[Zone, ...],
    shares: Sequence[tuple[float, float]],
    on_cells: Sequence[tuple[int, int, int]],
) -> None:
    city = replace(small_city(), zones=zones)
    promise = Promise(city)
    points = [_degrees((3 * east - 1, 3 * north - 1)) for east, north in shares]
    points += [
        (round(_WEST * size + east) / size, round(_SOUTH * size + north) / size)
        for east, north, size in on_cells
    ]
    points += [(lon, lat) for zone in zones for lon, lat in shapely.get_coordinates(zone.polygon)]
    for lon, lat in points:
        assert promise.zone_at(lon, lat) is _by_every_border(city, lon, lat)
