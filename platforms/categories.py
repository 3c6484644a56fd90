"""Kinds of incident: their default priority and the forces they need by default.

The values stand in a data file, `categories.json`: the one of this package, or the city's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from platforms.errors import CityFileError

PRIORITIES = range(1, 5)
"""1 is the most urgent (特急), 4 the least (咨询)."""


class UnitKind(StrEnum):
    """What a unit drives, and so what it can be asked to do."""

    COMMAND_VEHICLE = "command_vehicle"
    RESPONSE_CAR = "response_car"
    MOTORCYCLE = "motorcycle"
    ASSAULT_TEAM = "assault_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """So many units, each of any of these kinds.

    Attributes:
        kinds: Kinds that satisfy it.
        count: Number of units, at least 1.
    """

    kinds: tuple[UnitKind, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of incident.

    Attributes:
        code: Its name in code and API, as "public_order".
        name: Its Chinese name.
        priority: Default priority, 1 (most urgent) to 4.
        required: Forces that go by default; empty where no unit is sent.
        diverted_to: Who handles it instead of the police, as "12345"; None for police work.
    """

    code: str
    name: str
    priority: int
    required: tuple[Requirement, ...]
    diverted_to: str | None = None


def category_of(row: Mapping[str, Any], where: str) -> Category:
    """One category out of its JSON object.

    Args:
        row: The object with `code`, `name`, `priority`, `required` and maybe `diverted_to`.
        where: File and entry, for the message of an error.

    Raises:
        CityFileError: A value is missing or not allowed.
    """
    try:
        code, name, priority = row["code"], row["name"], row["priority"]
        required = tuple(_requirement(item) for item in row["required"])
    except (KeyError, TypeError, ValueError) as error:
        raise CityFileError(
            where,
            f"is no category ({error!r}); give code, name, priority and required, as in"
            ' {"kinds": ["response_car"], "count": 1}',
        ) from error
    if priority not in PRIORITIES:
        raise CityFileError(where, f"priority {priority!r} of {code!r} must be 1, 2, 3 or 4")
    return Category(
        code=str(code),
        name=str(name),
        priority=priority,
        required=required,
        diverted_to=row.get("diverted_to"),
    )


def categories_of(document: object, where: str) -> tuple[Category, ...]:
    """All categories out of the document of a `categories.json`.

    Raises:
        CityFileError: The document has another shape, or a code twice.
    """
    rows = document.get("categories") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise CityFileError(where, 'must be an object with a non-empty list "categories"')
    found: dict[str, Category] = {}
    for number, row in enumerate(rows, start=1):
        category = category_of(row, f"{where} category {number}")
        if category.code in found:
            raise CityFileError(
                f"{where} category {number}",
                f"code {category.code!r} stands twice; keep one of them",
            )
        found[category.code] = category
    return tuple(found.values())


@cache
def default_categories() -> tuple[Category, ...]:
    """The categories that come with this package."""
    text = files("platforms").joinpath("categories.json").read_text(encoding="utf-8")
    return categories_of(json.loads(text), "categories.json")


def _requirement(item: Mapping[str, Any]) -> Requirement:
    kinds = tuple(UnitKind(kind) for kind in item["kinds"])
    count = item["count"]
    if not kinds or not isinstance(count, int) or count < 1:
        raise ValueError(f"requirement {item!r} needs at least one kind and a count of 1 or more")
    return Requirement(kinds=kinds, count=count)
