"""From way ids, edge ids or a drawn shape to the directed arcs that are meant."""

from __future__ import annotations

from collections.abc import Iterable

from api.errors import InvalidRequest
from api.http.schemas.roads import LineGeometry, PolygonGeometry
from dispatch.facts import Stretch
from dispatch.words import Direction
from routing.arc_lines import lines_of_arcs
from routing.arcs_by_shape import ArcsByShape, LonLat
from routing.conditions import Direction as RoadDirection
from routing.errors import UnknownRoad
from routing.roads import Roads

ARCS_MAX = 50_000
"""Most arcs of one closure or speed: a district, not a city."""


def arcs_of_ways(roads: Roads, way_ids: Iterable[str], direction: Direction) -> tuple[int, ...]:
    """The arcs of OSM ways; the direction is seen along the way as it is mapped.

    Raises:
        UnknownRoad: The network has no such way.
    """
    wanted = RoadDirection(direction.value)
    arcs = {arc for way_id in way_ids for arc in roads.arcs_of_way(int(way_id), wanted)}
    return _bounded(arcs, "the ways")


def arcs_of_edges(roads: Roads, edge_ids: Iterable[str], direction: Direction) -> tuple[int, ...]:
    """The edges themselves (`forward`), their reverse (`backward`), or both.

    Raises:
        UnknownRoad: The network has no such edge.
    """
    graph = roads.graph
    arcs: set[int] = set()
    for edge_id in edge_ids:
        arc = int(edge_id)
        if arc >= graph.arc_count:
            raise UnknownRoad(
                f"edge {edge_id} is not in road version {roads.road_version}, which has edges 0 to"
                f" {graph.arc_count - 1}; take ids from GET /v1/roads"
            )
        reverse = int(graph.arc_reverse[arc])
        if direction is not Direction.BACKWARD:
            arcs.add(arc)
        if direction is not Direction.FORWARD and reverse >= 0:
            arcs.add(reverse)
    return _bounded(arcs, "the edges")


def arcs_of_shape(
    shapes: ArcsByShape, geometry: LineGeometry | PolygonGeometry | None, direction: Direction
) -> tuple[int, ...]:
    """The arcs that run along a line, or lie in an area.

    Raises:
        UnknownRoad: No road is near.
    """
    if isinstance(geometry, PolygonGeometry):
        outline, *holes = geometry.coordinates
        return _bounded(shapes.inside(outline, holes), "the area")
    assert geometry is not None  # noqa: S101  # the schema asks for one of the three
    return _bounded(shapes.along(geometry.coordinates, RoadDirection(direction.value)), "the line")


def shape_rings(geometry: LineGeometry | PolygonGeometry) -> list[tuple[LonLat, ...]]:
    """What is kept of a shape: the line, or the area's outline and holes, each closed."""
    if isinstance(geometry, LineGeometry):
        return [tuple(geometry.coordinates)]
    return [
        tuple(ring) if ring[0] == ring[-1] else (*ring, ring[0]) for ring in geometry.coordinates
    ]


def stretches_of(roads: Roads, arcs: Iterable[int]) -> tuple[Stretch, ...]:
    """How arcs lie on the map, so that another network can be searched for their roads."""
    return tuple(
        Stretch(points=one.points, both_ways=one.both_ways, way_id=one.way_id)
        for one in lines_of_arcs(roads.graph, arcs)
    )


def _bounded(arcs: Iterable[int], what: str) -> tuple[int, ...]:
    found = tuple(sorted(arcs))
    if not found:
        raise UnknownRoad(
            f"{what} named in the request mean no road that can be driven in this direction;"
            " look at GET /v1/roads"
        )
    if len(found) > ARCS_MAX:
        raise InvalidRequest(
            f"{what} named in the request mean {len(found)} edges; at most {ARCS_MAX} are taken"
        )
    return found
