"""A clock that is set is noticed, one that is slewed is not, and one that stays set is believed."""

from __future__ import annotations

from api.clock_jump import ClockJump
from dispatch.words import UnixMs

START_MS = 1_767_225_600_000


def looks(clock: ClockJump, start_s: float, seconds: int, ahead_s: float) -> list[float]:
    """What each second's look says while the wall clock is so far ahead of the steady one."""
    return [
        round(clock.look(UnixMs(round(START_MS + (at_s + ahead_s) * 1000)), at_s), 3)
        for at_s in (start_s + one for one in range(seconds))
    ]


def test_a_jump_is_told_until_it_is_undone() -> None:
    clock = ClockJump(jump_s=2.0, settled_s=600.0)
    assert looks(clock, 0, 3, 0.0) == [0, 0, 0]
    assert looks(clock, 3, 3, -5.0) == [-5, -5, -5]
    assert looks(clock, 6, 2, 0.0) == [0, 0]


def test_a_clock_that_goes_on_after_a_jump_is_believed_after_a_while() -> None:
    clock = ClockJump(jump_s=2.0, settled_s=10.0)
    looks(clock, 0, 1, 0.0)
    assert looks(clock, 1, 11, 3_600.0) == [3_600.0] * 11
    assert looks(clock, 12, 2, 3_600.0) == [0, 0]
    # From then on it is the old time that would be a jump.
    assert looks(clock, 14, 1, 0.0) == [-3_600.0]


def test_a_clock_that_is_corrected_little_by_little_is_followed() -> None:
    clock = ClockJump(jump_s=2.0, settled_s=600.0)
    found = [looks(clock, at_s, 1, at_s * 0.0005)[0] for at_s in range(20_000)]
    assert max(found) < 0.01
