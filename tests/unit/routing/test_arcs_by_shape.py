"""Which streets a drawn line or area means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from routing.arc_lines import lines_of_arcs
from routing.arcs_by_shape import ArcsByShape
from routing.conditions import Direction
from tests.road_graphs import Street, build_graph, grid_graph, point

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


def test_a_street_is_found_again_where_it_lay_and_not_the_one_beside_it() -> None:
    # Two streets 8 m apart: within reach of a drawing by hand, and yet two.
    nodes = [(0.0, 0.0), (200.0, 0.0), (0.0, 8.0), (200.0, 8.0)]
    beside = build_graph(nodes, [Street(start=0, end=1), Street(start=2, end=3)])
    shapes = ArcsByShape(beside)
    line = [point(0, 1), point(200, 1)]
    assert shapes.along(line, Direction.FORWARD) == (0, 2)
    assert shapes.again(line, Direction.FORWARD) == (0,)
    assert shapes.again(line, Direction.BACKWARD) == (1,)
    # Redrawn a little aside it is still found.
    moved = [point(0, -9), point(200, -9)]
    assert shapes.again(moved, Direction.FORWARD) == (0,)


def test_a_street_that_is_gone_is_not_found_again_in_those_it_met(shapes: ArcsByShape) -> None:
    across = [point(100, -50), point(100, 50)]
    assert len(shapes.along(across, Direction.BOTH)) == 2
    assert shapes.again(across, Direction.BOTH) == ()


@pytest.mark.parametrize("radius_m", [8.0, 60.0])
def test_a_street_that_ends_where_it_begins_is_found_again(radius_m: float) -> None:
    graph = build_graph([(0.0, 0.0), (-200.0, 0.0)], [Street(start=1, end=0)])
    angles = np.linspace(np.pi, -np.pi, 24)
    ring = [point(radius_m * (1 + np.cos(a)), radius_m * np.sin(a)) for a in angles]
    # The loop stands in place of the street's way back.
    geometry = np.concatenate([graph.geom_lonlat[:2], ring])
    graph = replace(graph, geom_start=np.array([0, 2, 2 + len(ring)]), geom_lonlat=geometry)
    shapes = ArcsByShape(graph)
    assert shapes.again(ring, Direction.FORWARD) == (1,)
    assert shapes.again(ring, Direction.BACKWARD) == ()
    assert 1 in shapes.along(ring, Direction.FORWARD)


def test_what_is_kept_of_arcs_is_one_line_for_both_directions_of_a_street() -> None:
    forward, backward, other = 0, 1, 4
    both, one = lines_of_arcs(GRAPH, (other, backward, forward))
    assert (both.both_ways, one.both_ways) == (True, False)
    assert both.way_id == int(GRAPH.arc_way_id[forward])
    assert np.allclose(both.points, GRAPH.arc_line(forward), atol=1e-6)
    assert np.allclose(one.points, GRAPH.arc_line(other), atol=1e-6)


def test_what_is_kept_is_simpler_and_no_more_than_a_metre_off() -> None:
    graph = build_graph([(0.0, 0.0), (100.0, 0.0)], [Street(start=0, end=1, oneway=True)])
    wavy = [point(east, 0.3 * (east % 2)) for east in range(101)]
    graph = replace(graph, geom_start=np.array([0, 101]), geom_lonlat=np.array(wavy))
    [line] = lines_of_arcs(graph, (0,))
    assert len(line.points) < 10
