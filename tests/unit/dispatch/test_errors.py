"""Each error says what happened with the value, and carries the ids concerned."""

from __future__ import annotations

import inspect
import re

import pytest

from dispatch import errors
from dispatch.errors import (
    CommandInProgress,
    CommandReused,
    CursorExpired,
    DispatchError,
    EventKindUnknown,
    LogDamaged,
    StoreLocked,
    StoreUnavailable,
    UnitTaken,
)

TREE = {
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DispatchError)
}


def test_the_tree_at_the_top_names_every_error_and_its_parent() -> None:
    assert errors.__doc__ is not None
    drawn: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"^([│ ]*)(?:[├└]── )?([A-Z][A-Za-z]+)\b", line)
        if found and hasattr(errors, found.group(2)):
            depth = 0 if "──" not in line else len(found.group(1)) // 4 + 1
            drawn.append((depth, found.group(2)))
    assert {name for _, name in drawn} == {kind.__name__ for kind in TREE}
    parents: dict[int, str] = {}
    for depth, name in drawn:
        parents[depth] = name
        if depth:
            assert getattr(errors, name).__mro__[1].__name__ == parents[depth - 1], name


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UnitTaken("C1", holder="I000001", assignment_id="A000001"), "next best free: nobody"),
        (CommandReused("abc"), "'abc' was used for another body"),
        (CommandInProgress("abc"), "'abc' is in progress"),
        (CursorExpired(after=3, oldest=90), "the oldest is 90"),
        (StoreUnavailable("disk full"), "nothing was changed: disk full"),
        (StoreLocked("data"), "another service writes to 'data'"),
        (LogDamaged(7, why="torn"), "entry 7 of the log does not fit: torn"),
        (EventKindUnknown("ufo_seen"), "'ufo_seen' is not known"),
        (EventKindUnknown("ufo_seen", seq=4), "'ufo_seen' at entry 4"),
    ],
)
def test_messages_say_what_and_how_to_mend(error: DispatchError, text: str) -> None:
    assert text in str(error)
