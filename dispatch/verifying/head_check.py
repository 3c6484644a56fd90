"""Compares a log with its signed heads."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from dispatch.store.signed_heads import HeadKey, SignedHead, read_heads
from dispatch.verifying.found import Found


class HeadCheck:
    """The heads of a log, by the event that they speak of."""

    def __init__(self, found: Found, folder: Path | None, key: HeadKey | None) -> None:
        """Read the heads and check their signatures.

        Args:
            found: Where faults go.
            folder: The heads' folder; None checks none.
            key: The key; None checks none.
        """
        self._found = found
        self._chains: dict[int, set[str]] = defaultdict(set)
        self._agreed = 0
        if folder is None or key is None:
            found.notes.append("signed heads were not checked: no key or no folder of heads")
            return
        try:
            heads = list(read_heads(folder))
        except OSError as error:
            found.fault("heads", None, f"the heads in {folder} cannot be read ({error})")
            return
        if not heads:
            found.notes.append(f"there are no signed heads in {folder}")
        for head in heads:
            self._take(head, key)
        others = found.counts["heads_of_other_keys"]
        if others:
            found.notes.append(
                f"{others} heads in {folder} were signed with another key than this one and prove"
                " nothing here: if this folder was not restored from a backup, its key was"
                " replaced; check it with a copy of the old key (--key)"
            )

    def _take(self, head: SignedHead | str, key: HeadKey) -> None:
        if isinstance(head, str):
            if head.endswith("unfinished"):
                self._found.notes.append(head)
            else:
                self._found.fault("heads", None, head)
        elif head.key_id != key.key_id:
            self._found.counts["heads_of_other_keys"] += 1
        elif not key.holds(head.signed_text, head.signature):
            text = f"the head of event {head.seq} was changed after it was signed"
            self._found.fault("heads", None, text)
        else:
            self._found.counts["heads"] += 1
            self._chains[head.seq].add(head.chain)

    def agree(self, seq: int, chain: bytes) -> None:
        """Compare the chain after an event with what was signed, if it was."""
        signed = self._chains.pop(seq, None)
        if signed is None:
            return
        if signed == {chain.hex()}:
            self._agreed = seq
            return
        # All before the last head that agrees is as it was: what was rewritten begins behind it.
        self._found.fault(
            "heads",
            self._agreed + 1,
            f"event {seq} was signed with another chain: events from {self._agreed + 1} to {seq}"
            " were written anew",
        )

    def check_end(self, head: int) -> None:
        """Heads beyond the log's end speak of events that it has lost."""
        beyond = [seq for seq in self._chains if seq > head]
        if beyond:
            self._found.fault(
                "end", head + 1, f"events up to {max(beyond)} were signed, it ends at {head}"
            )
