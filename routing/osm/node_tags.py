"""What the tags of OSM nodes say about passing them: signals and barriers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, IntFlag

from routing.osm.tags import Access, access_of


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
    """Whom the barrier on a node stops.

    A crew gets through where some vehicles may (a guarded gate, `access=private`) and where a
    tag says so; a gate that is locked or shut to everybody stops the crew too.
    """
    kind = tags.get("barrier")
    if kind is None:
        return Barrier.NONE
    access = _barrier_access(tags, is_solid=kind in _SOLID)
    if access == Access.OPEN:
        return Barrier.NONE
    if access == Access.LIMITED or tags.get("emergency") in ("yes", "designated"):
        return Barrier.EXCEPT_EMERGENCY
    return Barrier.EVERYBODY


def _barrier_access(tags: Mapping[str, str], *, is_solid: bool) -> Access:
    # `access=yes` on a bollard speaks of those who fit through, not of cars.
    general = () if is_solid else ("access",)
    for key in ("motorcar", "motor_vehicle", "vehicle", *general):
        if key in tags:
            return access_of(tags[key])
    return Access.SHUT if is_solid or tags.get("locked") == "yes" else Access.OPEN
