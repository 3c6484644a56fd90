"""Commands with a key are carried out once: repeated ones get the first answer again."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.changed import quickly_made
from dispatch.errors import CommandInProgress, CommandReused
from dispatch.store import Store, StoredCommand, StoredReply
from dispatch.words import UnixMs


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class CommandKey:
    """What identifies a command.

    Attributes:
        token_id: Whose key it is; callers cannot see each other's.
        key: The caller's Idempotency-Key.
        body_sha256: Digest of method, path and body.
    """

    token_id: str
    key: str
    body_sha256: bytes

    @property
    def stored(self) -> str:
        """The key under which the store knows it."""
        return f"{self.token_id}:{self.key}"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a command.

    Attributes:
        status: HTTP status.
        body: Bytes of the answer.
        headers: Headers that belong to it, as `ETag`.
        replayed: True where the command had been carried out before.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    replayed: bool = False


def as_reply(stored: StoredReply, *, replayed: bool = False) -> Reply:
    """A stored answer, as it goes out."""
    return Reply(status=stored.status, body=stored.body, headers=stored.headers, replayed=replayed)


class Commands:
    """The commands that are being worked on, and those in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_progress: set[str] = set()

    async def begin(self, command: CommandKey) -> Reply | None:
        """Begin a command; the old answer where it was carried out before.

        Whoever gets None carries it out and calls `end`.

        Raises:
            CommandReused: the key was used for another body.
            CommandInProgress: it is being carried out right now.
            StoreUnavailable: the store cannot be read.
        """
        key = command.stored
        if key in self._in_progress:
            raise CommandInProgress(command.key)
        # Taken before the store is asked, so that two at once cannot both find nothing.
        self._in_progress.add(key)
        reply: Reply | None = None
        try:
            reply = await self.known(command)
        except BaseException:
            self._in_progress.discard(key)
            raise
        if reply is not None:
            self._in_progress.discard(key)
        return reply

    def end(self, command: CommandKey) -> None:
        """The command is in the store, or has failed and may be tried again."""
        self._in_progress.discard(command.stored)

    async def known(self, command: CommandKey) -> Reply | None:
        """The answer in the store.

        Raises:
            CommandReused: the key was used for another body.
        """
        stored = await self._store.command(command.stored)
        if stored is None:
            return None
        if stored.body_sha256 != command.body_sha256:
            raise CommandReused(command.key)
        return as_reply(stored.reply, replayed=True)


def to_store(command: CommandKey, reply: StoredReply, at_ms: UnixMs) -> StoredCommand:
    """A command with its answer, as the store keeps it."""
    return StoredCommand(
        key=command.stored, body_sha256=command.body_sha256, at_ms=at_ms, reply=reply
    )
