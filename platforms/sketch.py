"""Sketches a city for any road network, so that any town with an OSM file can be tried.

Everything in it is invented and says so: platforms spread over the streets, one area, zones by
density, key sites at busy junctions.
"""

from __future__ import annotations

import numpy as np

from platforms.city import (
    Area,
    City,
    Grid,
    KeySite,
    Place,
    Platform,
    Region,
    Zone,
    ZoneClass,
)
from platforms.crewing import units_of
from platforms.errors import SketchImpossible
from platforms.network_places import crossing_places, named_place, street_places
from platforms.sketch_points import Metres, Streets, busy_nodes, spread, streets_of
from platforms.sketch_regions import circle, densest, hull, voronoi
from routing.graph import RoadGraph
from routing.roads import Roads

PLATFORMS_MAX = 999
"""More would not fit the ids."""
KEY_SITES = 60
TARGET_S = {ZoneClass.KEY_SITE: 60, ZoneClass.CORE: 180, ZoneClass.OTHER: 300}
"""The promise: key sites 1 minute, core urban area 3, other urban area 5."""
AREA_ID = "city"

_NOTE = (
    "Synthetic: sketched on road network {version} with seed {seed}; platforms, zones, key sites"
    " and call signs are invented."
)
_CATEGORIES = ("school", "hospital", "station", "bank", "square", "market")


def sketch_city(
    roads: Roads | RoadGraph,
    platforms: int = 33,
    seed: int = 1,
    *,
    name: str = "示例城市",
    timezone: str = "Asia/Shanghai",
) -> City:
    """A synthetic city on a network; the same network and seed give the same city.

    Args:
        roads: The network.
        platforms: How many platforms.
        seed: Another seed spreads the platforms otherwise.
        name: The city's name.
        timezone: IANA name.

    Raises:
        SketchImpossible: The network is too small.
    """
    if not 1 <= platforms <= PLATFORMS_MAX:
        raise SketchImpossible(f"{platforms} platforms: choose 1 to {PLATFORMS_MAX}")
    graph = roads if isinstance(roads, RoadGraph) else roads.graph
    streets = streets_of(graph)
    land = hull(streets)
    stands = spread(streets, platforms, np.random.default_rng(seed))
    forces = _platforms(streets, stands)
    site_points = busy_nodes(streets, KEY_SITES)
    sites = _key_sites(streets, site_points)
    return City(
        name=name,
        synthetic=True,
        note=_NOTE.format(version=graph.road_version, seed=seed),
        timezone=timezone,
        areas=(_area(streets, name, land),),
        platforms=forces,
        units=tuple(unit for platform in forces for unit in units_of(platform)),
        grids=_grids(streets, stands, land),
        zones=_zones(streets, land, site_points, sites),
        key_sites=sites,
        places=_places(graph, sites, forces),
        sketch=True,
    )


def _platforms(streets: Streets, stands: Metres) -> tuple[Platform, ...]:
    return tuple(
        Platform(
            platform_id=f"P{number:02d}",
            name=f"{number}号平台",
            area_id=AREA_ID,
            grid_id=f"G{number:02d}",
            lon=lon,
            lat=lat,
            synthetic=True,
        )
        for number, (lon, lat) in enumerate(streets.frame.degrees(stands).tolist(), start=1)
    )


def _area(streets: Streets, name: str, land: Region) -> Area:
    return Area(area_id=AREA_ID, name=name, polygon=streets.frame.region(land), synthetic=True)


def _grids(streets: Streets, stands: Metres, land: Region) -> tuple[Grid, ...]:
    return tuple(
        Grid(
            grid_id=f"G{number:02d}",
            name=f"第{number}网格",
            platform_id=f"P{number:02d}",
            area_id=AREA_ID,
            polygon=streets.frame.region(cell),
            synthetic=True,
        )
        for number, cell in enumerate(voronoi(stands, land), start=1)
    )


def _key_sites(streets: Streets, points: Metres) -> tuple[KeySite, ...]:
    return tuple(
        KeySite(
            site_id=f"K{number:03d}",
            name=f"重点部位{number}",
            category=_CATEGORIES[number % len(_CATEGORIES)],
            lon=lon,
            lat=lat,
            synthetic=True,
        )
        for number, (lon, lat) in enumerate(streets.frame.degrees(points).tolist(), start=1)
    )


def _zones(
    streets: Streets, land: Region, points: Metres, sites: tuple[KeySite, ...]
) -> tuple[Zone, ...]:
    key_zones = (
        _zone(streets, f"key-{site.site_id}", ZoneClass.KEY_SITE, site.name, circle(point))
        for site, point in zip(sites, points, strict=True)
    )
    return (
        *key_zones,
        _zone(streets, "core", ZoneClass.CORE, "中心城区", densest(streets)),
        _zone(streets, "other", ZoneClass.OTHER, "其他城区", land),
    )


def _zone(streets: Streets, zone_id: str, zone_class: ZoneClass, name: str, land: Region) -> Zone:
    return Zone(
        zone_id=zone_id,
        zone_class=zone_class,
        target_s=TARGET_S[zone_class],
        name=name,
        polygon=streets.frame.region(land),
        synthetic=True,
    )


def _places(
    graph: RoadGraph, sites: tuple[KeySite, ...], forces: tuple[Platform, ...]
) -> tuple[Place, ...]:
    return (
        *(named_place(site.name, "key_site", site.lon, site.lat) for site in sites),
        *(named_place(force.name, "platform", force.lon, force.lat) for force in forces),
        *street_places(graph),
        *crossing_places(graph),
    )
