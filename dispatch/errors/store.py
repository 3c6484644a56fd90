"""What goes wrong with commands and the log; the tree stands at the top of `dispatch.errors`."""

from __future__ import annotations

from dispatch.errors.root import DispatchError


class CommandReused(DispatchError):
    """A command key was used before for another body.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the idempotency key {key!r} was used for another body: take a fresh key for each"
            " new command"
        )
        self.key = key


class CommandInProgress(DispatchError):
    """The same command is still being worked on.

    Attributes:
        key: The key.
        retry_after_s: When to ask again.
    """

    def __init__(self, key: str, *, retry_after_s: int = 1) -> None:
        super().__init__(f"the command with key {key!r} is in progress: ask again in a moment")
        self.key = key
        self.retry_after_s = retry_after_s


class CursorExpired(DispatchError):
    """A place in the log that is no longer kept.

    Attributes:
        after: The seq that was asked for.
        oldest: The first seq that is kept.
    """

    def __init__(self, *, after: int, oldest: int) -> None:
        super().__init__(
            f"events after {after} are no longer kept, the oldest is {oldest}:"
            " take GET /v1/snapshot and go on from its seq"
        )
        self.after = after
        self.oldest = oldest


class StoreError(DispatchError):
    """The log cannot be written or trusted."""


class StoreUnavailable(StoreError):
    """The log cannot be written now; nothing was changed.

    Attributes:
        why: The cause, and how to mend it.
        retry_after_s: When to try again.
    """

    def __init__(self, why: str, *, retry_after_s: int = 2) -> None:
        super().__init__(f"the log cannot be written now, nothing was changed: {why}")
        self.why = why
        self.retry_after_s = retry_after_s


class OutcomeUnknown(StoreUnavailable):
    """Whether it was recorded could not be found out before the service had to stop asking.

    The only error that leaves it open; repeated with its key, a command is carried out once.
    """

    def __init__(self, why: str, *, retry_after_s: int = 2) -> None:
        super().__init__(why, retry_after_s=retry_after_s)
        # In place of the parent's words, which promise that nothing was changed.
        text = (
            f"it is not known whether this was recorded: {why}; repeat it with the same"
            " Idempotency-Key, or look whether it is there"
        )
        self.args = (text,)


class StoreUnsafe(StoreError):
    """The server that should hold the log would lose what it has acknowledged.

    Attributes:
        faults: What is wrong, each with how to mend it.
    """

    def __init__(
        self, server: str, *, faults: tuple[str, ...], exemptions: tuple[str, ...]
    ) -> None:
        listed = "; ".join(f"({number}) {fault}" for number, fault in enumerate(faults, start=1))
        super().__init__(
            f"the Redis server {server} is set up to lose what it has acknowledged: {listed}."
            f" Whoever takes that danger accepts the setting by its name ({', '.join(exemptions)})"
        )
        self.faults = faults


class StoreLocked(StoreError):
    """Another service owns the data folder, or leads the area of a shared store.

    Attributes:
        folder: The data folder, or the store and its area.
    """

    def __init__(self, folder: str, *, mend: str = "start this one with another --data") -> None:
        super().__init__(f"another service writes to {folder!r}: stop it, or {mend}")
        self.folder = folder


class LogDamaged(StoreError):
    """The log does not follow from itself: it was damaged or mixed with another.

    Attributes:
        seq: The first entry that does not fit.
    """

    def __init__(self, seq: int, *, why: str) -> None:
        super().__init__(f"entry {seq} of the log does not fit: {why}; restore the last backup")
        self.seq = seq


class RowDamaged(StoreError):
    """A row beside the events is not as it was written; the events themselves may be whole.

    Attributes:
        what: The row in words.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not as it was written and is not given out: run `kuaijing verify` to see"
            " what else is damaged, then restore the last backup"
        )
        self.what = what


class LogFormatUnknown(StoreError):
    """The log was laid out by another version of the service.

    Attributes:
        path: The file.
        found: Its format, None where it names none.
        known: The format that this version reads.
    """

    def __init__(self, path: str, *, found: int | None, known: int) -> None:
        super().__init__(
            f"{path!r} has format {found}, this version reads {known}: start the version of the"
            " service that wrote it"
        )
        self.path = path
        self.found = found
        self.known = known


class AppendRefused(StoreError):
    """The log takes no append of this writer, or not this one; nothing was written."""


class LogMoved(AppendRefused):
    """The log has moved on since the decision was made.

    Attributes:
        given: The head that the decision saw.
        head: The head of the log.
    """

    def __init__(self, *, given: int, head: int) -> None:
        super().__init__(
            f"the decision saw the log up to event {given}, it stands at {head}:"
            " decide again on the present board"
        )
        self.given = given
        self.head = head


class StaleEpoch(AppendRefused):
    """A newer writer has taken over.

    Attributes:
        given: The epoch of the writer that was refused.
        current: The epoch of the one that writes now.
    """

    def __init__(self, *, given: int, current: int) -> None:
        super().__init__(
            f"the writer of epoch {given} was replaced by that of epoch {current}: it must stop"
        )
        self.given = given
        self.current = current


class CommandKnown(AppendRefused):
    """The command was carried out before; its answer is in the store.

    Attributes:
        key: Its key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"the command with key {key!r} was carried out before: read its answer")
        self.key = key


class EventKindUnknown(StoreError):
    """An event of a kind that this version does not know.

    Attributes:
        kind: The kind's name in the log.
        seq: The entry, None where it is not known.
    """

    def __init__(self, kind: str, *, seq: int | None = None) -> None:
        place = "" if seq is None else f" at entry {seq}"
        super().__init__(
            f"event kind {kind!r}{place} is not known to this version: start the newer version"
            " that wrote it"
        )
        self.kind = kind
        self.seq = seq
