"""What happens in the field: units say what they do, roads shut and open."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.resources import Closure, SpeedFactor
from dispatch.words import ClosureId, SpeedFactorId, UnitId, UnitStatus, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatusChanged:
    """A unit said what it does now."""

    at_ms: UnixMs
    unit_id: UnitId
    status: UnitStatus
    on_duty: bool
    device_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatusIgnored:
    """A unit's status came later than a newer one; it is kept and changes nothing."""

    at_ms: UnixMs
    unit_id: UnitId
    status: UnitStatus
    device_seq: int | None = None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLent:
    """A unit was lent to another area: it is sent there, and there only.

    `until_ms` None is until it is given back.
    """

    at_ms: UnixMs
    unit_id: UnitId
    area_id: str
    until_ms: UnixMs | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanEnded:
    """A unit serves its own area again; `area_id` is the one that it had been lent to."""

    at_ms: UnixMs
    unit_id: UnitId
    area_id: str
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadClosed:
    """A road was shut."""

    at_ms: UnixMs
    closure: Closure


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadReopened:
    """A closure was lifted, or its time ran out."""

    at_ms: UnixMs
    closure_id: ClosureId
    expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactorSet:
    """Roads were said to be slower or faster than usual."""

    at_ms: UnixMs
    speed_factor: SpeedFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedFactorLifted:
    """A speed factor was lifted, or its time ran out."""

    at_ms: UnixMs
    factor_id: SpeedFactorId
    expired: bool = False
