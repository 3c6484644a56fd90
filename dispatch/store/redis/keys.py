"""Names of an area's keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

AREA_FORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What an area may be called: its name stands in keys, between braces."""

FORMAT_VERSION = "1"
"""Version of the keys and what they hold; another one is refused, never guessed at."""


@dataclass(frozen=True, slots=True)
class AreaKeys:
    """The keys of one area, which lie in one hash slot.

    Attributes:
        area: The area's name.
    """

    area: str

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ValueError: it cannot stand in a key.
        """
        if AREA_FORM.fullmatch(self.area) is None:
            raise ValueError(
                f"{self.area!r} cannot be an area's name: up to 64 of a-z, 0-9, - and _ are meant"
            )

    def named(self, *names: str) -> tuple[str, ...]:
        """These keys in full."""
        return tuple(f"kuaijing:{{{self.area}}}:{name}" for name in names)
