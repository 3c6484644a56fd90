"""How arcs lie on the map: what is kept of them to find their streets in another network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from routing.graph import RoadGraph

SIMPLER_BY_DEG: Final = 1e-5
"""About a metre: a drawing may be that much simpler than the street."""

DIGITS: Final = 6
"""About a decimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcLine:
    """A stretch of street between two nodes.

    Attributes:
        points: How it runs (lon, lat), WGS-84.
        both_ways: True where the arc against it is meant too.
        way_id: Its OSM way.
    """

    points: tuple[tuple[float, float], ...]
    both_ways: bool
    way_id: int


def lines_of_arcs(graph: RoadGraph, arcs: Iterable[int]) -> list[ArcLine]:
    """The stretches that arcs run over; both arcs of a two-way stretch give one line."""
    meant = set(arcs)
    shown: list[tuple[int, bool]] = []
    for arc in sorted(meant):
        reverse = int(graph.arc_reverse[arc])
        both_ways = reverse >= 0 and reverse in meant
        if not (both_ways and reverse < arc):
            shown.append((arc, both_ways))
    if not shown:
        return []
    # All at once: line by line, most of the time goes into the calls.
    lines = [graph.arc_line(arc) for arc, _ in shown]
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    drawn = shapely.simplify(
        shapely.linestrings(np.concatenate(lines), indices=owner), SIMPLER_BY_DEG
    )
    points, owner = shapely.get_coordinates(drawn, return_index=True)
    first = np.searchsorted(owner, np.arange(len(lines) + 1)).tolist()
    rounded = [(lon, lat) for lon, lat in points.round(DIGITS).tolist()]
    return [
        ArcLine(
            points=tuple(rounded[first[place] : first[place + 1]]),
            both_ways=both_ways,
            way_id=int(graph.arc_way_id[arc]),
        )
        for place, (arc, both_ways) in enumerate(shown)
    ]
