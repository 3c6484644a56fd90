"""Values filled as their open twins are what dataclasses make, and as frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from dispatch.changed import changed, quickly_made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    number: int
    name: str = "none"
    marks: Mapping[str, int] = field(default_factory=dict)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class _Quick:
    number: int
    name: str = "none"
    marks: Mapping[str, int] = field(default_factory=dict)


def _fields(value: _Plain | _Quick) -> tuple[object, ...]:
    return value.number, value.name, value.marks


def test_a_quickly_made_value_has_the_fields_that_a_dataclass_gives_it() -> None:
    marks = {"a": 1}
    assert _fields(_Quick(number=1)) == _fields(_Plain(number=1)) == (1, "none", {})
    assert _fields(_Quick(number=1, name="x", marks=marks)) == (1, "x", marks)
    assert type(_Quick(number=1)) is _Quick
    assert repr(_Quick(number=1)) == "_Quick(number=1, name='none', marks={})"
    assert _Quick(number=1) == _Quick(number=1) != _Quick(number=2)


def test_a_default_made_by_a_factory_is_nobody_elses() -> None:
    assert _Quick(number=1).marks is not _Quick(number=1).marks


def test_a_quickly_made_value_is_frozen() -> None:
    value = _Quick(number=1)
    # A frozen dataclass with slots refuses with one of two errors, by the name's being a field.
    with pytest.raises(FrozenInstanceError):
        value.number = 2  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        value.colour = "blue"  # type: ignore[attr-defined]
    assert value.number == 1


def test_fields_must_be_given_and_known() -> None:
    with pytest.raises(TypeError, match="number"):
        _Quick(name="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        _Quick(number=1, colour="blue")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        _Quick(1)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [_Plain(number=1), _Quick(number=1)])
def test_a_changed_copy_is_that_of_replace_and_leaves_the_first_alone(
    value: _Plain | _Quick,
) -> None:
    copy = changed(value, name="x")
    assert copy == replace(value, name="x")
    assert type(copy) is type(value)
    assert value.name == "none"
    assert copy.marks is value.marks
    with pytest.raises(FrozenInstanceError):
        copy.number = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="colour"):
        changed(value, colour="blue")  # type: ignore[call-arg]
