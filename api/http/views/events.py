"""How an event of the log is shown on the feeds: the same bytes for every client.

`{"seq", "type", "at", "recorded_at", "actor", ...}`: the event's own fields follow, with times as
RFC 3339 (`eta_at_ms` becomes `eta_at`) and everything else as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

from api.http.views.assignments import assignment_view
from api.http.views.incidents import incident_view
from api.http.views.plain import Instant, encode, rfc3339
from dispatch.events import KIND_NAMES, IncidentReopened, Recorded

_MS = "_ms"
_UNSHOWN = frozenset({"arcs", "start_offset_m", "end_offset_m", "stretches"})
"""Roads in the numbering of one network, or drawn one by one: they are shown where the assignment
or the closure is read."""


_Names: TypeAlias = tuple[tuple[str, str, bool], ...]
_NAMES: dict[type[Any], _Names] = {}


class FeedEventView(Struct):
    """One event; further fields depend on `type`."""

    seq: Annotated[int, Meta(ge=1)]
    type: str
    at: Instant
    recorded_at: Instant
    actor: str


class FeedPage(Struct):
    """Events in order; go on with `after=<last_seq>`."""

    items: list[FeedEventView]
    last_seq: int


def feed_body(recorded: Recorded) -> bytes:
    """The bytes that feeds send for an event."""
    event = recorded.event
    body: dict[str, Any] = {
        "seq": recorded.seq,
        "type": KIND_NAMES[type(event)],
        "at": rfc3339(event.at_ms),
        "recorded_at": rfc3339(recorded.recorded_at_ms),
        "actor": recorded.actor,
    }
    if isinstance(event, IncidentReopened):
        body["incident_id"] = event.incident_id
        body["reason"] = event.reason
        body["incident"] = incident_view(event.incident)
        body["assignments"] = [assignment_view(one, None) for one in event.assignments]
    else:
        for name, value in plain_fields(event).items():
            body.setdefault(name, value)
    return encode(body)


def plain_fields(value: Any) -> dict[str, Any]:
    """A dataclass' fields as plain values, times as RFC 3339."""
    shown: dict[str, Any] = {}
    for name, out, is_time in _names(type(value)):
        part = getattr(value, name)
        shown[out] = rfc3339(part) if is_time and part is not None else _plain(part)
    return shown


def _names(kind: type[Any]) -> _Names:
    """Field, name on the feed, and whether it is a time, of each shown field of a class."""
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(
            (field.name, field.name.removesuffix(_MS), field.name.endswith(_MS))
            for field in fields(kind)
            if field.name not in _UNSHOWN
        )
    return names


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value
