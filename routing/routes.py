"""Ways by road: timing, drawing and describing a list of arcs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.closed_ends import with_open_ends
from routing.errors import UnknownRoad
from routing.graph import RoadGraph, TurnKind
from routing.search.arrays import CLOSED_MS, FollowedWay, WayArrays
from routing.search.kernels import Kernel
from routing.stands import Stand, share_of

DEPART: Final = "depart"
ARRIVE: Final = "arrive"
_TURN_NAMES: Final = {-1: DEPART} | {int(kind): kind.name.lower() for kind in TurnKind}


class RouteStep(NamedTuple):
    """One stretch of a route.

    Attributes:
        road: Street name, "" where it has none.
        length_m: Metres on it.
        travel_ms: Milliseconds on it, the turn into it included.
        turn: How it is entered: `depart`, `straight`, `slight_right`, `right`, `sharp_right`,
            `u_turn`, `sharp_left`, `left`, `slight_left`, or `arrive` (a last step of no length).
    """

    road: str
    length_m: float
    travel_ms: int
    turn: str


class Route(NamedTuple):
    """A way by road, drawn and described.

    Attributes:
        geometry: Points (lon, lat), cut at the stands; at least two.
        length_m: Sum of the steps' lengths.
        travel_ms: Sum of the steps' times.
        steps: From `depart` to `arrive`.
    """

    geometry: tuple[tuple[float, float], ...]
    length_m: float
    travel_ms: int
    steps: tuple[RouteStep, ...]


class Milliseconds(NamedTuple):
    """One profile's part of `Weights`: `arc_ms` and `shut_ms` int32 (A), `turn_ms` int32 (T)."""

    arc_ms: NDArray[np.int32]
    shut_ms: NDArray[np.int32]
    turn_ms: NDArray[np.int32]


class WayArtist:
    """Times and draws known ways on one network, from any thread."""

    def __init__(self, kernel: Kernel, graph: RoadGraph) -> None:
        self._kernel = kernel
        self._graph = graph
        self._ways = way_arrays(graph)

    def travel_ms_of(
        self, present: Milliseconds, arcs: Sequence[int], start: Stand, end: Stand
    ) -> int | None:
        """Time of a given way; None when it is closed between its ends, or by a banned turn.

        Raises:
            UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
        """
        followed = self._follow(present, arcs, start, end)
        return followed.travel_ms if followed.travel_ms < CLOSED_MS else None

    def draw(
        self,
        present: Milliseconds,
        arcs: Sequence[int],
        start: Stand,
        end: Stand,
        digits: int | None = None,
    ) -> Route | None:
        """Draw, time and describe a given way; None as with `travel_ms_of`.

        Args:
            present: The weights of the moment.
            arcs: The way.
            start: On its first arc.
            end: On its last arc.
            digits: Decimals of a degree that the points are rounded to; None = not at all.

        Raises:
            UnknownRoad: The arcs do not follow each other, or the stands are not at their ends.
        """
        followed = self._follow(present, arcs, start, end)
        if followed.travel_ms >= CLOSED_MS:
            return None
        lon, lat = followed.lon, followed.lat
        if digits is not None:
            lon, lat = lon.round(digits), lat.round(digits)
        geometry = tuple(zip(lon.tolist(), lat.tolist(), strict=True))
        steps_m = followed.step_m.tolist()
        steps = self._described(followed.step.tolist(), steps_m)
        return Route(geometry, sum(steps_m), followed.travel_ms, steps)

    def _follow(
        self, present: Milliseconds, arcs: Sequence[int], start: Stand, end: Stand
    ) -> FollowedWay:
        graph = self._graph
        if not arcs or arcs[0] != start.arc or arcs[-1] != end.arc:
            raise UnknownRoad("a way begins on the arc of its start and ends on the arc of its end")
        from_share = share_of(start, graph.arc_length_m)
        to_share = share_of(end, graph.arc_length_m)
        if len(arcs) == 1 and from_share > to_share:
            raise UnknownRoad("a way of one arc cannot run backwards; it must go round")
        if not 0 <= min(arcs) <= max(arcs) < graph.arc_count:
            raise UnknownRoad(
                "a way holds an arc that is not in this network; ask for the way again"
            )
        followed = self._kernel.follow(
            self._ways, present.arc_ms, present.turn_ms, arcs, from_share, to_share
        )
        if followed.travel_ms >= CLOSED_MS:
            arc_ms = with_open_ends(present.arc_ms, present.shut_ms, arcs)
            if arc_ms is not None:
                followed = self._kernel.follow(
                    self._ways, arc_ms, present.turn_ms, arcs, from_share, to_share
                )
        broken_at = followed.broken_at
        if broken_at >= 0:
            raise UnknownRoad(
                f"no turn leads from arc {arcs[broken_at]} into arc {arcs[broken_at + 1]};"
                " ask for the way again"
            )
        return followed

    def _described(
        self, steps: list[tuple[int, int, int]], steps_m: list[float]
    ) -> tuple[RouteStep, ...]:
        names = self._graph.names
        described = [
            RouteStep(names[name], length_m, ms, _TURN_NAMES[kind])
            for (name, kind, ms), length_m in zip(steps, steps_m, strict=True)
        ]
        return (*described, RouteStep(described[-1].road, 0.0, 0, ARRIVE))


def way_arrays(graph: RoadGraph) -> WayArrays:
    """What drawing reads of a network, writable and contiguous as the kernels are compiled for."""
    return WayArrays(
        *(
            np.require(values, dtype, ("C", "A", "W"))
            for values, dtype in (
                (graph.turn_start, np.int32),
                (graph.turn_to, np.int32),
                (graph.turn_kind, np.uint8),
                (graph.arc_name, np.int32),
                (graph.arc_length_m, np.float64),
                (graph.geom_start, np.int64),
                (graph.geom_lonlat, np.float64),
            )
        )
    )
