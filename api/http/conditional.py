"""Versions as strong ETags, and If-Match as the guard of a human's change."""

from __future__ import annotations

import re

from starlette.requests import Request

from api.errors import PreconditionRequired

NO_VERSION = -1
"""Stands for a tag that no resource ever had."""

_VERSION_TAG = re.compile(r'"?(\d{1,15})"?')


def version_tag(version: int) -> str:
    """The strong ETag of a resource's version."""
    return f'"{version}"'


def if_match(request: Request) -> int | None:
    """The version that the client has seen; None without If-Match or with `*`.

    A tag that is none of ours is a version that never was, so that it matches nothing.
    """
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    found = _VERSION_TAG.fullmatch(header.strip())
    return NO_VERSION if found is None else int(found.group(1))


def required_if_match(request: Request) -> int | None:
    """As `if_match`, but the header must be there.

    Raises:
        PreconditionRequired: Without If-Match.
    """
    if "if-match" not in request.headers:
        raise PreconditionRequired(
            "this changes what somebody else may have changed meanwhile; read it first and send"
            " the ETag that comes with it as If-Match, quotes and all"
        )
    return if_match(request)


def unchanged(request: Request, tag: str) -> bool:
    """Whether the client's If-None-Match already names this tag."""
    header = request.headers.get("if-none-match")
    if header is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in header.split(",")]
    return tag.removeprefix("W/") in tags or tags == ["*"]
