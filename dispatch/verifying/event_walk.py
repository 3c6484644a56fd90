"""Walks over all events: chain, heads, replay, and what the replay says about other rows."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

import msgspec

from dispatch.board import Board, open_board
from dispatch.codec import board_hash, decode_event, encode_closed
from dispatch.errors import EventKindUnknown
from dispatch.events import IncidentReopened, LateStampRecorded, Recorded
from dispatch.evolve import evolve
from dispatch.evolve.incidents import closed_by
from dispatch.facts import LateStep
from dispatch.resources import ClosedIncident
from dispatch.running.recover import with_unit_of
from dispatch.store.chain import GENESIS, link
from dispatch.verifying.found import Found
from dispatch.verifying.head_check import HeadCheck
from platforms.city import City

SAY_EVERY = 50_000

_log = logging.getLogger(__name__)


class EventWalk:
    """One walk over the log.

    Attributes:
        head: The last event that was read.
        chain: The chain after it.
        unchained_up_to: The last event without a chain, 0 where all have one.
        board: The board after it; None from the first fault on, when nothing follows any more.
        road_version: Road network of the last decision; None before the first.
        closed: Digest of each closed incident as the log tells it, by its id.
        late: Digests of the steps that came after the end of each, by its id.
    """

    def __init__(
        self,
        found: Found,
        heads: HeadCheck,
        snapshots: Mapping[int, Board],
        *,
        city: City | None,
        chained: bool,
    ) -> None:
        """Begin before the first event.

        Args:
            found: Where faults go.
            heads: The signed heads.
            snapshots: Boards kept beside the log, by their event.
            city: Whose units the board begins with; None begins without any.
            chained: Whether the log's format has a chain.
        """
        self.head = 0
        self.chain = GENESIS
        self.unchained_up_to = 0
        self.board: Board | None = Board() if city is None else open_board(city)
        self.road_version: str | None = None
        self.closed: dict[str, bytes] = {}
        self.late: dict[str, set[bytes]] = {}
        self._found = found
        self._heads = heads
        self._snapshots = dict(snapshots)
        self._chained = chained

    def run(self, connection: sqlite3.Connection, say: Callable[[str], None]) -> None:
        """Walk to the end, or to where the file cannot be read any more."""
        try:
            for seq, body, chain in connection.execute(
                "SELECT seq, body, chain FROM events ORDER BY seq"
            ):
                self._step(seq, body, chain)
                if self.head % SAY_EVERY == 0:
                    say(f"{self.head} events read")
        except (sqlite3.Error, OverflowError) as error:
            self._fault(self.head + 1, f"it cannot be read ({error})")
        self._found.counts["events"] = self.head
        for seq in self._snapshots:
            self._found.fault("snapshot", None, f"that of event {seq} lies beyond the log's end")

    def _step(self, seq: int, body: object, chain: object) -> None:
        if seq != self.head + 1:
            self._fault(self.head + 1, f"it is missing, the next one is {seq}")
        self.head = seq
        if not isinstance(body, bytes):
            self._fault(seq, "it is no event")
            return
        wanted = link(self.chain, seq, body)
        if not self._chained:
            self.unchained_up_to = seq
            self.chain = wanted
        elif isinstance(chain, bytes):
            if chain != wanted:
                self._fault(seq, "its bytes are not those that were written")
            self.chain = chain
        else:
            self._fault(seq, "it carries no digest")
            self.chain = wanted
        self._heads.agree(seq, self.chain)
        if self.board is not None:
            self._replay(self.board, seq, body)

    def _replay(self, board: Board, seq: int, body: bytes) -> None:
        try:
            recorded = decode_event(seq, body)
            # Without a city no unit is known: that is no news here.
            board = with_unit_of(board, recorded, say=_log.debug)
            closed = closed_by(board, recorded)
            self.board = evolve(board, recorded)
        except EventKindUnknown as error:
            self._found.notes.append(f"not replayed from here on: {error}")
            self.board = None
        except Exception as error:  # noqa: BLE001 - without a chain anything may stand there
            self._fault(seq, f"{error}")
        else:
            self.road_version = getattr(recorded.event, "road_version", self.road_version)
            self._note_closed(recorded, closed)
            self._compare_snapshot(seq, self.board)

    def _note_closed(self, recorded: Recorded, closed: ClosedIncident | None) -> None:
        event = recorded.event
        if closed is not None:
            self.closed[closed.incident.incident_id] = closed_digest(closed)
        elif isinstance(event, IncidentReopened):
            self.closed.pop(event.incident_id, None)
            self.late.pop(event.incident_id, None)
        elif isinstance(event, LateStampRecorded) and event.incident_id in self.closed:
            self.late.setdefault(event.incident_id, set()).add(step_digest(event))

    def _compare_snapshot(self, seq: int, board: Board) -> None:
        snapshot = self._snapshots.pop(seq, None)
        if snapshot is None:
            return
        # Units carry names and kinds of the day's city files: they are left out.
        if board_hash(replace(snapshot, units={})) != board_hash(replace(board, units={})):
            self._found.fault("snapshot", None, f"that of event {seq} disagrees with the log")

    def _fault(self, seq: int, text: str) -> None:
        self._found.fault("events", seq, text)
        self.board = None


def closed_digest(closed: ClosedIncident) -> bytes:
    """Digest of an incident as it ended, short: a long log has many of them."""
    return sha256(encode_closed(replace(closed, late_steps=()))).digest()[:16]


def step_digest(step: LateStep | LateStampRecorded) -> bytes:
    """Digest of what the log and history both have of a step that came after the end."""
    told = (step.assignment_id, step.stamp, step.feedback)
    return sha256(msgspec.json.encode(told, order="deterministic")).digest()[:16]
