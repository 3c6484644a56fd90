"""Query parameters that several routes share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from api.clock import milliseconds
from api.errors import InvalidRequest
from api.http.schemas.gate import within_times
from dispatch.words import UnixMs

Word = TypeVar("Word", bound=StrEnum)


def _written_out(given: object) -> object:
    """Refuses bare numbers, which pydantic would take for seconds since 1970."""
    if isinstance(given, str) and given.lstrip("+-").replace(".", "").isdigit():
        raise ValueError("a time is written as RFC 3339, as 2026-10-06T13:40:19Z")
    return given


InstantQuery = Annotated[
    Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(within_times)] | None,
    Query(description="RFC 3339 with its zone, as 2026-10-06T13:40:19Z"),
]


def as_ms(at: datetime | None) -> UnixMs | None:
    """A query's time in milliseconds; None where it was left out."""
    return None if at is None else milliseconds(at)


def words(given: str | None, kind: type[Word], name: str) -> frozenset[Word]:
    """Words joined by commas; empty means all.

    Raises:
        InvalidRequest: One of them is none of the kind.
    """
    if not given:
        return frozenset()
    try:
        return frozenset(kind(part.strip()) for part in given.split(","))
    except ValueError as error:
        known = ", ".join(word.value for word in kind)
        raise InvalidRequest(
            f"{name}={given[:60]!r}: {error}; known are {known}",
            errors=[{"loc": ["query", name], "msg": "unknown word", "type": "enum"}],
        ) from error
