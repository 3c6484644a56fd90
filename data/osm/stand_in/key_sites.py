"""Key sites of the stand-in city: those with known names, and invented ones at busy junctions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely

from platforms.city import KeySite
from platforms.sketch_points import busy_nodes, streets_of
from routing.graph import RoadGraph
from stand_in import skeleton
from stand_in.facts import Point, to_lonlat, to_xy
from stand_in.network import StandIn
from stand_in.on_street import kept_lonlat, km_point, on_street, street_at, table

MORE_SITES = 40
"""Invented key sites at busy junctions of the main urban area, beside those with known names."""
MORE_KINDS = (
    ("小学", "school"),
    ("支行", "bank"),
    ("中学", "school"),
    ("社区医院", "hospital"),
    ("农贸市场", "market"),
    ("广场", "square"),
    ("幼儿园", "school"),
    ("储蓄所", "bank"),
)
TOWN_SITES = (
    ("人民医院", "hospital"),
    ("第一中学", "school"),
    ("汽车站", "station"),
    ("广场", "square"),
)

Site = tuple[KeySite, Point]
"""A site and its point in local metres."""


def city_sites(made: StandIn, graph: RoadGraph) -> Iterator[Site]:
    """Sites of the main urban area, with their points in local metres."""
    named = []
    for row in table("city_sites.csv"):
        name = row["name"] if row["category"] == "bridge" else ""
        point = on_street(made.plane, km_point(row), least_rank=1, name=name)
        named.append(point)
        yield _site(len(named), row["name"], row["category"], point)
    streets = streets_of(graph)
    inside = skeleton.outer_ring().buffer(-150.0)
    frame = streets.frame
    taken = frame.metres(np.array([to_lonlat(point) for point in named]))
    nodes = np.array([to_xy(*lonlat) for lonlat in frame.degrees(streets.node).tolist()])
    kept = shapely.contains_xy(inside, nodes[:, 0], nodes[:, 1])
    urban = replace(streets, node=streets.node[kept], node_weight=streets.node_weight[kept])
    chosen = frame.degrees(busy_nodes(urban, MORE_SITES, taken=taken, apart_m=750.0))
    for number, lonlat in enumerate(chosen.tolist()):
        point = on_street(made.plane, to_xy(*lonlat), least_rank=3)
        kind, category = MORE_KINDS[number % len(MORE_KINDS)]
        street = street_at(made.plane, point)
        count = len(named) + number + 1
        yield _site(count, f"{street}{kind}", category, point)


def town_sites(made: StandIn) -> Iterator[Site]:
    """Four sites in every county seat."""
    number = 200
    for town in made.towns:
        x, y = town.centre
        off = 0.3 * town.radius_m
        wanted = ((x + off, y - off), (x - off, y + off), (x + off, y + off), (x - off, y - off))
        for (kind, category), point in zip(TOWN_SITES, wanted, strict=True):
            number += 1
            yield _site(
                number,
                f"{town.name}{kind}",
                category,
                on_street(made.plane, point, least_rank=2),
            )


def _site(number: int, name: str, category: str, point: Point) -> Site:
    lon, lat = kept_lonlat(point)
    site = KeySite(
        site_id=f"K{number:03d}", name=name, category=category, lon=lon, lat=lat, synthetic=True
    )
    return site, point
