"""Sessions of browsers: a token shown once, and from then on a cookie that no page can read.

Kept in memory, by the SHA-256 of their ids: a restart of the service ends them all. A session is
never more than its token: what is revoked ends with all its sessions.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from api.clock import now_ms
from api.errors import NotReady
from api.settings import SessionRules
from api.tokens import Caller, TokenBook
from dispatch.words import UnixMs

ID_BYTES = 32
PER_TOKEN_MAX = 20
"""Sessions of one token; the oldest ends when another is opened (ASSUMPTION: the screens of a hall
that share one). So nobody who has a token can take the room of all others."""


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One signed-in browser.

    Attributes:
        caller: Who signed in.
        key: SHA-256 of its id.
        opened_s: When it was opened, by the monotonic clock.
        seen_s: When something last came from it, likewise.
        expires_at_ms: When it ends at the latest.
    """

    caller: Caller
    key: bytes
    opened_s: float
    seen_s: float
    expires_at_ms: UnixMs


class SessionBook:
    """The open sessions of one service."""

    def __init__(
        self,
        tokens: TokenBook,
        rules: SessionRules,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without any."""
        self.rules = rules
        self._tokens = tokens
        self._monotonic_s = monotonic_s
        self._open: dict[bytes, Session] = {}

    def open(self, caller: Caller) -> tuple[str, Session]:
        """Opens a session for a caller whose token was seen.

        Returns:
            Its id, for the cookie alone, and the session.

        Raises:
            NotReady: As many are open as may be.
        """
        self._drop_ended()
        own = [one for one in self._open.values() if one.caller.token_id == caller.token_id]
        if len(own) >= PER_TOKEN_MAX:
            self.end(own[0])
        if len(self._open) >= self.rules.open_max:
            raise NotReady(
                f"{len(self._open)} sessions are open, which is the bound ([sessions] open_max);"
                " sign out elsewhere, or wait until one has run out",
                retry_after_s=60,
            )
        session_id, now_s = secrets.token_urlsafe(ID_BYTES), self._monotonic_s()
        session = Session(
            caller=caller,
            key=_key_of(session_id),
            opened_s=now_s,
            seen_s=now_s,
            expires_at_ms=UnixMs(now_ms() + round(self.rules.absolute_s * 1000)),
        )
        self._open[session.key] = session
        return session_id, session

    def find(self, session_id: str) -> Session | None:
        """The session of this id, which counts as used now; None when there is none any more."""
        session = self._open.get(_key_of(session_id))
        return session if session is not None and self.holds(session) else None

    def holds(self, session: Session) -> bool:
        """Whether a session goes on; an open stream asks this, and so keeps it from idling."""
        if session.key not in self._open:
            return False
        if self._has_run_out(session) or not self._tokens.holds(session.caller):
            self.end(session)
            return False
        session.seen_s = self._monotonic_s()
        return True

    def end(self, session: Session) -> None:
        """Ends a session; its streams end within a second."""
        self._open.pop(session.key, None)

    def _has_run_out(self, session: Session) -> bool:
        now_s = self._monotonic_s()
        too_old = now_s - session.opened_s >= self.rules.absolute_s
        return too_old or now_s - session.seen_s >= self.rules.idle_s

    def _drop_ended(self) -> None:
        for session in list(self._open.values()):
            if self._has_run_out(session) or not self._tokens.holds(session.caller):
                self.end(session)


def _key_of(session_id: str) -> bytes:
    return sha256(session_id.encode("utf-8", "surrogateescape")).digest()
