"""The callers as the service reaches them: off the event loop, bounded, and never in the way.

An incident is not lost, and not held up for long, because of a telephone number: what does not
answer in time, or cannot be opened, is an error that its caller turns into words.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_bytes
from typing import TypeVar

import structlog

from api.callers.caller_file import NONE_GIVEN, NONE_HERE, CalledAbout, CallerFile, Reader
from api.callers.caller_tables import CALLERS_FILE
from api.callers.digest_key import DIGEST_KEY_BYTES, digest_key_in
from api.callers.sealing import CallerDetails
from api.clock import now_ms
from api.errors import CallersUnavailable
from api.settings import CallerRules
from dispatch.words import UnixMs

WAIT_MAX_S = 2.0
"""How long an answer waits for the callers' files (ASSUMPTION: longer, and the disk is sick)."""

PENDING_MAX = 200
"""Most calls on the files at once; one takes some milliseconds."""

CLOSE_MAX_S = 2.0
"""How long a service that ends waits for what is under way on the callers' files."""

SWEEP_EVERY_S = 3600.0
DAY_MS = 86_400_000

Found = TypeVar("Found")


class CallerBook:
    """Callers of one service; one thread of its own works on the files, opened at first need."""

    def __init__(self, folder: Path, rules: CallerRules, *, shared_log: bool = False) -> None:
        """Takes note; nothing is opened yet, so that a service without callers pays nothing.

        Args:
            folder: Holds the files.
            rules: How long callers are kept.
            shared_log: Whether workers with other folders may take calls for the same log.
        """
        self._folder = folder
        self._rules = rules
        self._why_none = NONE_HERE if shared_log else NONE_GIVEN
        self._file: CallerFile | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="callers")
        self._pending = 0
        self._closed = False
        self._given_up = False
        self._log = structlog.get_logger("callers")
        self._digest_key: bytes | None = None

    @property
    def kept_days(self) -> int:
        """Days that a caller is kept; 0 is not at all."""
        return self._rules.kept_days

    async def digest_key(self) -> bytes:
        """The secret under which bodies that name a caller are told apart, see `digest_key_in`.

        Where it cannot be had, one of this run: a call is taken all the same.
        """
        if self._digest_key is None:
            try:
                key = await asyncio.to_thread(digest_key_in, self._folder)
            except (OSError, ValueError) as error:
                key = token_bytes(DIGEST_KEY_BYTES)
                self._log.error("digest_key_not_kept", why=str(error))
            # Another call may have been first; all use the same.
            self._digest_key = self._digest_key or key
        return self._digest_key

    async def keep(self, about: CalledAbout, details: CallerDetails) -> bool:
        """Seals a caller, durable when it returns; False where it was forgotten meanwhile.

        Raises:
            CallersUnavailable: The files cannot be written now, or do not answer in time.
        """
        return await self._work(lambda file: file.keep(about, details, at_ms=now_ms()))

    async def read(self, about: CalledAbout, *, actor: str, token_id: str) -> CallerDetails:
        """Gives a caller out; who reads it is on the disk before.

        Raises:
            CallerNotKept: There is none, or none any more.
            CallersUnavailable: The reading cannot be recorded now, so that nothing is given out.
        """
        reader = Reader(actor=actor, token_id=token_id, at_ms=now_ms())
        return await self._work(lambda file: file.read(about, reader))

    async def sweep(self, open_incidents: Collection[str]) -> int:
        """Forgets callers whose time is over; says how many in the log, and here.

        Args:
            open_incidents: Their callers stay, unless none are kept at all.

        Raises:
            CallersUnavailable: The files cannot be written now.
        """
        if not (self._folder / CALLERS_FILE).exists():
            return 0
        at_ms, rules = now_ms(), self._rules
        before_ms = UnixMs(at_ms - rules.kept_days * DAY_MS)
        reads_before_ms = UnixMs(at_ms - rules.reads_kept_days * DAY_MS)
        staying = open_incidents if rules.kept_days else ()
        forgotten = await self._work(
            lambda file: file.forget_older(
                before_ms, but=staying, reads_before_ms=reads_before_ms, at_ms=at_ms
            )
        )
        if forgotten:
            self._log.info("callers_forgotten", count=forgotten, after_days=rules.kept_days)
        return forgotten

    async def keep_sweeping(self, open_incidents: Callable[[], Collection[str]]) -> None:
        """Sweeps now and each hour, until cancelled."""
        while True:
            try:
                await self.sweep(frozenset(open_incidents()))
            except CallersUnavailable as error:
                self._log.error("callers_not_forgotten", why=str(error))
            await asyncio.sleep(SWEEP_EVERY_S)

    async def close(self) -> None:
        """Finishes what is under way, within `CLOSE_MAX_S`, and lets go of the files.

        On a sick disk the rest is refused to whoever still waits for it, and the files are let go
        of behind the back of whoever closes. Harmless when done twice.
        """
        if self._closed:
            return
        self._closed = True
        # Its own thread does it, behind all that was asked before.
        letting_go = asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)
        done, _ = await asyncio.wait({letting_go}, timeout=CLOSE_MAX_S)
        if not done:
            self._given_up = True
            self._log.error("callers_not_finished", waiting=self._pending, after_s=CLOSE_MAX_S)

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _work(self, work: Callable[[CallerFile], Found]) -> Found:
        if self._closed:
            raise CallersUnavailable("the service is ending")
        if self._pending >= PENDING_MAX:
            raise CallersUnavailable(f"{PENDING_MAX} calls wait for the callers' files already")
        self._pending += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._on_file, work)
        future.add_done_callback(self._worked)
        try:
            # Shielded: what was begun is finished, also when nobody waits for it any more.
            return await asyncio.wait_for(asyncio.shield(future), WAIT_MAX_S)
        except TimeoutError as error:
            raise CallersUnavailable(
                f"{self._folder / CALLERS_FILE} did not answer within {WAIT_MAX_S:g} s; look at"
                " the disk"
            ) from error

    def _worked(self, future: asyncio.Future[Found]) -> None:
        self._pending -= 1
        if not future.cancelled():
            # Looked at, so that one nobody waits for any more is not told of as forgotten.
            future.exception()

    def _on_file(self, work: Callable[[CallerFile], Found]) -> Found:
        if self._given_up:
            raise CallersUnavailable("the service is ending, and the callers' files are too slow")
        try:
            if self._file is None:
                self._file = CallerFile(self._folder, why_none=self._why_none)
            return work(self._file)
        except (sqlite3.Error, OSError, ValueError) as error:
            # Opened anew at the next call: the disk may be mended by then.
            self._let_go()
            raise CallersUnavailable(
                f"{self._folder / CALLERS_FILE} cannot be used ({error}); look at the disk and the"
                " rights on it, or put a damaged one aside"
            ) from error
