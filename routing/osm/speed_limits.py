"""Posted speed limits, as OSM's `maxspeed` tags write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

KMH_PER_MPH = 1.609344
KMH_PER_KNOT = 1.852
MAX_BELIEVED_KMH = 140.0
"""No road on earth that is not unlimited posts more (Poland, motorways); more is a typing error."""
WALKING_KMH = 7.0
"""What `walk` stands for: the court practice behind Germany's Schrittgeschwindigkeit, 7 km/h."""

ZONE_KMH: Mapping[str, float] = {
    # 中华人民共和国道路交通安全法实施条例, article 45 (one lane a direction) and article 78.
    "CN:urban": 50.0,
    "CN:rural": 70.0,
    "CN:motorway": 120.0,
    # OSM wiki, "Key:maxspeed", table of implicit values.
    "PT:urban": 50.0,
    "PT:rural": 90.0,
    "PT:trunk": 100.0,
    "PT:motorway": 120.0,
    "FI:urban": 50.0,
    "FI:rural": 80.0,
    "FI:trunk": 100.0,
    "FI:motorway": 120.0,
    "BR:urban": 40.0,
    "BR:rural": 60.0,
    "DE:urban": 50.0,
    "DE:rural": 100.0,
    "FR:urban": 50.0,
    "FR:rural": 80.0,
    "FR:motorway": 130.0,
    "GB:nsl_single": 60 * KMH_PER_MPH,
    "GB:nsl_dual": 70 * KMH_PER_MPH,
    "GB:motorway": 70 * KMH_PER_MPH,
}
"""Limits that a country's law gives to a kind of place, where the tag names only the kind."""

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(km/h|kmh|kph|mph|knots)?")
_ZONE_NUMBER = re.compile(r"(?:[A-Z]{2}:)?zone:?([0-9]+)")
_UNIT_KMH = {
    None: 1.0,
    "km/h": 1.0,
    "kmh": 1.0,
    "kph": 1.0,
    "mph": KMH_PER_MPH,
    "knots": KMH_PER_KNOT,
}
_ZONE_KEYS = ("maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic")


def parse_limit_kmh(value: str) -> float | None:
    """The limit in km/h that one `maxspeed` value stands for.

    Args:
        value: The tag's value: `50`, `30 mph`, `CN:urban`, `DE:zone:30`, `50;30` (the lowest
            counts), `walk`.

    Returns:
        The limit, or None where the value sets none (`none`, `signals`) or cannot be believed.
    """
    limits_kmh = [_one_limit_kmh(part.strip()) for part in value.split(";")]
    known_kmh = [limit_kmh for limit_kmh in limits_kmh if limit_kmh is not None]
    return min(known_kmh, default=None)


def _one_limit_kmh(text: str) -> float | None:
    if text in ZONE_KMH:
        return ZONE_KMH[text]
    if text == "walk":
        return WALKING_KMH
    if zone := _ZONE_NUMBER.fullmatch(text):
        return _believed(float(zone[1]))
    if number := _NUMBER.fullmatch(text):
        return _believed(float(number[1]) * _UNIT_KMH[number[2]])
    return None


def _believed(limit_kmh: float) -> float | None:
    return limit_kmh if 0 < limit_kmh <= MAX_BELIEVED_KMH else None


def limits_kmh(tags: Mapping[str, str]) -> tuple[float, float]:
    """The limits of a way along and against its direction, km/h; 0 where the source gives none."""
    both = tags.get("maxspeed")
    both_kmh = parse_limit_kmh(both) if both else None
    if both_kmh is None:
        zones = (parse_limit_kmh(tags[key]) for key in _ZONE_KEYS if key in tags)
        both_kmh = next((zone_kmh for zone_kmh in zones if zone_kmh is not None), None)
    return tuple(  # type: ignore[return-value]  # a generator over two directions has two values
        _directed_kmh(tags, direction, both_kmh) for direction in ("forward", "backward")
    )


def _directed_kmh(tags: Mapping[str, str], direction: str, both_kmh: float | None) -> float:
    value = tags.get(f"maxspeed:{direction}")
    own_kmh = parse_limit_kmh(value) if value else None
    return own_kmh or both_kmh or 0.0
