"""Turn restriction relations, as OSM writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unused(StrEnum):
    """Why a restriction relation is not in the turn table."""

    OTHER_VEHICLES = "not for cars"
    TIMED = "only at certain times"
    UNKNOWN_KIND = "unknown kind"
    INCOMPLETE = "a member is missing"
    OFF_NETWORK = "its roads are not in the network"
    NO_SUCH_TURN = "its roads make no such turn"
    VIA_WAY = "its via way cannot be written as one turn"


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction that applies to cars.

    Attributes:
        relation_id: OSM id of the relation.
        only: True where only the named turn is allowed, False where it is forbidden.
        manoeuvre: `left_turn`, `right_turn`, `straight_on`, `u_turn`, `entry` or `exit`.
        from_ways: Ways the traffic comes from.
        to_ways: Ways the traffic turns into.
        via_node: The junction; None where ways lie between.
        via_ways: Ways between; empty where there is a junction node.
        emergency_exempt: True where the relation says except=emergency.
    """

    relation_id: int
    only: bool
    manoeuvre: str
    from_ways: tuple[int, ...]
    to_ways: tuple[int, ...]
    via_node: int | None
    via_ways: tuple[int, ...]
    emergency_exempt: bool


_MANOEUVRES = frozenset({"left_turn", "right_turn", "straight_on", "u_turn", "entry", "exit"})
_CAR_KEYS = ("restriction", "restriction:motor_vehicle", "restriction:motorcar")
_CAR_EXCEPTIONS = frozenset({"motorcar", "motor_vehicle", "vehicle"})
_TIME_KEYS = ("day_on", "day_off", "hour_on", "hour_off")


def is_restriction(tags: Mapping[str, str]) -> bool:
    """Whether a relation is a turn restriction of any kind."""
    return tags.get("type", "").split(":")[0] == "restriction"


def read_restriction(
    relation_id: int, tags: Mapping[str, str], members: Iterable[tuple[str, str, int]]
) -> Restriction | Unused:
    """Reads one restriction relation.

    Args:
        relation_id: OSM id of the relation.
        tags: Its tags.
        members: Its members as (type `n` `w` `r`, role, id).

    Returns:
        The restriction, or why it says nothing to a crew.
    """
    value = next((tags[key] for key in _CAR_KEYS if key in tags), None)
    if value is None or tags["type"] != "restriction":
        is_timed = any(key == "restriction:conditional" for key in tags)
        return Unused.TIMED if is_timed else Unused.OTHER_VEHICLES
    prefix, _, manoeuvre = value.partition("_")
    if prefix not in ("no", "only") or manoeuvre not in _MANOEUVRES:
        return Unused.UNKNOWN_KIND
    exceptions = {word.strip() for word in tags.get("except", "").split(";")}
    if exceptions & _CAR_EXCEPTIONS:
        return Unused.OTHER_VEHICLES
    if any(key in tags for key in _TIME_KEYS):
        return Unused.TIMED
    return _with_members(
        relation_id, prefix == "only", manoeuvre, "emergency" in exceptions, members
    )


def _with_members(
    relation_id: int,
    only: bool,
    manoeuvre: str,
    emergency_exempt: bool,
    members: Iterable[tuple[str, str, int]],
) -> Restriction | Unused:
    by_role: dict[tuple[str, str], list[int]] = {}
    for kind, role, member_id in members:
        by_role.setdefault((role, kind), []).append(member_id)
    from_ways = tuple(by_role.get(("from", "w"), ()))
    to_ways = tuple(by_role.get(("to", "w"), ()))
    via_nodes = by_role.get(("via", "n"), [])
    via_ways = tuple(by_role.get(("via", "w"), ()))
    has_one_via = len(via_nodes) == 1 if via_nodes else bool(via_ways)
    if not from_ways or not to_ways or not has_one_via or (via_nodes and via_ways):
        return Unused.INCOMPLETE
    return Restriction(
        relation_id=relation_id,
        only=only,
        manoeuvre=manoeuvre,
        from_ways=from_ways,
        to_ways=to_ways,
        via_node=via_nodes[0] if via_nodes else None,
        via_ways=via_ways,
        emergency_exempt=emergency_exempt,
    )
