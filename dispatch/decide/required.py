"""What an incident needs, checked."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.errors import BadRequirement
from dispatch.rules import Rules, kinds_of
from dispatch.words import ANY_PATROL
from platforms.categories import UnitKind


def required_or_default(required: Mapping[str, int] | None, rules: Rules) -> dict[str, int]:
    """The requirement as given, without zeros, or the rules' default.

    Raises:
        BadRequirement: A kind is not known, a count is negative, or there are too many.
    """
    wanted = rules.required_default if required is None else required
    for key, count in wanted.items():
        if count < 0:
            raise BadRequirement(key, why=f"the count is {count}; give 0 or more")
        _check_kind(key)
    if sum(wanted.values()) > rules.required_max:
        raise BadRequirement(
            ", ".join(wanted),
            why=f"{sum(wanted.values())} units in all, at most {rules.required_max} may be asked",
        )
    return {key: count for key, count in wanted.items() if count}


def key_filled(wanted: Mapping[str, int], kind: UnitKind) -> str | None:
    """Which of the units still wanted a unit sent by hand stands for; None for one beyond them.

    A dispatcher who sends a kind that nobody asked for means it to be the "any".
    """
    fitting = [key for key in wanted if kind in kinds_of(key)]
    if fitting:
        return min(fitting, key=lambda key: (len(kinds_of(key)), key))
    return ANY_PATROL if ANY_PATROL in wanted else None


def one_more(required: Mapping[str, int], key: str) -> dict[str, int]:
    """The requirement raised by one unit."""
    return {**required, key: required.get(key, 0) + 1}


def key_of(kind: UnitKind) -> str:
    """The key under which one more unit of this kind is required."""
    return ANY_PATROL if kind in kinds_of(ANY_PATROL) else str(kind)


def _check_kind(key: str) -> None:
    try:
        kinds_of(key)
    except ValueError as error:
        kinds = ", ".join(UnitKind)
        raise BadRequirement(key, why=f'no such kind; give "any" or one of {kinds}') from error
