"""What the tags of one OSM way say about driving on it.

The rules are OSM's own access hierarchy (`access` < `vehicle` < `motor_vehicle` < `motorcar` or
`motorcycle`, each with `:forward` and `:backward`), read with the eyes of a police crew: a road
that is closed to the public but open to emergency vehicles is a road, and is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from routing.graph import ROAD_CLASSES, ArcFlag
from routing.osm.speed_limits import limits_kmh

_CLASS_OF = {name: position for position, name in enumerate(ROAD_CLASSES)}
_FERRY = _CLASS_OF["ferry"]
_PEDESTRIAN = _CLASS_OF["pedestrian"]
_BUSWAY = _CLASS_OF["busway"]
_PATHS = frozenset({"footway", "path", "cycleway", "bridleway"})
"""Not for motors unless a tag says so; then they count as pedestrian streets."""
_NO_ROADS = frozenset({
    "steps", "corridor", "elevator", "escalator", "via_ferrata", "platform", "bus_stop",
    "bus_guideway", "raceway", "services", "rest_area", "construction", "proposed", "planned",
    "abandoned", "disused", "razed", "no", "crossing", "escape", "ladder", "emergency_bay",
})  # fmt: skip
"""Values of `highway` that are known and never driven by a crew."""

_OPEN = frozenset({"yes", "permissive", "designated", "official", "public", "1", "true"})
_SHUT = frozenset({"no", "emergency", "use_sidepath", "restricted", "0", "false"})
_EMERGENCY_YES = frozenset({"yes", "designated", "official", "permissive", "destination"})
_ONEWAY_ALONG = frozenset({"yes", "true", "1"})
_ONEWAY_AGAINST = frozenset({"-1", "reverse"})
_ROUNDABOUTS = frozenset({"roundabout", "circular"})
_ACCESS_KEYS = frozenset(
    f"{mode}{direction}"
    for mode in ("access", "vehicle", "motor_vehicle", "motorcar", "motorcycle")
    for direction in ("", ":forward", ":backward")
)


class Skipped(StrEnum):
    """Why a way that carries a `highway` or `route` tag is not in the network."""

    NO_ROAD = "not a road for motor vehicles"
    UNKNOWN_CLASS = "unknown highway value"
    CLOSED = "closed to all motor vehicles"
    REVERSIBLE = "reversible: its direction changes with the hour"


class Access(IntEnum):
    """How far a way is open to one kind of vehicle; the larger the better."""

    SHUT = 0
    LIMITED = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class WayRule:
    """How one way may be driven.

    Attributes:
        road_class: Position in `ROAD_CLASSES`.
        forward: `ArcFlag` bits of the arcs along the way; None where it may not be driven so.
        backward: `ArcFlag` bits of the arcs against the way; None where it may not be driven so.
        forward_kmh: Posted limit along the way; 0 where the source gives none.
        backward_kmh: Posted limit against the way; 0 where the source gives none.
        name: Street name, "" where it has none.
        layer: Height order at crossings without a junction, from the `layer` tag.
    """

    road_class: int
    forward: int | None
    backward: int | None
    forward_kmh: float
    backward_kmh: float
    name: str
    layer: int


def read_way(tags: Mapping[str, str]) -> WayRule | Skipped:
    """Reads the tags of one way.

    Args:
        tags: The way's tags, keys and values as OSM has them.

    Returns:
        The rule of the road, or why the way is no road for us.
    """
    road_class = _road_class(tags)
    if isinstance(road_class, Skipped):
        return road_class
    along, against = _directions(tags)
    if not along and not against:
        return Skipped.REVERSIBLE
    shape = _shape_flags(tags) | (0 if along and against else ArcFlag.ONEWAY)
    forward = _driven(tags, road_class, "forward", is_open=along)
    backward = _driven(tags, road_class, "backward", is_open=against)
    if forward is None and backward is None:
        return Skipped.CLOSED
    forward_kmh, backward_kmh = limits_kmh(tags)
    return WayRule(
        road_class=road_class,
        forward=None if forward is None else int(forward | shape),
        backward=None if backward is None else int(backward | shape),
        forward_kmh=forward_kmh,
        backward_kmh=backward_kmh,
        name=_name(tags),
        layer=_layer(tags.get("layer")),
    )


def _road_class(tags: Mapping[str, str]) -> int | Skipped:
    highway = tags.get("highway")
    if highway is None:
        is_ferry = tags.get("route") == "ferry" and _car_ferry(tags)
        return _FERRY if is_ferry else Skipped.NO_ROAD
    if tags.get("area") == "yes":
        return Skipped.NO_ROAD
    if highway not in _CLASS_OF:
        highway = highway.split(";")[0].strip()
    if highway in _PATHS:
        return _PEDESTRIAN if _opened_to_motors(tags) else Skipped.NO_ROAD
    if highway in _NO_ROADS:
        return Skipped.NO_ROAD
    return _CLASS_OF.get(highway, Skipped.UNKNOWN_CLASS)


def _car_ferry(tags: Mapping[str, str]) -> bool:
    return any(tags.get(key) in _OPEN for key in ("motorcar", "motor_vehicle", "vehicle"))


def _opened_to_motors(tags: Mapping[str, str]) -> bool:
    motors = ("motor_vehicle", "motorcar", "motorcycle")
    return any(tags.get(key) in _OPEN for key in motors) or tags.get("emergency") in _EMERGENCY_YES


def _directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether the way is open along and against its direction; neither when reversible."""
    oneway = tags.get("oneway:motor_vehicle") or tags.get("oneway:motorcar") or tags.get("oneway")
    if oneway is None:
        implied = tags.get("junction") in _ROUNDABOUTS or tags.get("highway") == "motorway"
        return True, not implied
    if oneway in _ONEWAY_ALONG:
        return True, False
    if oneway in _ONEWAY_AGAINST:
        return False, True
    # `alternating` (one lane, traffic by turns) is open both ways at any hour.
    is_open = oneway != "reversible"
    return is_open, is_open


