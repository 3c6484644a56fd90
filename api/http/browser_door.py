"""How a browser comes in: its cookie, the origin it must come from, and the address it has.

A cookie goes along with whatever a page asks for, whoever made the page. So a change that comes
with one must name our own origin in `Origin`, which no page can forge, and carry a header of its
own, which a page of another origin cannot send without asking us first: and we never say yes.
"""

from __future__ import annotations

from starlette.requests import Request

from api.errors import CrossSite
from api.sessions import Session, SessionBook

COOKIE = "kuaijing_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Over TLS; the prefix makes browsers refuse one that another host, or plain HTTP, has set."""

REQUESTED_WITH = "kuaijing"
READING = frozenset({"GET", "HEAD"})
OTHER_PAGES = frozenset({"cross-site", "same-site"})
"""In `Sec-Fetch-Site`, which browsers set themselves where the address is a trustworthy one."""


class BrowserDoor:
    """Sessions as requests carry them."""

    def __init__(self, sessions: SessionBook, *, behind_proxy: bool) -> None:
        """Take the sessions.

        Args:
            sessions: The open ones.
            behind_proxy: Whether a proxy's word counts for scheme and address. Without it anybody
                could write those headers.
        """
        self._sessions = sessions
        self._behind_proxy = behind_proxy

    def session_of(self, request: Request) -> Session | None:
        """The session whose cookie came with a request; None without, or when it has ended."""
        session_id = request.cookies.get(self._cookie_name(request))
        return None if not session_id else self._sessions.find(session_id)

    def has_cookie(self, request: Request) -> bool:
        """Whether a session's cookie came along, one that has ended too."""
        return self._cookie_name(request) in request.cookies

    def check_page(self, request: Request) -> None:
        """Makes sure that another page does not ask with our cookie, for reading neither.

        It could not see the answer; but to read who called leaves a record under a person's name.

        Raises:
            CrossSite: The browser says so, or a change lacks what `check_origin` wants.
        """
        if request.headers.get("sec-fetch-site") in OTHER_PAGES:
            raise CrossSite(
                "a page of another origin asked with a session's cookie: use the service's own"
                " pages, or a token in Authorization"
            )
        if request.method not in READING:
            self.check_origin(request)

    def check_origin(self, request: Request) -> None:
        """Makes sure that a change was asked for by a page of ours.

        Raises:
            CrossSite: It names another origin or none, or lacks the header.
        """
        own, given = self._own_origin(request), request.headers.get("origin")
        if given is None or given.lower() != own:
            shown = "none" if given is None else repr(given[:80])
            raise CrossSite(
                f"Origin is {shown}, and a change with a session's cookie needs {own!r}: send it"
                " from the service's own pages, or with a token in Authorization. A proxy in front"
                " must pass Host on, set X-Forwarded-Proto, and serve needs --behind-proxy"
            )
        if request.headers.get("x-requested-with") != REQUESTED_WITH:
            raise CrossSite(
                "a change with a session's cookie needs the header X-Requested-With:"
                f" {REQUESTED_WITH}"
            )

    def cookie(self, request: Request, session_id: str, *, max_age_s: int) -> str:
        """A Set-Cookie header; an empty id takes the cookie away."""
        secure = "; Secure" if self._is_secure(request) else ""
        return (
            f"{self._cookie_name(request)}={session_id}; Path=/; Max-Age={max_age_s}; HttpOnly;"
            f" SameSite=Strict{secure}"
        )

    def address(self, request: Request) -> str:
        """Who knocks: the peer's address, or the one that the proxy in front names."""
        if self._behind_proxy:
            forwarded = _last(request.headers.get("x-forwarded-for", ""))
            if forwarded:
                return forwarded[:64]
        return "" if request.client is None else request.client.host

    def _cookie_name(self, request: Request) -> str:
        return SECURE_COOKIE if self._is_secure(request) else COOKIE

    def _own_origin(self, request: Request) -> str:
        scheme = "https" if self._is_secure(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}".lower()

    def _is_secure(self, request: Request) -> bool:
        if self._behind_proxy:
            forwarded = _last(request.headers.get("x-forwarded-proto", ""))
            if forwarded:
                return forwarded.lower() == "https"
        return bool(request.scope["scheme"] == "https")


def _last(listed: str) -> str:
    """The last of several values: the one that the nearest proxy wrote."""
    return listed.rpartition(",")[2].strip()
