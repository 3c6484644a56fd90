"""Milliseconds per arc and per turn for each profile, from the table in `speeds.json`.

All numbers, and what each profile may ignore, stand in the table with their source. Measured
drives can replace them: `read_speed_table` takes another file of the same form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from routing.errors import RoadError
from routing.graph import ROAD_CLASSES, ArcFlag, RoadGraph, TurnFlag, TurnKind
from routing.search.arrays import CLOSED_MS

FlagT = TypeVar("FlagT", ArcFlag, TurnFlag)

HOURS: Final = 24
_TABLE_PATH: Final = Path(__file__).with_name("speeds.json")
_MS_PER_M_AT_1_KMH: Final = 3600.0


class Profile(StrEnum):
    """Who drives, and how."""

    RESPONSE_CAR = "response_car"
    MOTORCYCLE = "motorcycle"
    PATROL = "patrol"
    FUGITIVE = "fugitive"


PROFILES: Final = tuple(Profile)
"""Position in this tuple = row of the weight arrays."""

PROFILE_ROW: Final[Mapping[str, int]] = {profile: row for row, profile in enumerate(PROFILES)}


class SpeedTableInvalid(RoadError):
    """A speed table lacks something or holds a number that makes no sense."""


@dataclass(frozen=True, slots=True)
class ProfileSpeeds:
    """One profile's row of the table.

    Attributes:
        speed_kmh: Free speed per road class, in the order of `ROAD_CLASSES`.
        hour_factor: Factor on the speed per road class and hour of the day, (classes, 24).
        maxspeed_factor: Never faster than this many times the posted limit; inf = no cap.
        private_kmh: Speed on private ground, where the class would allow more.
        turn_ms: Milliseconds per `TurnKind`.
        signal_ms: Added where the turn passes traffic signals.
        arc_closed: `ArcFlag` bits that close an arc to this profile.
        turn_closed: `TurnFlag` bits that close a turn to this profile.
    """

    speed_kmh: NDArray[np.float64]
    hour_factor: NDArray[np.float64]
    maxspeed_factor: float
    private_kmh: float
    turn_ms: NDArray[np.int32]
    signal_ms: int
    arc_closed: ArcFlag
    turn_closed: TurnFlag


@dataclass(frozen=True, slots=True)
class SpeedTable:
    """Speeds and turn costs of all profiles."""

    profiles: Mapping[Profile, ProfileSpeeds]

    def same_hour(self, hour: int, other: int) -> bool:
        """True when both hours have the same speeds, so that nothing changes between them."""
        return all(
            np.array_equal(speeds.hour_factor[:, hour], speeds.hour_factor[:, other])
            for speeds in self.profiles.values()
        )


def arc_milliseconds(
    graph: RoadGraph, profile: Profile, hour: int, table: SpeedTable | None = None
) -> NDArray[np.int32]:
    """Milliseconds to drive each arc at an hour of the day, without closures.

    Args:
        graph: The roads.
        profile: Who drives.
        hour: Local hour, 0 to 23.
        table: Speeds; those that ship when None.

    Returns:
        int32 (A): round(length / speed), at least 1 so that no way is free; `CLOSED_MS` where the
        profile may not drive.
    """
    speeds = (table or shipped_speed_table()).profiles[profile]
    per_class = speeds.speed_kmh * speeds.hour_factor[:, hour]
    speed_kmh = per_class[graph.arc_class]
    posted = graph.arc_maxspeed_kmh.astype(np.float64)
    cap_kmh = np.where(posted > 0, posted * speeds.maxspeed_factor, np.inf)
    private = (graph.arc_flags & ArcFlag.PRIVATE) != 0
    cap_kmh = np.where(private, np.minimum(cap_kmh, speeds.private_kmh), cap_kmh)
    exact = graph.arc_length_m * _MS_PER_M_AT_1_KMH / np.minimum(speed_kmh, cap_kmh)
    ms = np.clip(np.floor(exact + 0.5), 1, CLOSED_MS - 1).astype(np.int32)
    ms[(graph.arc_flags & int(speeds.arc_closed)) != 0] = CLOSED_MS
    return ms


def turn_milliseconds(
    graph: RoadGraph, profile: Profile, table: SpeedTable | None = None
) -> NDArray[np.int32]:
    """Milliseconds that each turn costs on top of the arcs.

    Args:
        graph: The roads.
        profile: Who drives.
        table: Speeds; those that ship when None.

    Returns:
        int32 (T), `CLOSED_MS` where the turn is forbidden to the profile.
    """
    speeds = (table or shipped_speed_table()).profiles[profile]
    ms = speeds.turn_ms[graph.turn_kind]
    # Where two ends of streets meet nobody slows down, unless he turns back.
    joint = (graph.turn_flags & TurnFlag.JOINT) != 0
    ms[joint & (graph.turn_kind != TurnKind.U_TURN)] = 0
    ms[(graph.turn_flags & TurnFlag.SIGNAL) != 0] += speeds.signal_ms
    ms[(graph.turn_flags & int(speeds.turn_closed)) != 0] = CLOSED_MS
    return ms


@cache
def shipped_speed_table() -> SpeedTable:
    """The table that ships with the program."""
    return read_speed_table(_TABLE_PATH)


def read_speed_table(path: Path) -> SpeedTable:
    """Read a speed table.

    Raises:
        SpeedTableInvalid: The file lacks something, or a speed is not above zero.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        curves = {name: _hours(curve) for name, curve in content["hour_curves"].items()}
        rows = {
            profile: _profile_speeds(content["profiles"][profile], curves) for profile in PROFILES
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SpeedTableInvalid(
            f"{path.name} is no usable speed table: {error!r}; compare it with the one that ships"
        ) from error
    return SpeedTable(rows)


def _hours(curve: Mapping[str, Any]) -> NDArray[np.float64]:
    factors = np.array(curve["factor"], dtype=np.float64)
    if factors.shape != (HOURS,) or not (factors > 0).all():
        raise ValueError(f"an hour curve needs {HOURS} factors above 0")
    return factors


def _profile_speeds(
    row: Mapping[str, Any], curves: Mapping[str, NDArray[np.float64]]
) -> ProfileSpeeds:
    speed_kmh = np.array([row["speed_kmh"][name] for name in ROAD_CLASSES], dtype=np.float64)
    if not (speed_kmh > 0).all():
        raise ValueError("every speed_kmh must be above 0")
    curve_of = row["hour_curve"]
    cap = row["maxspeed_factor"]
    turn_s = row["turn_s"]
    return ProfileSpeeds(
        speed_kmh=speed_kmh,
        hour_factor=np.stack(
            [curves[curve_of.get(name, curve_of["default"])] for name in ROAD_CLASSES]
        ),
        maxspeed_factor=np.inf if cap is None else float(cap),
        private_kmh=float(row["private_kmh"]),
        turn_ms=np.array(
            [round(1000 * turn_s[kind.name.lower()]) for kind in TurnKind], dtype=np.int32
        ),
        signal_ms=round(1000 * turn_s["signal"]),
        arc_closed=_flags(ArcFlag, row["arcs_closed"]),
        turn_closed=_flags(TurnFlag, row["turns_closed"]),
    )


def _flags(kind: type[FlagT], names: list[str]) -> FlagT:
    flags = kind(0)
    for name in names:
        flags |= kind[name.upper()]
    return flags