def _shape_flags(tags: Mapping[str, str]) -> int:
    flags = 0
    if tags.get("bridge", "no") != "no":
        flags |= ArcFlag.BRIDGE
    if tags.get("tunnel", "no") != "no":
        flags |= ArcFlag.TUNNEL
    if tags.get("junction") in _ROUNDABOUTS:
        flags |= ArcFlag.ROUNDABOUT
    return flags


def _driven(
    tags: Mapping[str, str], road_class: int, direction: str, *, is_open: bool
) -> int | None:
    """Access flags of one direction, None where nobody of ours may drive it."""
    if not is_open:
        return _against_traffic(tags)
    default = Access.SHUT if _shut_by_default(tags, road_class) else Access.OPEN
    car = motorcycle = default
    if not _ACCESS_KEYS.isdisjoint(tags):
        car = _access(tags, "motorcar", direction, default)
        motorcycle = _access(tags, "motorcycle", direction, default)
    if car == motorcycle == Access.SHUT:
        return ArcFlag.EMERGENCY_ONLY if _open_to_emergency(tags, road_class) else None
    flags = 0
    if Access.SHUT in (car, motorcycle) and tags.get("emergency") not in _EMERGENCY_YES:
        flags |= ArcFlag.NO_CAR if car == Access.SHUT else ArcFlag.NO_MOTORCYCLE
    if max(car, motorcycle) == Access.LIMITED:
        flags |= ArcFlag.PRIVATE
    return flags


def _against_traffic(tags: Mapping[str, str]) -> int | None:
    """Who may drive against a one-way: crews where buses or emergency vehicles may."""
    if "no" in (tags.get("oneway:emergency"), tags.get("oneway:psv"), tags.get("oneway:bus")):
        return ArcFlag.EMERGENCY_ONLY
    if tags.get("busway", "").startswith("opposite"):
        return ArcFlag.EMERGENCY_ONLY
    return ArcFlag.NO_CAR if tags.get("oneway:motorcycle") == "no" else None


def _shut_by_default(tags: Mapping[str, str], road_class: int) -> bool:
    return road_class in (_PEDESTRIAN, _BUSWAY) or tags.get("highway") is None


def _open_to_emergency(tags: Mapping[str, str], road_class: int) -> bool:
    emergency = tags.get("emergency")
    if emergency is not None:
        return emergency in _EMERGENCY_YES
    if tags.get("service") == "emergency_access":
        return True
    if any(tags.get(key) == "emergency" for key in ("motor_vehicle", "vehicle", "access")):
        return True
    if any(tags.get(key) in ("yes", "designated", "official") for key in ("psv", "bus")):
        return True
    # A pedestrian street or busway is shut to the public by its nature; a crew may use it unless
    # a tag shuts it to everybody.
    return road_class in (_PEDESTRIAN, _BUSWAY) and tags.get("access") != "no"


def _access(tags: Mapping[str, str], mode: str, direction: str, default: Access) -> Access:
    for key in (mode, "motor_vehicle", "vehicle", "access"):
        value = tags.get(f"{key}:{direction}") or tags.get(key)
        if value is not None:
            return max(access_of(part.strip()) for part in value.split(";"))
    return default


def access_of(value: str) -> Access:
    """How open one access value is; what is neither open nor shut is limited (`private` ...)."""
    if value in _OPEN:
        return Access.OPEN
    return Access.SHUT if value in _SHUT else Access.LIMITED


def _name(tags: Mapping[str, str]) -> str:
    keys: Iterable[str] = ("name:zh", "name", "name:en", "bridge:name", "tunnel:name", "ref")
    name = next((tags[key] for key in keys if tags.get(key)), "").strip()
    # Control characters would reach terminals and logs.
    return name if name.isprintable() else "".join(filter(str.isprintable, name))


def _layer(value: str | None) -> int:
    try:
        layer = int(value) if value else 0
    except ValueError:
        return 0
    return max(-5, min(5, layer))  # OSM's own range
