"""Tracks of the demo's vehicles: an even drive along a line."""

from __future__ import annotations

import pytest

from api.demo.track import Track, distance_m, heading_deg, moved, rest_of

HERE = (111.46, 27.24)
EAST = moved(HERE, east_m=300.0, north_m=0.0)
CORNER = [HERE, EAST, moved(EAST, east_m=0.0, north_m=100.0)]


def test_a_drive_passes_its_line_at_even_speed() -> None:
    track = Track(CORNER, start_s=1000.0, duration_s=40.0)
    first = track.at(1015.0)
    assert distance_m((first.lon, first.lat), HERE) == pytest.approx(150.0, abs=0.1)
    assert first.heading_deg == pytest.approx(90.0, abs=0.1)
    assert first.speed_mps == pytest.approx(10.0, abs=0.01)
    second = track.at(1035.0)
    assert distance_m((second.lon, second.lat), EAST) == pytest.approx(50.0, abs=0.1)
    assert second.heading_deg == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("at_s", "point"), [(0.0, CORNER[0]), (2000.0, CORNER[-1])])
def test_before_the_start_and_after_the_end_it_is_at_the_line_ends(
    at_s: float, point: tuple[float, float]
) -> None:
    place = Track(CORNER, start_s=1000.0, duration_s=40.0).at(at_s)
    assert (place.lon, place.lat) == pytest.approx(point, abs=1e-9)


def test_a_stay_has_no_speed_and_no_heading() -> None:
    place = Track.stay(HERE, start_s=0.0).at(5.0)
    assert (place.lon, place.lat, place.speed_mps, place.heading_deg) == (*HERE, 0.0, None)


def test_a_line_without_length_is_a_stay() -> None:
    place = Track([HERE, HERE], start_s=0.0, duration_s=9.0).at(5.0)
    assert (place.lon, place.lat, place.speed_mps) == (*HERE, 0.0)


def test_repeated_points_do_not_stop_a_drive() -> None:
    place = Track([HERE, HERE, EAST, EAST], start_s=0.0, duration_s=30.0).at(15.0)
    assert distance_m((place.lon, place.lat), HERE) == pytest.approx(150.0, abs=0.1)
    assert place.heading_deg == pytest.approx(90.0, abs=0.1)


def test_a_vehicle_joins_a_changed_route_where_it_is_nearest() -> None:
    beside = moved(HERE, east_m=200.0, north_m=-15.0)
    ahead, share = rest_of(CORNER, beside)
    assert distance_m(ahead[0], moved(HERE, east_m=200.0, north_m=0.0)) < 0.01
    assert ahead[1:] == CORNER[1:]
    assert share == pytest.approx(0.5, abs=1e-3)


def test_an_empty_line_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        Track([], start_s=0.0, duration_s=1.0)


def test_headings_are_compass_headings() -> None:
    assert heading_deg(HERE, moved(HERE, east_m=0.0, north_m=-10.0)) == pytest.approx(180.0)
    assert heading_deg(HERE, moved(HERE, east_m=-10.0, north_m=0.0)) == pytest.approx(270.0)
