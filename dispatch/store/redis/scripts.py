"""The Lua scripts: each runs as a whole, and nothing else runs on the server meanwhile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).with_name("lua")


@dataclass(frozen=True, slots=True)
class Script:
    """A script.

    Attributes:
        text: Its text.
        sha: The digest that the server knows it by.
        keys: Which of an area's keys it gets, in their order.
    """

    text: str
    sha: str
    keys: tuple[str, ...]


def _script(name: str, *keys: str, fenced: bool = False, writes: bool = True) -> Script:
    # Without flags a script is refused before it begins when memory is short, never half-way.
    parts = ["#!lua" if writes else "#!lua flags=no-writes"]
    if fenced:
        parts.append((_FOLDER / "fence.lua").read_text(encoding="utf-8"))
    parts.append((_FOLDER / f"{name}.lua").read_text(encoding="utf-8"))
    text = "\n".join(parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), keys)


APPEND = _script(
    "append",
    "meta",
    "events",
    "commands",
    "command-times",
    "batches",
    "versions",
    "closed",
    "closed-columns",
    "closed-times",
    "closed-assignments",
    fenced=True,
)
TAKE_LEAD = _script("take_lead", "meta", "leader", "events", "batches")
RENEW = _script("renew", "meta", "leader", fenced=True)
RESIGN = _script("resign", "meta", "leader")
FORGET_COMMANDS = _script("forget_commands", "meta", "commands", "command-times", fenced=True)
SAVE_SNAPSHOT = _script("save_snapshot", "meta", "snapshots", fenced=True)
PROBE = _script("probe", "meta", "probe", fenced=True)
LIST_CLOSED = _script("list_closed", "closed-times", "closed-columns", "closed", writes=False)
