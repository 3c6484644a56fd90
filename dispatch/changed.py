"""A changed copy of a frozen value, fast.

`dataclasses.replace` walks over the field objects of each value: 18 µs for an incident, several
times in each decision. Reading all fields in one call takes a third of that. The type checker sees
`dataclasses.replace`, so that names and types of the changes are checked as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:
    from dataclasses import fields
    from functools import cache
    from operator import attrgetter

    @cache
    def _reader(kind):
        names = tuple(field.name for field in fields(kind))
        return names, attrgetter(*names)

    def changed(value, /, **changes):
        """A copy of a frozen dataclass with these fields changed."""
        names, read = _reader(type(value))
        return type(value)(**(dict(zip(names, read(value), strict=True)) | changes))


__all__ = ["changed"]
