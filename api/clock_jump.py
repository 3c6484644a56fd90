"""Whether the service's clock jumped: what it shows is held against a clock that only runs on."""

from __future__ import annotations

from dispatch.words import UnixMs


class ClockJump:
    """Compares a wall clock, which may be set, with a steady one, which may not.

    A clock that is corrected little by little is followed; a jump is told until it is undone, or
    until the clock has shown the same new time for long enough to be believed.
    """

    def __init__(self, *, jump_s: float, settled_s: float) -> None:
        """Begin; the first look is the reference.

        Args:
            jump_s: What counts as a jump.
            settled_s: A clock that jumped and then ran on for so long is believed again.
        """
        self._jump_s = jump_s
        self._settled_s = settled_s
        self._reference_s: float | None = None
        self._last_s = 0.0
        self._since_s = 0.0

    def look(self, wall_ms: UnixMs, steady_s: float) -> float:
        """How far the wall clock has jumped, in seconds; negative where it was set back.

        Args:
            wall_ms: The wall clock now.
            steady_s: The steady clock now.
        """
        offset_s = wall_ms / 1000 - steady_s
        if self._reference_s is None:
            self._reference_s = self._last_s = offset_s
        jumped_s = offset_s - self._reference_s
        if abs(offset_s - self._last_s) > self._jump_s:
            self._since_s = steady_s
        self._last_s = offset_s
        if abs(jumped_s) <= self._jump_s or steady_s - self._since_s >= self._settled_s:
            self._reference_s = offset_s
        return jumped_s
