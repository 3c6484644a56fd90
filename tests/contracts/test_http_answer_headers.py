"""What answers say to a browser: our files, no frame, no sniffing, nothing of people kept."""

from __future__ import annotations

import pytest

from api.http.answer_headers import PAGE_POLICY, headers_by_kind
from tests.contracts.http_town import HttpTown
from tests.contracts.test_http_permissions import ROUTES, ask

GETS = sorted(path for method, path in ROUTES if method == "GET")


@pytest.mark.parametrize("path", GETS)
def test_every_answer_is_safe_in_a_browser(open_town: HttpTown, path: str) -> None:
    reply = ask(open_town.client("admin"), "GET", path)
    headers = reply.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    kind = headers["content-type"]
    if kind in ("application/json", "application/problem+json"):
        assert headers["cache-control"] == "no-store"
    if not kind.startswith("text/html"):
        return
    policy = headers["content-security-policy"]
    directives = dict(one.strip().partition(" ")[::2] for one in policy.split(";"))
    assert directives["default-src"] == "'self'"
    assert "script-src" not in directives, "as default-src: our own files, nothing inline"
    assert "unsafe" not in policy
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["object-src"] == directives["form-action"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert "<script>" not in reply.text
    assert " onload=" not in reply.text


def test_the_docs_are_looked_at_above() -> None:
    assert "/docs" in GETS


def test_a_page_without_a_policy_gets_the_strict_one_and_keeps_its_own() -> None:
    page = (b"content-type", b"text/html; charset=utf-8")
    assert (b"content-security-policy", PAGE_POLICY) in headers_by_kind([page])
    assert b"unsafe" not in PAGE_POLICY
    own = (b"content-security-policy", b"default-src 'none'")
    assert headers_by_kind([page, own]) == ((b"x-frame-options", b"DENY"),)


def test_an_answer_that_says_how_long_it_holds_is_believed() -> None:
    json = (b"content-type", b"application/json")
    assert headers_by_kind([json]) == ((b"cache-control", b"no-store"),)
    assert headers_by_kind([json, (b"cache-control", b"max-age=60")]) == ()
    assert headers_by_kind([(b"content-type", b"application/geo+json")]) == ()
