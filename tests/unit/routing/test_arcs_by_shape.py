"""Which streets a drawn line or area means."""

from __future__ import annotations

import pytest

from routing.arcs_by_shape import ArcsByShape
from routing.conditions import Direction
from tests.road_graphs import grid_graph, point

GRAPH = grid_graph(4, 4, block_m=200.0)


@pytest.fixture(scope="module")
def shapes() -> ArcsByShape:
    return ArcsByShape(GRAPH)


def ends(arcs: tuple[int, ...]) -> set[tuple[int, int, int, int]]:
    """From and to of each arc in blocks."""
    found = set()
    for arc in arcs:
        line = GRAPH.arc_line(arc)
        west, south = point(0, 0)
        east, north = point(200, 200)
        block = (east - west, north - south)
        found.add(
            tuple(
                round((line[end][axis] - (west, south)[axis]) / block[axis])
                for end in (0, -1)
                for axis in (0, 1)
            )
        )
    return found


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.FORWARD, {(0, 0, 1, 0), (1, 0, 2, 0)}),
        (Direction.BACKWARD, {(1, 0, 0, 0), (2, 0, 1, 0)}),
        (Direction.BOTH, {(0, 0, 1, 0), (1, 0, 2, 0), (1, 0, 0, 0), (2, 0, 1, 0)}),
    ],
)
def test_a_line_means_the_street_beside_it_as_it_is_drawn(
    shapes: ArcsByShape, direction: Direction, expected: set[tuple[int, int, int, int]]
) -> None:
    line = [point(5, 6), point(200, -5), point(395, 4)]
    assert ends(shapes.along(line, direction)) == expected


def test_a_line_round_a_corner_means_both_streets(shapes: ArcsByShape) -> None:
    line = [point(0, 0), point(200, 0), point(200, 200)]
    assert ends(shapes.along(line, Direction.FORWARD)) == {(0, 0, 1, 0), (1, 0, 1, 1)}


def test_a_short_line_on_a_long_street_means_that_street(shapes: ArcsByShape) -> None:
    line = [point(80, 0), point(120, 0)]
    assert ends(shapes.along(line, Direction.FORWARD)) == {(0, 0, 1, 0)}


def test_a_barrier_drawn_across_means_the_street_it_crosses(shapes: ArcsByShape) -> None:
    line = [point(100, -20), point(100, 20)]
    assert ends(shapes.along(line, Direction.BOTH)) == {(0, 0, 1, 0), (1, 0, 0, 0)}


def test_a_line_away_from_all_streets_means_none(shapes: ArcsByShape) -> None:
    assert shapes.along([point(60, 60), point(140, 140)], Direction.BOTH) == ()


def test_an_area_means_what_reaches_into_it_but_not_into_its_holes(shapes: ArcsByShape) -> None:
    ring = [point(-50, -50), point(450, -50), point(450, 450), point(-50, 450)]
    whole = ends(shapes.inside(ring))
    assert {(0, 0, 1, 0), (1, 1, 2, 1), (2, 2, 3, 2)} <= whole
    hole = [point(-40, -40), point(250, -40), point(250, 250), point(-40, 250)]
    rest = ends(shapes.inside(ring, [hole]))
    assert (0, 0, 1, 0) not in rest
    assert {(1, 1, 2, 1), (2, 2, 3, 2)} <= rest


def test_an_outline_that_crosses_itself_is_read_as_its_areas(shapes: ArcsByShape) -> None:
    bow = [point(-50, -50), point(50, 50), point(50, -50), point(-50, 50)]
    assert shapes.inside(bow)
