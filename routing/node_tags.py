"""What the tags of OSM nodes say about passing them: signals and barriers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, IntFlag

from routing.tags import Access, access_of


class Signal(IntFlag):
    """Which traffic along a way a signal stops."""

    FORWARD = 1
    BACKWARD = 2


class Barrier(IntEnum):
    """Whom a barrier stops; the larger the more."""

    NONE = 0
    EXCEPT_EMERGENCY = 1
    EVERYBODY = 2


_SOLID = frozenset({
    "bollard", "block", "jersey_barrier", "cycle_barrier", "motorcycle_barrier", "chain", "log",
    "debris", "ditch", "stile", "kissing_gate", "turnstile", "full-height_turnstile",
    "horse_stile", "fence", "wall", "hedge", "guard_rail", "planter", "tyres", "rope",
})  # fmt: skip
"""Barriers that no car passes, unless a tag says that motor vehicles may."""
_OPENED = frozenset({"gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "chain"})
"""Barriers that somebody can open: a crew gets through where the public does not."""
_SUNK = frozenset({"rising", "removable", "foldable", "flexible"})
"""Kinds of bollard that give way."""


def read_signal(tags: Mapping[str, str]) -> int:
    """`Signal` bits of a node, 0 without a signal."""
    if tags.get("highway") != "traffic_signals":
        return 0
    direction = tags.get("traffic_signals:direction") or tags.get("direction")
    if direction == "forward":
        return Signal.FORWARD
    if direction == "backward":
        return Signal.BACKWARD
    return Signal.FORWARD | Signal.BACKWARD


def read_barrier(tags: Mapping[str, str]) -> Barrier:
    """Whom the barrier on a node stops."""
    kind = tags.get("barrier")
    if kind is None:
        return Barrier.NONE
    allowed = [
        access_of(tags[key])
        for key in ("motorcar", "motor_vehicle", "vehicle", "access")
        if key in tags
    ]
    is_solid = kind in _SOLID
    public = allowed[0] if allowed else (Access.SHUT if is_solid else Access.OPEN)
    if is_solid and "access" in tags and len(allowed) == 1:
        # `access=yes` on a bollard speaks of those who fit through, not of cars.
        public = Access.SHUT
    if public == Access.OPEN and (kind not in _OPENED or tags.get("locked") != "yes"):
        return Barrier.NONE
    gives_way = kind in _OPENED or tags.get("bollard") in _SUNK
    if tags.get("emergency") in ("yes", "designated") or (gives_way and not is_solid):
        return Barrier.EXCEPT_EMERGENCY
    if public == Access.LIMITED and gives_way:
        return Barrier.EXCEPT_EMERGENCY
    return Barrier.EVERYBODY if is_solid or public == Access.SHUT else Barrier.NONE
