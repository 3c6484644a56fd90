"""Sessions of browsers: a token shown once, and from then on a cookie that no page can read.

DIR/sessions.json holds the SHA-256 of each session's id, never the id, so that all processes of a
service know the same ones, and a restart signs nobody out. Each looks at the file's time stamp when
it is asked. A session is never more than its token: what is revoked ends with all its sessions.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from api.clock import now_ms
from api.errors import NotReady
from api.settings import SessionRules
from api.tokens import Caller, TokenBook
from dispatch.words import UnixMs

SESSION_FILE = "sessions.json"
ID_BYTES = 32
PER_TOKEN_MAX = 20
"""Sessions of one token; the oldest ends when another is opened (ASSUMPTION: the screens of a hall
that share one). So nobody who has a token can take the room of all others."""

NOTED_PARTS = 10
"""That a session is used is written down once in so many parts of its idle time."""

LOCK_WITHIN_S = 0.1
"""Longest wait for another process that changes sessions, in which the event loop stands still: it
may sleep, or its disk be sick. That a session is used waits for nobody."""

LOCK_LOOK_S = 0.005

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser.

    Attributes:
        key: SHA-256 of its id, hexadecimal.
        caller: Who signed in.
        opened_ms: When.
        seen_ms: When something last came from it, as far as that is written down.
    """

    key: str
    caller: Caller
    opened_ms: UnixMs
    seen_ms: UnixMs


class SessionBook:
    """The open sessions of one service's folder."""

    def __init__(
        self,
        folder: Path,
        tokens: TokenBook,
        rules: SessionRules,
        *,
        clock_ms: Callable[[], UnixMs] = now_ms,
    ) -> None:
        """Take note of the folder; the file is read when somebody asks."""
        self.rules = rules
        self._path = folder / SESSION_FILE
        self._tokens = tokens
        self._clock_ms = clock_ms
        self._stamp: tuple[int, int, int] | None = None
        self._open: dict[str, Session] = {}

    def expires_at_ms(self, session: Session) -> UnixMs:
        """When a session ends at the latest."""
        return UnixMs(session.opened_ms + round(self.rules.absolute_s * 1000))

    def open(self, caller: Caller) -> tuple[str, Session]:
        """Opens a session for a caller whose token was seen.

        Returns:
            Its id, for the cookie alone, and the session.

        Raises:
            NotReady: As many are open as may be, or the file cannot be written.
        """
        session_id, at_ms = secrets.token_urlsafe(ID_BYTES), self._clock_ms()
        session = Session(key=_key_of(session_id), caller=caller, opened_ms=at_ms, seen_ms=at_ms)
        with self._changing() as sessions:
            for one in [one for one in sessions.values() if not self._goes_on(one)]:
                del sessions[one.key]
            own = [one for one in sessions.values() if one.caller.token_id == caller.token_id]
            if len(own) >= PER_TOKEN_MAX:
                # They stand in the order in which they were opened.
                del sessions[own[0].key]
            if len(sessions) >= self.rules.open_max:
                raise NotReady(
                    f"{len(sessions)} sessions are open, which is the bound ([sessions] open_max);"
                    " sign out elsewhere, or wait until one has run out",
                    retry_after_s=60,
                )
            sessions[session.key] = session
        return session_id, session

    def find(self, session_id: str) -> Session | None:
        """The session of this id, which counts as used now; None when there is none any more."""
        self._look()
        session = self._open.get(_key_of(session_id))
        return session if session is not None and self.holds(session) else None

    def holds(self, session: Session) -> bool:
        """Whether a session goes on; an open stream asks this, and so keeps it from idling."""
        self._look()
        current = self._open.get(session.key)
        if current is None or not self._goes_on(current):
            return False
        at_ms = self._clock_ms()
        if (at_ms - current.seen_ms) * NOTED_PARTS >= self.rules.idle_s * 1000:
            self._note_use(current, at_ms)
        return True

    def end(self, session: Session) -> None:
        """Ends a session; its streams end within a second.

        Raises:
            NotReady: The file cannot be written.
        """
        with self._changing() as sessions:
            sessions.pop(session.key, None)

    def _goes_on(self, session: Session) -> bool:
        at_ms = self._clock_ms()
        in_time = at_ms < self.expires_at_ms(session)
        in_use = at_ms - session.seen_ms < self.rules.idle_s * 1000
        return in_time and in_use and self._tokens.holds(session.caller)

    def _note_use(self, session: Session, at_ms: UnixMs) -> None:
        try:
            with self._changing(synced=False, within_s=0) as sessions:
                if session.key in sessions:
                    sessions[session.key] = replace(session, seen_ms=at_ms)
        except NotReady as error:
            _log.warning("%s; sessions in use may end as idle ones", error)

    @contextmanager
    def _changing(
        self, *, synced: bool = True, within_s: float = LOCK_WITHIN_S
    ) -> Iterator[dict[str, Session]]:
        """The sessions as they are now, and written back; one process at a time."""
        try:
            with self._path.with_suffix(".lock").open("a") as lock:
                _take(lock, within_s)
                self._refresh()
                changed = dict(self._open)
                yield changed
                self._write(changed, synced=synced)
        except OSError as error:
            raise NotReady(
                f"{self._path} cannot be written ({error.strerror}); look at the disk, or send the"
                " token in Authorization"
            ) from error

    def _look(self) -> None:
        """As `_refresh`; those that are known go on while the file cannot be read."""
        try:
            self._refresh()
        except OSError as error:
            _log.warning("%s cannot be read (%s): sessions known before go on", self._path, error)

    def _refresh(self) -> None:
        """Reads the file again if it was replaced; costs one stat otherwise."""
        try:
            stat = os.stat(self._path)  # noqa: PTH116  # a Path method costs twice the time here
        except FileNotFoundError:
            self._stamp, self._open = None, {}
            return
        stamp = stat.st_ino, stat.st_mtime_ns, stat.st_size
        if stamp != self._stamp:
            self._open = self._read()
            self._stamp = stamp

    def _read(self) -> dict[str, Session]:
        text = self._path.read_bytes()
        try:
            found = [self._session_of(row) for row in json.loads(text)["sessions"]]
        except (ValueError, KeyError, TypeError) as error:
            _log.error("%s is damaged (%s): everybody signs in anew", self._path, error)
            return {}
        return {one.key: one for one in found if one is not None}

    def _session_of(self, row: dict[str, str | int]) -> Session | None:
        """A session of the file; None where its token does not hold any more."""
        caller = self._tokens.holder(str(row["token_id"]))
        if caller is None:
            return None
        opened_ms, seen_ms = (UnixMs(int(row[name])) for name in ("opened_ms", "seen_ms"))
        return Session(key=str(row["key"]), caller=caller, opened_ms=opened_ms, seen_ms=seen_ms)

    def _write(self, sessions: dict[str, Session], *, synced: bool) -> None:
        rows = [
            {
                "key": one.key,
                "token_id": one.caller.token_id,
                "opened_ms": one.opened_ms,
                "seen_ms": one.seen_ms,
            }
            for one in sessions.values()
        ]
        draft = self._path.with_suffix(".json.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps({"sessions": rows}) + "\n")
            file.flush()
            if synced:
                os.fsync(file.fileno())
        draft.replace(self._path)
        self._refresh()


def _take(lock: TextIO, within_s: float) -> None:
    """Locks a file.

    Raises:
        BlockingIOError: Another process holds it for longer.
    """
    until_s = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise
            time.sleep(LOCK_LOOK_S)
        else:
            return


def _key_of(session_id: str) -> str:
    return sha256(session_id.encode("utf-8", "surrogateescape")).hexdigest()
