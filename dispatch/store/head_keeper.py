"""Signs the log's end from time to time, beside the commits and never in their way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from dispatch.store.signed_heads import KEY_NAME, HeadKey, append_head, sign_head
from dispatch.words import UnixMs

EVERY_EVENTS = 1_000
EVERY_S = 60.0
"""A head is signed after so many events, or so long after the first that has none."""

WRITE_MAX_S = 1.0
"""How long the end waits for a write: the folder may lie on another machine that hangs."""

_log = logging.getLogger(__name__)


class HeadKeeper:
    """Writes signed heads of one log; used from the event loop."""

    def __init__(
        self,
        folder: Path,
        heads_dir: Path,
        end: Callable[[], tuple[int, bytes]],
        *,
        sign: bool = True,
    ) -> None:
        """Take up the key, made at the first start.

        Without a key or a folder for the heads the service goes on, warned: they are a proof for
        later, and an incident must not wait for one.

        Args:
            folder: The data folder, for the key.
            heads_dir: Where heads go.
            end: The log's last event and the chain after it.
            sign: False for somebody who only looks: no key is made and nothing written.
        """
        self._heads_dir = heads_dir
        self._end = end
        # What was signed before a crash is not looked up: one head too many does no harm.
        self._signed = 0
        self._stopping = not sign
        self._finished = not sign
        self._due: asyncio.TimerHandle | None = None
        self._writing: Thread | None = None
        self._key: HeadKey | None = None
        path = folder / KEY_NAME
        try:
            if sign and not path.exists() and end()[0]:
                _log.error(
                    "the log has %d events and its key %s is gone: a new one is made, and heads"
                    " signed before prove nothing any more; put the old one back from safe-keeping"
                    " if nobody took it away on purpose",
                    end()[0],
                    path,
                )
            if sign:
                self._key = HeadKey.read_or_make(path)
        except (OSError, ValueError) as error:
            _log.error("the log's heads are not signed: %s", error)

    def look(self) -> None:
        """After a commit: sign when it is time."""
        if self._stopping:
            return
        unsigned = self._end()[0] - self._signed
        if unsigned >= EVERY_EVENTS:
            self._sign_soon()
        elif unsigned and self._due is None:
            self._due = asyncio.get_running_loop().call_later(EVERY_S, self._sign_soon)

    def stop(self) -> None:
        """Sign no more by itself; `finish` signs the end."""
        self._stopping = True
        self._drop_timer()

    def finish(self) -> None:
        """Sign the end once more; blocks for `WRITE_MAX_S` twice at most. Once is enough."""
        if self._finished:
            return
        self._finished = True
        if self._end()[0] > 0 and self._is_free(WRITE_MAX_S):
            self._write(*self._end(), "close")
        if not self._is_free(WRITE_MAX_S):
            _log.error("the last head of the log could not be written: %s hangs", self._heads_dir)

    def _drop_timer(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _sign_soon(self) -> None:
        self._drop_timer()
        # While one write is under way none is begun: a folder that hangs must not gather more.
        if self._is_free():
            seq, chain = self._end()
            self._signed = seq
            self._write(seq, chain, "interval")

    def _is_free(self, wait_s: float = 0.0) -> bool:
        if self._writing is not None:
            self._writing.join(wait_s)
        return self._writing is None or not self._writing.is_alive()

    def _write(self, seq: int, chain: bytes, why: str) -> None:
        # A daemon: the process must be able to end while the folder hangs.
        self._writing = Thread(target=self._sign, args=(seq, chain, why), name="heads", daemon=True)
        self._writing.start()

    def _sign(self, seq: int, chain: bytes, why: str) -> None:
        if self._key is None:
            return
        at_ms = UnixMs(time.time_ns() // 1_000_000)
        try:
            append_head(self._heads_dir, sign_head(self._key, seq, chain, at_ms=at_ms, why=why))
        except OSError as error:
            _log.error("head %d of the log could not be written: %s", seq, error)
