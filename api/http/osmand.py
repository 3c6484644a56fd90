"""The OsmAnd/Traccar client protocol: a fix as a query string (speed in knots) or JSON (m/s)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from api.errors import InvalidRequest
from api.http.schemas.positions import PositionIn

MPS_PER_KNOT = 1852 / 3600
FORM_FIELDS_MAX = 50
MILLISECONDS_FROM = 100_000_000_000
"""A larger time stamp is in milliseconds: as seconds it would lie after the year 5000."""


@dataclass(frozen=True, slots=True)
class OsmandFix:
    """What a client sent.

    Attributes:
        device_id: Its device id: a unit's id, or a vehicle's token.
        token: The token it sent beside it, None without.
        position: The fix; its unit is still to be found.
    """

    device_id: str
    token: str | None
    position: PositionIn


class _Coords(Struct):
    latitude: float
    longitude: float
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None


class _Located(Struct):
    timestamp: str | float
    coords: _Coords
    mock: bool = False


class _Message(Struct):
    location: _Located
    device_id: str
    token: str | None = None


_MESSAGE = msgspec.json.Decoder(_Message)


def from_json(body: bytes) -> OsmandFix:
    """Reads the JSON form.

    Raises:
        InvalidRequest: It is not of that form.
    """
    try:
        message = _MESSAGE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unsound(str(error)) from error
    coords = message.location.coords
    return OsmandFix(
        message.device_id,
        message.token,
        _position(
            {
                "lon": coords.longitude,
                "lat": coords.latitude,
                "at": _time(message.location.timestamp),
                # Phones report a negative speed or heading where they know none.
                "speed_mps": _known(coords.speed),
                "heading": _known(coords.heading),
                "accuracy_m": _known(coords.accuracy),
                "mock": message.location.mock,
            }
        ),
    )


def read_form(body: bytes) -> dict[str, str]:
    """Reads a body in the query form.

    Raises:
        InvalidRequest: It has more fields than any client sends.
    """
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FORM_FIELDS_MAX))
    except ValueError as error:
        raise _unsound(f"the form has more than {FORM_FIELDS_MAX} fields") from error


def from_form(form: Mapping[str, str]) -> OsmandFix:
    """Reads the query form.

    Raises:
        InvalidRequest: A field is missing or no number.
    """
    device_id = form.get("id") or form.get("deviceid")
    if not device_id:
        raise _unsound("id is missing")
    lat, lon = form.get("lat"), form.get("lon")
    if "location" in form and "," in form["location"]:
        lat, _, lon = form["location"].partition(",")
    speed_knots = _known(_number(form, "speed"))
    heading = _number(form, "bearing" if "bearing" in form else "heading")
    return OsmandFix(
        device_id,
        form.get("token"),
        _position(
            {
                "lon": _float("lon", lat and lon),
                "lat": _float("lat", lat),
                "at": _time(form.get("timestamp", "")),
                "speed_mps": None if speed_knots is None else speed_knots * MPS_PER_KNOT,
                "heading": _known(heading),
                "accuracy_m": _known(_number(form, "accuracy")),
                "mock": form.get("mock", "").lower() in {"1", "true"},
            }
        ),
    )


def _position(values: dict[str, Any]) -> PositionIn:
    try:
        return msgspec.convert({"unit_id": "?", **values}, PositionIn)
    except msgspec.ValidationError as error:
        raise _unsound(str(error)) from error


def _time(given: str | float) -> datetime:
    """A time stamp: seconds or milliseconds since 1970, or RFC 3339; none is now."""
    if given == "":
        return datetime.now(UTC)
    try:
        number = float(given)
    except ValueError:
        return _written_time(str(given))
    try:
        seconds = number / 1000 if number >= MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _unsound(f"timestamp {str(given)[:40]!r} is no time") from error


def _written_time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _unsound(f"timestamp {text[:40]!r} is no time") from error
    if at.tzinfo is None:
        raise _unsound(f"timestamp {text[:40]!r} has no zone; add Z or +08:00")
    return at


def _number(form: Mapping[str, str], name: str) -> float | None:
    return _float(name, form[name]) if form.get(name) else None


def _float(name: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise _unsound(f"{name}={(text or '')[:40]!r} is no number") from error


def _known(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _unsound(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"OsmAnd: {why}; send id, lat, lon, timestamp, or the JSON form with device_id and"
        " location",
        errors=[{"loc": ["osmand"], "msg": why, "type": "osmand"}],
    )
