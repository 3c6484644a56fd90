"""Chinese map coordinates against known pairs and against themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.coordinates import Crs, from_wgs84, to_wgs84
from routing.geometry import distance_m

CHINA_LON = st.floats(74, 134)
CHINA_LAT = st.floats(19, 52)


@given(CHINA_LON, CHINA_LAT, st.sampled_from(list(Crs)))
def test_there_and_back_again(lon: float, lat: float, crs: Crs) -> None:
    there = from_wgs84(lon, lat, crs)
    back = to_wgs84(*there, crs)
    assert distance_m(lon, lat, *back) < 0.01


@given(CHINA_LON, CHINA_LAT)
def test_the_offset_is_some_hundred_metres(lon: float, lat: float) -> None:
    assert 10 < distance_m(lon, lat, *from_wgs84(lon, lat, "gcj02")) < 1_000


def test_a_pair_that_is_published() -> None:
    # Tian'anmen in both systems, as the common converters give it.
    lon, lat = from_wgs84(116.391305, 39.907375, "gcj02")
    assert distance_m(lon, lat, 116.397549, 39.908777) < 2.0


def test_outside_china_nothing_is_shifted() -> None:
    assert to_wgs84(2.35, 48.85, "gcj02") == (2.35, 48.85)


def test_cgcs2000_is_wgs84_here() -> None:
    assert to_wgs84(111.46, 27.24, "cgcs2000") == (111.46, 27.24)


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(ValueError, match="mars"):
        to_wgs84(111.46, 27.24, "mars")
