"""One thing that was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked at. `ok` is None for something to know that need not be mended."""

    what: str
    ok: bool | None
    text: str


def guarded(what: str, check: Callable[[], Finding]) -> Iterator[Finding]:
    """A check's finding; a check that fails is a finding too."""
    try:
        yield check()
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever is wrong
        yield Finding(what, False, f"{error}")
