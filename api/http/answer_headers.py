"""Headers that make answers safe in a browser: added to all, so that no route can forget them."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

PAGE_POLICY = (
    b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none';"
    b" frame-ancestors 'none'"
)
"""For a page that brings no policy of its own: our files only, no inline script, no inline style,
and no frame around it."""

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_PAGE: tuple[Header, ...] = ((b"x-frame-options", b"DENY"),)
_PAGE_WITH_POLICY: tuple[Header, ...] = (*_PAGE, (b"content-security-policy", PAGE_POLICY))
_NOT_KEPT: tuple[Header, ...] = ((b"cache-control", b"no-store"),)
"""Incidents, units and people: not for the disk of a shared desk. ETags hold all the same, for
clients that keep what they were given themselves."""

_JSON = (b"application/json", b"application/problem+json")


def headers_by_kind(headers: Iterable[Header]) -> tuple[Header, ...]:
    """What an answer needs beside the headers that it brings."""
    kind, has_policy, says_how_long = b"", False, False
    for name, value in headers:
        if name == b"content-type":
            kind = value
        elif name == b"cache-control":
            says_how_long = True
        elif name == b"content-security-policy":
            has_policy = True
    if kind.startswith(_JSON):
        return () if says_how_long else _NOT_KEPT
    if kind.startswith(b"text/html"):
        return _PAGE if has_policy else _PAGE_WITH_POLICY
    return ()
