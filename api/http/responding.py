"""Answers: bytes that were built once, with their ETag."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.http.conditional import unchanged, version_tag
from api.http.views.plain import encode

JSON = "application/json"
GEOJSON = "application/geo+json"


def answer(
    view: Any,
    *,
    status: int = 200,
    version: int | None = None,
    media: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A view as the body of an answer; with a version also its ETag."""
    all_headers = dict(headers or {})
    if version is not None:
        all_headers["etag"] = version_tag(version)
    return Response(encode(view), status, all_headers, media)


def answer_if_changed(request: Request, view: Any, *, version: int | None = None) -> Response:
    """As `answer` with an ETag, but 304 without a body when the client has it already.

    Args:
        request: May carry If-None-Match.
        view: What to show.
        version: The resource's version; without one the tag is the body's hash.
    """
    body = encode(view)
    tag = content_tag(body) if version is None else version_tag(version)
    if unchanged(request, tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, 200, {"etag": tag}, JSON)


def content_tag(body: bytes) -> str:
    """A strong ETag out of the content."""
    return f'"{sha256(body).hexdigest()[:24]}"'
