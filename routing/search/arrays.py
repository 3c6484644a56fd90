"""The arrays that the search kernels work on, and the rule for a part of an arc.

P profiles, A directed arcs, T turns, U unit slots. A label is `profile * A + arc`.

A stand is a place on an arc, given as its share: `offset_m / length_m`, 0 at the start, 1 at the
end. The milliseconds from the start of an arc of `ms` milliseconds to a share are

    part(ms, share) = floor(ms * share + 0.5)

and from there to the end `ms - part(ms, share)`, so that parts add up to the whole exactly.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CLOSED_MS: Final = 1 << 30
"""Weight of what may not be driven; also the bound of a search (12 days: no drive is longer)."""

STANDS_MAX: Final = 2
"""A unit or a place stands on one arc, or on both directions of a two-way street."""

PROFILE_SHIFT: Final = 28
"""Bits for the arc in a search's entry `profile << 28 | arc`: room for 268 million arcs."""


STAMP_STEP: Final = 4
"""From the stamp of one search to that of the next: what a search adds to its own is less."""


class RoadArrays(NamedTuple):
    """The part of the network that never changes.

    Attributes:
        length_m: Length of each arc, float64 (A).
        turn_start: First turn leaving each arc's end, int32 (A + 1).
        turn_to: The arc turned into, int32 (T).
        entry_start: First turn that leads into each arc, int32 (A + 1).
        entry_from: The arc that such a turn comes from, int32 (T).
    """

    length_m: NDArray[np.float64]
    turn_start: NDArray[np.int32]
    turn_to: NDArray[np.int32]
    entry_start: NDArray[np.int32]
    entry_from: NDArray[np.int32]


class Weights(NamedTuple):
    """Milliseconds of one moment; never written to after they were published.

    Attributes:
        arc_ms: int32 (P * A), `CLOSED_MS` where the profile may not drive.
        shut_ms: What an arc would take that only a closure bars, `CLOSED_MS` elsewhere, int32
            (P * A); empty when there is no closure. Such arcs may be driven at both ends of a way.
        turn_ms: int32 (P * T) in the order of `RoadArrays.turn_to`.
        entry_ms: The same in the order of `RoadArrays.entry_from`, int32 (P * T).
    """

    arc_ms: NDArray[np.int32]
    shut_ms: NDArray[np.int32]
    turn_ms: NDArray[np.int32]
    entry_ms: NDArray[np.int32]


class Places(NamedTuple):
    """Stands of one place: arcs int32 and shares float64, both (1 to STANDS_MAX)."""

    arc: NDArray[np.int32]
    share: NDArray[np.float64]


class Units(NamedTuple):
    """Where units stand.

    Attributes:
        profile: Position in the profiles; -1 where the slot is empty, int32 (U).
        arc: int32 (U, STANDS_MAX), -1 where there is no second stand.
        share: float64 (U, STANDS_MAX).
        extra_ms: Milliseconds before the unit moves off, int64 (U).
    """

    profile: NDArray[np.int32]
    arc: NDArray[np.int32]
    share: NDArray[np.float64]
    extra_ms: NDArray[np.int64]


class Found(NamedTuple):
    """What a search for units found, best first, by (total_ms, slot).

    Attributes:
        total_ms: Travel and extra milliseconds, int64 (n).
        slot: int64 (n).
        stand: Which of the unit's stands it leaves from, int64 (n).
        target: Which of the target's stands it arrives at, int64 (n).
        length_m: Metres driven, float64 (n).
        path_start: First arc of each way in `path_arc`; n + 1 entries, int64.
        path_arc: The arcs driven, from the unit's arc to the target's arc, int32.
    """

    total_ms: NDArray[np.int64]
    slot: NDArray[np.int64]
    stand: NDArray[np.int64]
    target: NDArray[np.int64]
    length_m: NDArray[np.float64]
    path_start: NDArray[np.int64]
    path_arc: NDArray[np.int32]


class WayArrays(NamedTuple):
    """What drawing a known way reads, all of it unchanging.

    Attributes:
        turn_start: First turn leaving each arc's end, int32 (A + 1).
        turn_to: The arc turned into, int32 (T).
        turn_kind: `TurnKind` of each turn, uint8 (T).
        arc_name: Position of the street's name, int32 (A); equal names, equal positions.
        length_m: Length of each arc, float64 (A).
        geom_start: First point of each arc's line, int64 (A + 1).
        geom_lonlat: All lines, float64 (points, 2).
    """

    turn_start: NDArray[np.int32]
    turn_to: NDArray[np.int32]
    turn_kind: NDArray[np.uint8]
    arc_name: NDArray[np.int32]
    length_m: NDArray[np.float64]
    geom_start: NDArray[np.int64]
    geom_lonlat: NDArray[np.float64]


class FollowedWay(NamedTuple):
    """A known way, timed and drawn. A step is the arcs of one street; n steps.

    Attributes:
        broken_at: Place of the arc from which no turn leads on, -1 where all follow each other.
            Where it is not -1, or the way is closed, there is neither a step nor a point.
        travel_ms: `CLOSED_MS` when an arc or a turn is closed.
        step: Position of the street's name, kind of the turn into it (-1 at the start) and
            milliseconds, that turn included, int64 (n, 3).
        step_m: Metres of each step, float64 (n).
        lon: Longitudes of the line, float64 (points).
        lat: Latitudes of the line, float64 (points).
    """

    broken_at: int
    travel_ms: int
    step: NDArray[np.int64]
    step_m: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]


def reverse_turns(
    turn_start: NDArray[np.int32], turn_to: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.intp]]:
    """Turn the list of turns round, so that those leading into an arc lie together.

    Args:
        turn_start: int32 (A + 1).
        turn_to: int32 (T).

    Returns:
        `entry_start` int32 (A + 1), `entry_from` int32 (T), and the order (T) that brings values
        of turns into the order of entries.
    """
    arc_count = len(turn_start) - 1
    origin = np.repeat(np.arange(arc_count, dtype=np.int32), np.diff(turn_start))
    order = np.argsort(turn_to, kind="stable")
    entry_start = np.zeros(arc_count + 1, dtype=np.int32)
    np.cumsum(np.bincount(turn_to, minlength=arc_count), out=entry_start[1:])
    return entry_start, origin[order], order
