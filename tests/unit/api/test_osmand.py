"""The OsmAnd protocol: units of speed, kinds of time stamps, what is unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from api.errors import InvalidRequest
from api.http.osmand import from_form, from_json

FORM = {"id": "P01-C1", "lat": "27.24", "lon": "111.46", "timestamp": "1767225600"}
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "timestamp",
    [
        "1767225600",
        "1767225600000",
        "1767225600.0",
        "2026-01-01T00:00:00Z",
        "2026-01-01T08:00:00+08:00",
    ],
)
def test_time_stamps_of_all_kinds(timestamp: str) -> None:
    assert from_form(FORM | {"timestamp": timestamp}).position.at == AT


def test_a_fix_without_a_time_is_of_now() -> None:
    fix = from_form({key: value for key, value in FORM.items() if key != "timestamp"})
    assert abs((datetime.now(UTC) - fix.position.at).total_seconds()) < 5


def test_knots_become_metres_per_second() -> None:
    fix = from_form(FORM | {"speed": "36", "bearing": "90", "accuracy": "4.5"})
    assert fix.position.speed_mps == pytest.approx(18.52)
    assert (fix.position.heading, fix.position.accuracy_m) == (90.0, 4.5)


def test_a_place_in_one_field() -> None:
    fix = from_form({"id": "X", "location": "27.24,111.46", "timestamp": "1767225600"})
    assert (fix.position.lat, fix.position.lon) == (27.24, 111.46)


def message(**coords: float) -> bytes:
    return json.dumps(
        {
            "location": {
                "timestamp": "2026-01-01T00:00:00.000Z",
                "coords": {"latitude": 27.24, "longitude": 111.46, **coords},
                "battery": {"level": 0.5},
            },
            "device_id": "P01-C1",
        }
    ).encode()


def test_json_speeds_are_metres_per_second_and_minus_one_is_unknown() -> None:
    fix = from_json(message(speed=7.5, heading=-1, accuracy=3))
    assert (fix.position.speed_mps, fix.position.heading) == (7.5, None)
    assert fix.position.at == AT
    assert fix.device_id == "P01-C1"


@pytest.mark.parametrize(
    "form",
    [
        {},
        FORM | {"id": ""},
        FORM | {"lat": "north"},
        FORM | {"lat": "nan"},
        FORM | {"lon": "inf"},
        FORM | {"lon": "200"},
        FORM | {"timestamp": "yesterday"},
        FORM | {"timestamp": "2026-01-01T00:00:00"},
        FORM | {"timestamp": "1e300"},
        FORM | {"timestamp": "nan"},
        FORM | {"speed": "fast"},
    ],
)
def test_forms_that_are_no_fix(form: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="OsmAnd"):
        from_form(form)


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"location": 3}', b'{"device_id": "x"}', b"\xff"])
def test_json_that_is_no_fix(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="OsmAnd"):
        from_json(body)
