"""Small OSM files drawn by hand: nodes on a metre grid, ways and restriction relations."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

from routing.graph import RoadGraph, TurnFlag
from routing.osm.import_report import ImportReport
from routing.osm.importer import import_network

EAST_M_PER_DEGREE = 111_195.0
"""At the equator, where the drawings lie: a metre is as long east as north."""


class Drawing:
    """A town on a metre grid around lon 100, lat 0. x runs east, y north."""

    def __init__(self) -> None:
        self._nodes: list[str] = []
        self._ways: list[str] = []
        self._relations: list[str] = []
        self._restriction_id = 9000

    def node(self, osm_id: int, x_m: float, y_m: float, **tags: str) -> None:
        lon, lat = 100 + x_m / EAST_M_PER_DEGREE, y_m / EAST_M_PER_DEGREE
        self._nodes.append(
            f'<node id="{osm_id}" lon="{lon:.7f}" lat="{lat:.7f}">{_tags(tags)}</node>'
        )

    def way(self, osm_id: int, nodes: list[int], highway: str = "residential", **tags: str) -> None:
        refs = "".join(f'<nd ref="{ref}"/>' for ref in nodes)
        all_tags = {"highway": highway, **tags} if highway else tags
        self._ways.append(f'<way id="{osm_id}">{refs}{_tags(all_tags)}</way>')

    def restriction(self, kind: str, members: list[tuple[str, str, int]], **tags: str) -> None:
        """Adds a relation; members are (type, role, id); `kind` "" leaves the main tag out."""
        self._restriction_id += 1
        text = "".join(
            f'<member type="{what}" role="{role}" ref="{ref}"/>' for what, role, ref in members
        )
        main = {"type": "restriction", **({"restriction": kind} if kind else {})}
        self._relations.append(
            f'<relation id="{self._restriction_id}">{text}{_tags({**main, **tags})}</relation>'
        )

    def save(self, path: Path, generator: str = "by hand") -> Path:
        body = "".join((*self._nodes, *self._ways, *self._relations))
        path.write_text(
            f'<osm version="0.6" generator="{generator}">{body}</osm>', encoding="utf-8"
        )
        return path

    def build(self, folder: Path, *, allow_pieces: bool = True) -> tuple[RoadGraph, ImportReport]:
        return import_network(self.save(folder / "drawn.osm"), allow_pieces=allow_pieces)


def _tags(tags: dict[str, str]) -> str:
    return "".join(
        f"<tag k={quoteattr(key.replace('__', ':'))} v={quoteattr(value)}/>"
        for key, value in tags.items()
    )


def arc_pairs(graph: RoadGraph) -> set[tuple[int, int]]:
    """Every arc as (OSM node it leaves, OSM node it reaches)."""
    ends = zip(graph.node_osm_id[graph.arc_from], graph.node_osm_id[graph.arc_to], strict=True)
    return {(int(start), int(end)) for start, end in ends}


def arc_between(graph: RoadGraph, start: int, end: int) -> int:
    """The one arc from an OSM node to another."""
    (found,) = [
        arc
        for arc in range(graph.arc_count)
        if graph.node_osm_id[graph.arc_from[arc]] == start
        and graph.node_osm_id[graph.arc_to[arc]] == end
    ]
    return found


def turn_at(graph: RoadGraph, start: int, middle: int, end: int) -> int:
    """The turn of somebody who drives from one OSM node over another to a third."""
    into, out = arc_between(graph, start, middle), arc_between(graph, middle, end)
    (found,) = [
        turn
        for turn in range(graph.turn_start[into], graph.turn_start[into + 1])
        if graph.turn_to[turn] == out
    ]
    return found


def banned_turns(graph: RoadGraph, flag: TurnFlag = TurnFlag.BANNED) -> set[tuple[int, int, int]]:
    """Every turn with a flag as its three OSM nodes."""
    found = set()
    node = graph.node_osm_id
    for arc in range(graph.arc_count):
        for turn in range(graph.turn_start[arc], graph.turn_start[arc + 1]):
            if graph.turn_flags[turn] & flag:
                end = graph.arc_to[graph.turn_to[turn]]
                path = (graph.arc_from[arc], graph.arc_to[arc], end)
                found.add(tuple(int(node[place]) for place in path))
    return found
