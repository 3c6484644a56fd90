"""Frozen values made and copied fast.

A frozen dataclass sets each field through `object.__setattr__` by name, and `dataclasses.replace`
reads them the same way: a copy of an incident takes 15 µs, a candidate 4 µs, dozens of times in
each decision. Here a value is filled while it belongs to its open twin, a class with the same
slots that may be written to, and only then becomes one of the frozen class: a third of the time or
less, and nobody ever sees it unfinished. The type checker sees `dataclasses.replace` and
the dataclass's own `__init__`, so names and types are checked as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

Value = TypeVar("Value")

if TYPE_CHECKING:
    from dataclasses import replace as changed

    def quickly_made(kind: type[Value]) -> type[Value]:
        """Gives a frozen dataclass with slots an `__init__` that fills it as its open twin.

        Its fields must be `kw_only`, and it must have no `__post_init__`.
        """
        return kind
else:
    from dataclasses import MISSING, fields
    from functools import cache

    def quickly_made(kind):
        """See above, where the type checker reads it."""
        slow = kind.__init__
        # Set the way past the frozen class's own `__setattr__`, which refuses.
        become = object.__dict__["__class__"].__set__
        names = {"become": become, "twin": _twin_of(kind), "frozen": kind, "absent": MISSING}
        arguments, fill = [], []
        for field in fields(kind):
            name = field.name
            if field.default_factory is not MISSING:
                names[f"make_{name}"] = field.default_factory
                arguments.append(f"{name}=absent")
                fill.append(f"self.{name} = make_{name}() if {name} is absent else {name}")
                continue
            if field.default is not MISSING:
                names[f"default_{name}"] = field.default
                arguments.append(f"{name}=default_{name}")
            else:
                arguments.append(name)
            fill.append(f"self.{name} = {name}")
        head = f"def __init__(self, *, {', '.join(arguments)}):"
        quick = _compiled(head, ["become(self, twin)", *fill, "self.__class__ = frozen"], names)
        quick.__qualname__, quick.__annotations__ = slow.__qualname__, slow.__annotations__
        kind.__init__ = quick
        return kind

    def changed(value, /, **changes):
        """A copy of a frozen dataclass with slots, with these fields changed."""
        kind = type(value)
        copy = _copier(kind)(value)
        for name, new in changes.items():
            try:
                setattr(copy, name, new)
            except AttributeError:
                raise TypeError(f"{kind.__name__} has no field {name!r}") from None
        copy.__class__ = kind
        return copy

    @cache
    def _twin_of(kind):
        """A class with the same slots that may be written to."""
        return type(f"Open{kind.__name__}", (), {"__slots__": tuple(f.name for f in fields(kind))})

    @cache
    def _copier(kind):
        """The function that copies a value of this class into its open twin."""
        fill = [f"copy.{one.name} = value.{one.name}" for one in fields(kind)]
        return _compiled(
            "def copy_of(value):",
            ["copy = twin()", *fill, "return copy"],
            {"twin": _twin_of(kind)},
        )

    def _compiled(head, lines, names):
        """A function of these lines, which knows these names.

        Written out field by field, each access is one the interpreter makes straight to a slot.
        """
        known = dict(names)
        exec("\n    ".join([head, *lines]), known)  # noqa: S102 - our own fields' names
        return known[head[4 : head.index("(")]]


__all__ = ["changed", "quickly_made"]
