"""What is promised at a point."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import shapely

from platforms.city import OUTSIDE, Zone, ZoneClass
from platforms.promise import Promise
from tests.small_city import EAST, WEST, small_city


@pytest.mark.parametrize(
    ("lon", "lat", "zone_class", "target_s"),
    [
        (111.46, 27.24, ZoneClass.KEY_SITE, 60),
        (111.455, 27.24, ZoneClass.CORE, 180),
        (111.445, 27.24, ZoneClass.OTHER, 300),
        (111.5, 27.24, ZoneClass.OUTSIDE, None),
        (111.459, 27.24, ZoneClass.KEY_SITE, 60),  # on the outline belongs to it
    ],
)
def test_the_smallest_target_wins(
    lon: float, lat: float, zone_class: ZoneClass, target_s: int | None
) -> None:
    promise = Promise(small_city())
    zone = promise.zone_at(lon, lat)
    assert (zone.zone_class, zone.target_s) == (zone_class, target_s)
    assert promise.target_s_at(lon, lat) == target_s


def test_the_answer_does_not_hang_on_the_order_of_the_file() -> None:
    city = small_city()
    turned = Promise(replace(city, zones=city.zones[::-1]))
    assert turned.zone_at(111.46, 27.24).zone_id == "key-K001"


def test_of_equal_targets_the_smaller_id_wins() -> None:
    city = small_city()
    twin = replace(city.zones[2], zone_id="key-A")
    for zones in ((*city.zones, twin), (twin, *city.zones)):
        assert Promise(replace(city, zones=zones)).zone_at(111.46, 27.24).zone_id == "key-A"


def test_area_grid_and_platform_of_a_point() -> None:
    promise = Promise(small_city())
    for (lon, lat), grid, platform in ((WEST, "G01", "P01"), (EAST, "G02", "P02")):
        area = promise.area_at(lon, lat)
        assert area is not None
        assert area.area_id == "city"
        found, charge = promise.grid_at(lon, lat), promise.platform_at(lon, lat)
        assert found is not None
        assert found.grid_id == grid
        assert charge is not None
        assert charge.platform_id == platform
    assert promise.area_at(0.0, 0.0) is None
    assert promise.platform_at(0.0, 0.0) is None
    assert promise.zone_at(0.0, 0.0) is OUTSIDE


def test_a_city_without_zones_promises_nothing() -> None:
    assert Promise(replace(small_city(), zones=())).zone_at(*WEST) is OUTSIDE


def test_look_ups_agree_with_trying_every_zone() -> None:
    chance = random.Random(3)
    zones = [
        Zone(
            zone_id=f"z{k:03d}", zone_class=ZoneClass.CORE, target_s=chance.choice([60, 180, 300]),
            name="", polygon=shapely.Point(chance.random(), chance.random()).buffer(0.08),
        )
        for k in range(120)
    ]  # fmt: skip
    promise = Promise(replace(small_city(), zones=tuple(zones)))
    for _ in range(500):
        lon, lat = chance.random(), chance.random()
        point = shapely.Point(lon, lat)
        holding = [zone for zone in zones if zone.polygon.intersects(point)]
        best = min(holding, key=lambda z: (z.target_s, z.zone_id), default=OUTSIDE)
        assert promise.zone_at(lon, lat) is best


def test_a_zone_far_away_does_not_fill_the_plane_between() -> None:
    city = small_city()
    far = Zone(
        zone_id="far",
        zone_class=ZoneClass.OTHER,
        target_s=300,
        name="",
        polygon=shapely.box(0.0, 0.0, 0.01, 0.01),
        synthetic=True,
    )
    promise = Promise(replace(city, zones=(*city.zones, far)))
    cells = sum(len(level) for _, level in promise._zones._levels)
    assert cells < 20_000
    assert promise.zone_at(0.005, 0.005).zone_id == "far"
