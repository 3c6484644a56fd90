"""Points onto streets: nearest, by metres, with the right directions and offsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from routing.errors import OffNetwork
from routing.geometry import M_PER_DEGREE, metres_per_lon
from routing.graph import ArcFlag
from routing.osm.importer import import_network
from routing.snapping import StreetIndex
from tests.road_graphs import Street, build_graph, grid_graph, point


def test_a_point_beside_a_two_way_street_stands_on_both_directions() -> None:
    index = StreetIndex(build_graph([(0.0, 0.0), (200.0, 0.0)], [Street(start=0, end=1, name="A")]))
    snap = index.snap(*point(50.0, 12.0))
    assert snap.distance_m == pytest.approx(12.0, rel=1e-3)
    assert (snap.snapped_lon, snap.snapped_lat) == pytest.approx(point(50.0, 0.0))
    assert snap.road == "A"
    assert [stand.arc for stand in snap.stands] == [0, 1]
    assert snap.stands[0].offset_m == pytest.approx(50.0, abs=0.01)
    assert snap.stands[1].offset_m == pytest.approx(150.0, abs=0.01)


def test_a_heading_chooses_the_direction() -> None:
    index = StreetIndex(build_graph([(0.0, 0.0), (200.0, 0.0)], [Street(start=0, end=1)]))
    for heading_deg, arc in ((80.0, 0), (260.0, 1), (10.0, 0), (350.0, 1)):
        assert [s.arc for s in index.snap(*point(50.0, 5.0), heading_deg=heading_deg).stands] == [
            arc
        ]


def test_a_heading_prefers_the_street_that_runs_with_it() -> None:
    nodes = [(0.0, 0.0), (200.0, 0.0), (10.0, 100.0), (10.0, -100.0)]
    graph = build_graph(nodes, [Street(start=0, end=1), Street(start=3, end=2, oneway=True)])
    index = StreetIndex(graph)
    near_the_first = point(17.0, 3.0)
    assert index.snap(*near_the_first).stands[0].arc == 0
    assert [s.arc for s in index.snap(*near_the_first, heading_deg=0.0).stands] == [2]
    # Against a one-way street: the nearest of all is taken.
    assert index.snap(*near_the_first, heading_deg=180.0).stands[0].arc in {0, 1}


def test_streets_where_no_car_may_drive_or_that_lead_nowhere_take_no_stand() -> None:
    nodes = [(0.0, 0.0), (200.0, 0.0), (0.0, 30.0), (200.0, 30.0)]
    lane = Street(start=2, end=3, flags=ArcFlag.NO_CAR)
    index = StreetIndex(build_graph(nodes, [Street(start=0, end=1), lane]))
    assert index.snap(*point(50.0, 25.0)).stands[0].arc == 0


def test_a_point_too_far_off_is_refused_with_its_distance() -> None:
    index = StreetIndex(grid_graph(4, 4))
    with pytest.raises(OffNetwork, match="700 m") as refused:
        index.snap(*point(1000.0, 100.0))
    assert refused.value.nearest_m == pytest.approx(700.0, rel=1e-3)
    assert refused.value.limit_m == 200.0
    assert index.snap(*point(1000.0, 100.0), max_m=701.0).distance_m == pytest.approx(
        700.0, rel=1e-3
    )
    with pytest.raises(OffNetwork):
        index.snap(0.0, 0.0)
    assert index.snap(*point(-20_000.0, -20_000.0), max_m=1e6).distance_m > 28_000


def test_snaps_are_the_nearest_of_all_streets(helsinki_pbf: Path) -> None:
    graph, _ = import_network(helsinki_pbf, allow_pieces=True)
    index = StreetIndex(graph)
    taken = graph.arc_core & ((graph.arc_flags & ArcFlag.NO_CAR) == 0)
    rng = np.random.default_rng(3)
    low, high = graph.geom_lonlat.min(axis=0), graph.geom_lonlat.max(axis=0)
    for lon, lat in rng.uniform(low, high, (200, 2)):
        metres = np.array([metres_per_lon(lat), M_PER_DEGREE])
        lines = (
            [
                shapely.LineString((graph.arc_line(arc) - (lon, lat)) * metres)
                for arc in np.flatnonzero(taken)
            ]
            if rng.random() < 0.1
            else None
        )
        snap = index.snap(lon, lat, max_m=5000.0)
        if lines is not None:
            nearest_m = shapely.distance(np.array(lines), shapely.Point(0, 0)).min()
            assert snap.distance_m == pytest.approx(nearest_m, abs=1e-6)
        for stand in snap.stands:
            line = shapely.LineString(graph.arc_line(stand.arc) * metres)
            share = stand.offset_m / graph.arc_length_m[stand.arc]
            foot = shapely.line_interpolate_point(line, share, normalized=True)
            here = shapely.Point((snap.snapped_lon, snap.snapped_lat) * metres)
            assert foot.distance(here) < 0.05
